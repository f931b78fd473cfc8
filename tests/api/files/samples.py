"""Files in every format, and how tests read them."""

import contextlib
import gzip
import io
import struct

import numpy as np
import pytest
import scipy.io
from scipy.io import wavfile

from api.files.errors import UnreadableError
from api.files.formats import read
from api.files.limits import MAX_CHANNELS, Limits

SIGNAL = np.array([0.5, -1.25, 3.0, 0.125])
COLUMN = SIGNAL[:, None]
MAX_SAMPLES, MAX_UNPACKED = 2_000_000, 64_000_000


def packed(content) -> bytes:
    return gzip.compress(content, mtime=0)  # the same bytes in every process: they become ids of tests


def read_recording(content, name, channel=""):
    return read(content, name, channel, Limits(MAX_SAMPLES, MAX_UNPACKED, MAX_CHANNELS))


def mat(variables, **options) -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, variables, **options)
    return stream.getvalue()


def npy(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def wav(samples, rate=12_000) -> bytes:
    stream = io.BytesIO()
    wavfile.write(stream, rate, samples)
    return stream.getvalue()


def wav_of_24_bits(samples) -> bytes:
    data = b"".join(int(sample * 2**23).to_bytes(3, "little", signed=True) for sample in samples)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 12_000, 36_000, 3, 24)
    body = b"WAVE" + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def wav_of_code(code, kind=b"RIFF", order="<") -> bytes:
    """Return a WAV file of a format code; 0xFFFE is followed by the code for mu-law."""
    form = struct.pack(f"{order}HHIIHH", code, 1, 12_000, 24_000, 2, 16) + struct.pack(f"{order}HHIH14x", 22, 16, 0, 7)
    parts = b"fmt " + struct.pack(f"{order}I", len(form)) + form + b"data" + struct.pack(f"{order}I", 8) + bytes(8)
    return kind + struct.pack(f"{order}I", 4 + len(parts)) + b"WAVE" + parts


def streamed(content, announced) -> bytes:
    """Return a WAV file as it comes out of a pipe: its writer could not go back and fill in the lengths."""
    place = content.index(b"data") + 4
    return content[:4] + announced + content[8:place] + announced + content[place + 4 :]


def big_endian_mat(samples) -> bytes:
    numbers = samples.astype(">f8").tobytes()
    parts = struct.pack(">4I2I2i", 6, 8, 6, 0, 5, 8, len(samples), 1) + struct.pack(">HHc3x", 1, 1, b"x")
    parts += struct.pack(">2I", 9, len(numbers)) + numbers
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI" + struct.pack(">2I", 14, len(parts)) + parts


def big_endian_mat4(samples) -> bytes:
    return struct.pack(">5i2s", 1000, len(samples), 1, 0, 2, b"x\0") + samples.astype(">f8").tobytes()


def refusal(content, name="a.csv", channel="") -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        read_recording(content, name, channel)
    assert len(str(caught.value)) < 1200
    assert str(caught.value).isprintable()
    return caught.value


def reads_or_refuses(content, name) -> None:
    with contextlib.suppress(UnreadableError):
        signal = read_recording(content, name).signal
        assert signal.dtype == np.float64
        assert np.isfinite(signal).all()
