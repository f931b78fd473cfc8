"""Recordings as WAV files of whole or floating-point numbers. scipy reads them."""

import io
import struct
from collections.abc import Iterator

import numpy as np

from api.files.channels import Channels, Vector, pick, positive
from api.files.errors import UnreadableError
from api.files.limits import Limits

MAX_CHUNKS = 1000
STREAMED = 0x7FFFF000  # bytes: a program that writes into a pipe cannot know the size, and announces so many or more
UNCOMPRESSED = (1, 3)  # codes: whole numbers, floating point
EXTENSIBLE = 0xFFFE  # a code that says: the code stands further on
COMPRESSED = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x31: "GSM", 0x50: "MPEG", 0x55: "MP3"}


def read_wav(content: bytes, channel: str | None, limits: Limits) -> Channels:
    import scipy.io.wavfile  # here: the service's own process, which checks and hands on, shall not load it

    sampling_rate, samples = scipy.io.wavfile.read(io.BytesIO(check_wav(content)))
    columns = [samples] if samples.ndim == 1 else list(samples.T[: limits.channels + 1])
    if len(columns) > limits.channels:
        raise UnreadableError(f"the WAV file has {samples.shape[1]:,} channels, expected at most {limits.channels}")
    rate = positive(sampling_rate)
    found = pick({str(index): Vector(column, rate) for index, column in enumerate(columns)}, channel, limits)
    for recording in found.values():
        if not isinstance(recording, UnreadableError):
            scale(recording.signal, samples.dtype)
    return found


def scale(signal: np.ndarray, dtype: np.dtype) -> None:
    """Bring what was whole numbers of a type to -1..1, in place."""
    if dtype.kind == "u":  # 8 bits: WAV's only unsigned samples
        signal -= 128
        signal /= 128
    elif dtype.kind == "i":
        signal /= -float(np.iinfo(dtype).min)


def check_wav(content: bytes) -> bytes:
    """Return a WAV file, its length filled in where it was streamed, which scipy would not read.

    Raises UnreadableError where it is compressed or cut short, which scipy passes over, or all chunks and no samples.
    """
    order = ">" if content.startswith(b"RIFX") else "<"
    frame = 1
    for kind, place, size in find_chunks(content, order):
        came = len(content) - place
        if kind == b"fmt ":
            check_codec(content[place:], order)
            frame = max(struct.unpack_from(f"{order}H", content, place + 12)[0], 1)
        if kind == b"data" and size > came:
            if size < STREAMED or content.startswith(b"RF64"):
                raise UnreadableError(
                    f"the WAV file is incomplete: it announces {size:,} bytes of samples and holds {came:,}"
                )
            return fill_lengths(content[: place + came - came % frame], place, order)
    return content


def find_chunks(content: bytes, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield what each chunk of a WAV file is, where its content starts, and its size in bytes."""
    place = 12
    for _ in range(MAX_CHUNKS):
        if len(content) - place < 8:
            return
        kind, size = content[place : place + 4], struct.unpack_from(f"{order}I", content, place + 4)[0]
        if kind == b"data" and content.startswith(b"RF64"):
            size = struct.unpack_from("<Q", content, 28)[0]
        yield kind, place + 8, size
        place += 8 + size + (size % 2 if kind != b"ds64" else 0)  # as scipy does
    raise UnreadableError(f"the WAV file has more than {MAX_CHUNKS:,} chunks: it is damaged")


def check_codec(form: bytes, order: str) -> None:
    code = struct.unpack_from(f"{order}H", form)[0]
    if code == EXTENSIBLE:
        code = struct.unpack_from(f"{order}H", form, 24)[0]
    if code not in UNCOMPRESSED:
        codec = COMPRESSED.get(code, f"code {code}")
        raise UnreadableError(f"the WAV file is compressed ({codec}): expected PCM or floating-point samples")


def fill_lengths(content: bytes, place: int, order: str) -> bytes:
    """Return a WAV file whose samples, which start at place, go on to its end."""
    whole, samples = (struct.pack(f"{order}I", len(content) - start) for start in (8, place))
    return content[:4] + whole + content[8 : place - 4] + samples + content[place:]
