import re
import struct

import numpy as np
import pytest
import scipy.io
from scipy.io import wavfile

from pipeline.params import InputError
from pipeline.recordings import read_signal

SIGNAL = np.array([0.5, -1.25, 3.0, 0.125])


def write(folder, name, content):
    path = folder / name
    if name.endswith(".mat"):
        scipy.io.savemat(path, content)
    elif name.endswith(".npy"):
        np.save(path, content)
    elif name.endswith(".wav"):
        wavfile.write(path, 12_000, content)
    else:
        path.write_text(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "variable"),
    [
        ("a.mat", {"X1_DE_time": SIGNAL[:, None], "X1_FE_time": SIGNAL[:, None] + 1, "X1RPM": 1797}, "X1_DE_time"),
        ("a.mat", {"vibration": SIGNAL, "rpm": 1797}, ""),
        ("a.npy", SIGNAL, ""),
        ("a.npy", np.stack([SIGNAL + 1, SIGNAL], axis=1), "1"),
        ("a.wav", SIGNAL.astype(np.float32), ""),
        ("a.wav", np.stack([SIGNAL + 1, SIGNAL], axis=1).astype(np.float32), "1"),
        ("a.csv", "time,acceleration\n0,0.5\n1,-1.25\n2,3.0\n3,0.125\n", "acceleration"),
        ("a.csv", "0;0.5\n1;-1.25\n2;3.0\n3;0.125\n", "1"),
        ("a.csv", "0;0,5\n1;-1,25\n2;3,0\n3;0,125\n", "1"),
        ("a.txt", "0.5\n-1.25\n3.0\n0.125\n", ""),
        ("a.csv", "\n\n0.5\n-1.25\n3.0\n0.125\n", ""),
        ("a.csv", "\ufeff0.5\n-1.25\n3.0\n0.125\n", ""),
        ("a.txt", "g\n0.5\n-1.25\n3.0\n0.125\n", ""),
        ("a.txt", "0 0.5\n1 -1.25\n2 3.0\n3 0.125\n", "1"),
    ],
)
def test_every_format_gives_the_same_signal(tmp_path, name, content, variable):
    signal = read_signal(write(tmp_path, name, content), variable)
    assert signal.dtype == np.float64
    assert signal.tolist() == SIGNAL.tolist()


@pytest.mark.parametrize(
    ("name", "content", "variable", "message"),
    [
        ("a.mat", {"X098_DE_time": SIGNAL}, "X099_DE_time", "a.mat has no variable X099_DE_time; it has X098_DE_time"),
        ("a.mat", {"one": SIGNAL, "two": SIGNAL}, "", "holds 2 vectors (one, two): name one as variable"),
        ("a.mat", {"text": "hello"}, "text", "expected one vector of numbers"),
        ("a.mat", {"matrix": np.ones((3, 4))}, "matrix", "shape (3, 4), expected one vector of numbers"),
        ("a.npy", np.array([1, 2j]), "", "holds complex128"),
        ("a.npy", np.ones((4, 2)), "", "has 2 columns, and variable is ''"),
        ("a.npy", np.ones((4, 2)), "2", "has 2 columns, and variable is '2': expected a number from 0 to 1"),
        ("a.npy", np.array([1, np.nan, 3]), "", "holds NaN or infinity at sample 1"),
        ("a.csv", "time,acceleration\n0,0.5\n1,2\n", "speed", "has no column speed; it has time, acceleration"),
        ("a.csv", "g\n0,5\n-1,25\n", "", "expected one vector of numbers"),
        ("a.csv", "time,g\n0,0,5\n1,-1,25\n", "g", "a.csv starts with 2 columns and goes on with 3"),
        ("a.csv", " \n", "", "a.csv is empty"),
        ("a.csv", "1\nx\n3\n", "", "expected one vector of numbers"),
        ("a.tdms", "", "", "format '.tdms' is not one of .mat, .npy, .wav, .csv, .txt"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(tmp_path, name, content, variable, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_signal(write(tmp_path, name, content), variable)


@pytest.mark.parametrize("name", ["a.mat", "a.npy", "a.wav", "a.csv"])
def test_a_damaged_file_is_named(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"\x00\xff not a recording \xfe" * 20)
    with pytest.raises(InputError, match=re.escape(name)):
        read_signal(path)


def test_a_pickle_is_not_opened(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([object()]), allow_pickle=True)
    with pytest.raises(InputError, match="allow_pickle=False"):
        read_signal(path)


def test_a_wav_of_24_bits_is_read(tmp_path):
    samples = np.array([1, -2, 3], dtype="<i4") * 65536
    data = b"".join(int(value >> 8).to_bytes(3, "little", signed=True) for value in samples)
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 12_000, 36_000, 3,
                         24, b"data", len(data))  # fmt: skip
    (tmp_path / "a.wav").write_bytes(header + data)
    signal = read_signal(tmp_path / "a.wav", sampling_rate=12_000)
    assert (signal / signal[0]).tolist() == [1, -2, 3]


def test_a_wav_that_contradicts_the_catalogue_is_refused(tmp_path):
    path = write(tmp_path, "a.wav", SIGNAL.astype(np.float32))
    with pytest.raises(InputError, match="says 12000 Hz, expected 48000 Hz"):
        read_signal(path, sampling_rate=48_000)


def test_the_recordings_hold_what_the_catalogue_says(catalogue, mirror):
    for row in catalogue[catalogue.excerpt_file == ""].itertuples():
        assert len(read_signal(mirror / row.file, row.variable)) == row.samples
    known = catalogue[[bool(file) and (mirror / file).is_file() for file in catalogue.excerpt_file]]
    for row in known.itertuples():
        assert len(read_signal(mirror / row.excerpt_file, row.variable)) == row.excerpt_samples
