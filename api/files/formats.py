"""From the bytes of an uploaded file to one channel of a recording, and to what the file says about itself.

The files come from strangers: sizes are checked before anything is unpacked or allocated, and nothing is unpickled.
"""

import io
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

import numpy as np
import scipy.io

from api.files.channels import (
    EXPECTED,
    MAX_CHANNELS,
    MAX_UNPACKED,
    Recording,
    UnreadableError,
    Vector,
    check_length,
    pick,
    positive,
    shown,
    split_columns,
    too_large,
)
from api.files.mat import is_mat5, read_mat
from api.files.text import read_text

MAX_CHUNKS = 1000  # in a WAV file
STREAMED = 0x7FFFF000  # bytes: so many and more are announced by what writes into a pipe, and so cannot know
UNCOMPRESSED = (1, 3)  # codes: whole numbers, floating point
EXTENSIBLE = 0xFFFE  # a code that says: the code stands further on
COMPRESSED = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x31: "GSM", 0x50: "MPEG", 0x55: "MP3"}
FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel or Office document",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"TDSm": "a LabVIEW TDMS file",
    b"PAR1": "a Parquet table",
    b"SQLite format 3": "an SQLite database",
    b"fLaC": "a FLAC recording",
    b"OggS": "an Ogg recording",
    b"ID3": "an MP3 recording",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
}
HDF5 = b"\x89HDF\r\n\x1a\n"
GZIP = b"\x1f\x8b"


def read_recording(content: bytes, name: str, channel: str = "") -> Recording:
    """Read one channel of a recording: MATLAB 4 to 7, WAV, .npy or text, each of them also packed with gzip.

    content holds the file's bytes; name, its name, decides only where the content does not tell the format, and which
    record of several is meant; channel may be empty where the file has one channel, or one named drive_end.
    The signal is float64 (samples,), finite, in the file's own unit; whole numbers of a WAV file are scaled to -1..1.
    Raises UnreadableError that says what came and what was expected, without the file's name.
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return read_any(content, name, channel)
    except (UnreadableError, MemoryError):
        raise
    except Exception:  # the parsers' own exceptions are many, undocumented, and not meant for people
        raise UnreadableError("the file is damaged or incomplete: it cannot be read as what it starts as") from None


def read_any(content: bytes, name: str, channel: str) -> Recording:
    if content.startswith(GZIP):
        content = unpack(content)
        name = name[:-3] if name.lower().endswith(".gz") else name
    if not content.strip():
        raise UnreadableError(f"the file is empty; {EXPECTED}")
    if len(content) > MAX_UNPACKED:
        raise too_large(f"{len(content):,} bytes")
    refuse_foreign(content)
    if content.startswith(b"\x93NUMPY"):
        return read_npy(content, channel)
    if content[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return read_wav(content, channel)
    if is_mat5(content) or PurePath(name).suffix.lower() == ".mat":
        return read_mat(content, name, channel)
    return read_text(content, channel)


def refuse_foreign(content: bytes) -> None:
    if HDF5 in (content[:8], content[512:520]):
        raise UnreadableError("the file is saved as MATLAB 7.3 (HDF5), which cannot be read: save it with -v7")
    if content.startswith(GZIP):
        raise UnreadableError(f"the file is packed with gzip twice; {EXPECTED}")
    for magic, kind in FOREIGN.items():
        if content.startswith(magic):
            raise UnreadableError(f"the file is {kind}; {EXPECTED}")


def unpack(packed: bytes) -> bytes:
    """Unpack what gzip packed, of MAX_UNPACKED bytes at most, whatever it would grow to."""
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    unpacked = stream.decompress(packed, MAX_UNPACKED + 1)
    if len(unpacked) > MAX_UNPACKED:
        raise too_large("more than that")
    if not stream.eof:
        raise UnreadableError("what is packed in the file is cut short: the file is incomplete")
    if stream.unused_data.strip(b"\0"):
        raise UnreadableError("the file goes on after the end of what is packed in it: expected one packed file")
    return unpacked


def read_npy(content: bytes, channel: str) -> Recording:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise UnreadableError("the .npy file is not of version 1.0 or 2.0: expected an array of numbers from np.save")
    shape, fortran_order, dtype = readers[version](stream)
    if dtype.kind not in "iuf":
        raise UnreadableError(f"the .npy file holds {shown(str(dtype))}, expected real numbers")
    announced, came = math.prod(shape) * dtype.itemsize, len(content) - stream.tell()
    if announced != came or min(shape, default=0) < 0:
        raise UnreadableError(f"the .npy file announces {announced:,} bytes of samples and holds {came:,}")
    samples = np.frombuffer(content, dtype, offset=stream.tell()).reshape(shape, order="F" if fortran_order else "C")
    columns = split_columns(samples)
    if samples.size == 1:
        check_length(1, None)
    if not columns:
        raise UnreadableError(
            f"the .npy file holds an array of shape {shown(str(shape))}, "
            f"expected one vector, or one of 2 to {MAX_CHANNELS} columns"
        )
    return pick({str(index): Vector(column) for index, column in enumerate(columns)}, channel)


def read_wav(content: bytes, channel: str) -> Recording:
    sampling_rate, samples = scipy.io.wavfile.read(io.BytesIO(check_wav(content)))
    columns = [samples] if samples.ndim == 1 else list(samples.T[: MAX_CHANNELS + 1])
    if len(columns) > MAX_CHANNELS:
        raise UnreadableError(f"the WAV file has {samples.shape[1]:,} channels, expected at most {MAX_CHANNELS}")
    rate = positive(sampling_rate)
    recording = pick({str(index): Vector(column, rate) for index, column in enumerate(columns)}, channel)
    if samples.dtype.kind == "u":
        return replace(recording, signal=(recording.signal - 128) / 128)  # 8 bits: WAV's only unsigned samples
    if samples.dtype.kind == "i":
        return replace(recording, signal=recording.signal / -float(np.iinfo(samples.dtype).min))
    return recording


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
