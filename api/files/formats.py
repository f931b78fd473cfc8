"""From the bytes of a file to channels of a recording, and to what the file says about itself.

The service reads files of strangers: sizes are checked before anything is unpacked or allocated, and nothing is
unpickled.
"""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath

import numpy as np

from api.files.channels import Channels
from api.files.errors import EXPECTED, UnreadableError
from api.files.extras.audio import MAGIC as AUDIO
from api.files.extras.audio import read_audio
from api.files.extras.hdf5 import is_hdf5, read_hdf5
from api.files.extras.tables import FEATHER, PARQUET, read_table
from api.files.extras.tdms import MAGIC as TDMS
from api.files.extras.tdms import read_tdms
from api.files.extras.uff import is_uff, read_uff
from api.files.gzipped import GZIP, unpack
from api.files.limits import Limits
from api.files.mat import is_mat5, read_mat
from api.files.npy import read_npy
from api.files.said import plain_unit
from api.files.text import read_text
from api.files.wav import read_wav
from model.recording.recording import Recording

WAV = (b"RIFF", b"RIFX", b"RF64")
FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel or Office document",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"SQLite format 3": "an SQLite database",
    b"OggS": "an Ogg recording",
    b"ID3": "an MP3 recording",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
}


def read(content: bytes, name: str, channel: str, limits: Limits) -> Recording:
    """Read one channel of a recording; channel may be empty where the file has one, or one named drive_end.

    Else as read_channels. Raises UnreadableError.
    """
    (recording,) = read_channels(content, name, channel, limits).values()
    return recording


def read_channels(content: bytes, name: str, channel: str | None, limits: Limits) -> Channels:
    """Read a channel of a recording, or all where channel is None: MATLAB 4 to 7, WAV, .npy or text, also gzipped.

    With the packages of api/requirements-files.txt, too: MATLAB 7.3, HDF5, TDMS, UFF, Parquet, Feather, FLAC and AIFF.
    content holds the file's bytes; name, its name, decides only where the content does not tell the format, and which
    record of several is meant.
    A signal is float64 (samples,), finite, in the file's own unit; whole numbers of a WAV file are scaled to -1..1.
    A unit that a form may give, too, is spelled as there.
    Raises UnreadableError that says what came and what was expected, without the file's name; where all channels are
    read, the error of one stands in its place.
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = read_any(content, name, channel, limits)
    except (UnreadableError, MemoryError):
        raise
    except Exception:  # the parsers' own exceptions are many, undocumented, and not meant for people
        raise UnreadableError("the file is damaged or incomplete: it cannot be read as what it starts as") from None
    return {
        each: recording
        if isinstance(recording, UnreadableError)
        else replace(recording, name=name, unit=plain_unit(recording.unit))
        for each, recording in found.items()
    }


def read_any(content: bytes, name: str, channel: str | None, limits: Limits) -> Channels:
    if content.startswith(GZIP):
        content = unpack(content, limits)
        name = name[:-3] if name.lower().endswith(".gz") else name
    if not content.strip():
        raise UnreadableError(f"the file is empty; {EXPECTED}")
    limits.check_unpacked(len(content))
    refuse_foreign(content)
    if content.startswith(b"\x93NUMPY"):
        return read_npy(content, channel, limits)
    if content[:4] in WAV:
        return read_wav(content, channel, limits)
    if is_hdf5(content):  # MATLAB 7.3 is such, and its name ends in .mat
        return read_hdf5(content, name, channel, limits)
    if is_mat5(content) or PurePath(name).suffix.lower() == ".mat":
        return read_mat(content, name, channel, limits)
    if extra := find_extra(content):
        return extra(content, channel, limits)
    return read_text(content, channel, limits)


def find_extra(content: bytes) -> Callable[[bytes, str | None, Limits], Channels] | None:
    """Return the reader of a format whose library is not among what serving needs."""
    if content.startswith(TDMS):
        return read_tdms
    if content.startswith((PARQUET, FEATHER)):
        return read_table
    if content[:4] in AUDIO:
        return read_audio
    return read_uff if is_uff(content) else None


def refuse_foreign(content: bytes) -> None:
    if content.startswith(GZIP):
        raise UnreadableError(f"the file is packed with gzip twice; {EXPECTED}")
    for magic, kind in FOREIGN.items():
        if content.startswith(magic):
            raise UnreadableError(f"the file is {kind}; {EXPECTED}")
