"""Files packed with gzip."""

import zlib

from api.files.errors import UnreadableError
from api.files.limits import Limits

GZIP = b"\x1f\x8b"


def unpack(packed: bytes, limits: Limits) -> bytes:
    """Unpack what gzip packed, up to the limit of unpacked bytes, whatever it would grow to.

    Raises UnreadableError.
    """
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    unpacked = stream.decompress(packed, limits.unpacked + 1)
    if len(unpacked) > limits.unpacked:
        raise limits.too_large("more than that")
    if not stream.eof:
        raise UnreadableError("what is packed in the file is cut short: the file is incomplete")
    if stream.unused_data.strip(b"\0"):
        raise UnreadableError("the file goes on after the end of what is packed in it: expected one packed file")
    return unpacked
