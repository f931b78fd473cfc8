import re
import struct

import numpy as np
import pytest
import scipy.io
from scipy.io import wavfile

from pipeline.params import InputError
from pipeline.training.signals import read_signal, read_signals

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
        ("a.csv", "one,two\n1,0.5\n9,-1.25\n2,3.0\n7,0.125\n", "1"),
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
        (
            "a.mat",
            {"X098_DE_time": SIGNAL},
            "X099_DE_time",
            "a.mat: the file has no channel X099_DE_time; it has drive",
        ),
        ("a.mat", {"one": SIGNAL, "two": SIGNAL}, "", "a.mat: the file has 2 channels, name one of them: one, two"),
        ("a.mat", {"text": "hello"}, "text", "text (char 1): expected a vector of real numbers"),
        ("a.mat", {"matrix": np.ones((3, 4))}, "matrix", "no channel matrix; it has matrix[0], matrix[1], matrix[2]"),
        ("a.npy", np.array([1, 2j]), "", "holds complex128"),
        ("a.npy", np.ones((4, 2)), "", "a.npy: the file has 2 channels, name one of them: 0, 1"),
        ("a.npy", np.ones((4, 2)), "2", "a.npy: the file has no channel 2; it has 0, 1"),
        ("a.npy", np.array([1, np.nan, 3]), "", "NaN or infinity, the first at sample 1"),
        ("a.csv", "time,acceleration\n0,0.5\n1,2\n", "speed", "has no channel speed; it has acceleration"),
        ("a.csv", "time,g\n0,0,5\n1,-1,25\n", "g", "a.csv: the file has no channel g; it has 0, 1, 2"),
        ("a.csv", "g\n0,5\n-1,25\n", "", "a.csv: the file has 2 channels, name one of them: 0, 1"),  # commas separate
        ("a.csv", " \n", "", "a.csv: the file is empty"),
        ("a.csv", "1\nx\n3\n", "", "a.csv: line 2 has 'x', expected a number"),
        ("a.tdms", "TDSm", "", "a.tdms: the TDMS file holds no channel of numbers, expected a recording"),
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
        read_signal(path, "")


def test_a_pickle_is_not_opened(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([object()]), allow_pickle=True)
    with pytest.raises(InputError, match="holds object, expected real numbers"):
        read_signal(path, "")


def test_a_wav_of_24_bits_is_read(tmp_path):
    samples = np.array([1, -2, 3], dtype="<i4") * 65536
    data = b"".join(int(value >> 8).to_bytes(3, "little", signed=True) for value in samples)
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 12_000, 36_000, 3,
                         24, b"data", len(data))  # fmt: skip
    (tmp_path / "a.wav").write_bytes(header + data)
    signal = read_signal(tmp_path / "a.wav", "", 12_000)
    assert (signal / signal[0]).tolist() == [1, -2, 3]


def test_a_rate_that_contradicts_the_catalogue_is_refused(tmp_path):
    path = write(tmp_path, "a.wav", SIGNAL.astype(np.float32))
    with pytest.raises(InputError, match=re.escape("a.wav says 12000 Hz, expected 48000 Hz")):
        read_signal(path, "", 48_000)
    rows = "\n".join(f"{index / 11_999.9:.9f},{index % 7}" for index in range(100))
    assert len(read_signal(write(tmp_path, "a.csv", f"time,g\n{rows}\n"), "", 12_000)) == 100


def test_a_signal_is_read_whole_whatever_its_length(tmp_path):
    assert len(read_signal(write(tmp_path, "a.npy", np.zeros(9_000_000, np.int8)), "")) == 9_000_000


def test_the_recordings_hold_what_the_catalogue_says(catalogue, mirror):
    for row in catalogue[catalogue.excerpt_file == ""].itertuples():
        assert len(read_signal(mirror / row.file, row.variable)) == row.samples
    known = catalogue[[bool(file) and (mirror / file).is_file() for file in catalogue.excerpt_file]]
    for row in known.itertuples():
        assert len(read_signal(mirror / row.excerpt_file, row.variable)) == row.excerpt_samples


def test_a_signal_of_another_length_than_listed_is_refused(catalogue, mirror):
    rows = catalogue[catalogue.recording == "97"]
    manifest = {"97": {"file": "97.mat", "samples": 243_937, "variant": "original"}}
    with pytest.raises(InputError, match=r"97\.mat holds 243938 samples, the catalogue says 243937"):
        read_signals(rows, manifest, mirror)


@pytest.mark.parametrize(("recording", "sampling_rate"), [("97", 48_000), ("130", 12_000)])
def test_the_shaft_turns_at_rpm_over_60_at_the_catalogues_rate(catalogue, mirror, recording, sampling_rate):
    row = catalogue[catalogue.recording == recording].iloc[0]
    assert row.sampling_rate == sampling_rate
    signal = read_signal(mirror / row.file, row.variable)
    spectrum = np.abs(np.fft.rfft((signal - signal.mean()) * np.hanning(len(signal))))
    frequency = np.fft.rfftfreq(len(signal), 1 / sampling_rate)
    near = (frequency > row.rpm / 60 * 0.8) & (frequency < row.rpm / 60 * 1.2)
    assert frequency[near][spectrum[near].argmax()] == pytest.approx(row.rpm / 60, rel=0.01)
    assert spectrum[near].max() > 10 * np.median(spectrum[near])


def test_a_file_that_is_not_there_is_told_in_words(tmp_path):
    with pytest.raises(InputError, match=r"a\.wav cannot be read: No such file or directory"):
        read_signal(tmp_path / "a.wav", "")


def test_a_channel_is_read_from_any_number_of_them(tmp_path):
    samples = np.arange(14_000.0).reshape(200, 70)
    assert read_signal(write(tmp_path, "a.npy", samples), "69").tolist() == samples[:, 69].tolist()
