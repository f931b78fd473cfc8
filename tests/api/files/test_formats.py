import re

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from api.files.formats import read
from api.files.limits import NO_LIMITS
from tests.api.files.samples import (
    COLUMN,
    MAX_SAMPLES,
    SIGNAL,
    big_endian_mat,
    big_endian_mat4,
    mat,
    npy,
    packed,
    read_recording,
    refusal,
    streamed,
    wav,
    wav_of_24_bits,
)

CWRU = {"X105_DE_time": COLUMN, "X105_FE_time": COLUMN + 1, "X105_BA_time": COLUMN + 2, "X105RPM": 1797}
TWO_RECORDS = {"X098_DE_time": COLUMN + 1, "X098RPM": 1772, "X099_DE_time": COLUMN, "X099RPM": 1750}
MFPT = {"bearing": {"gs": COLUMN, "sr": 48828, "rate": 25, "load": "50"}, "BPFO": 81.125}
CLUTTER = {
    "cell": np.array([1, "text", SIGNAL], dtype=object), "text": "hello", "sparse": scipy.sparse.eye(3).tocsc(),
    "complex": SIGNAL * 1j, "logical": SIGNAL > 0, "empty": np.empty((0, 0)),
    "nested": {"cell": np.array([SIGNAL, "text"], dtype=object), "nothing": []},
}  # fmt: skip
MANY = np.arange(14_000, dtype=np.int16).reshape(200, 70)
CASES = [  # name, content, channel, the channel read, all channels, sampling rate, rpm
    ("105.mat", mat(CWRU), "", "drive_end", ["drive_end", "fan_end", "base"], None, 1797),
    ("a.mat", mat(CWRU, format="4"), "drive_end", "drive_end", ["drive_end", "fan_end", "base"], None, 1797),
    ("a", mat(CWRU, do_compression=True), "X105_DE_time", "drive_end", ["drive_end", "fan_end", "base"], None, 1797),
    ("99.mat", mat(TWO_RECORDS), "", "drive_end", ["X098_DE_time", "drive_end"], None, 1750),
    ("a.mat", mat(TWO_RECORDS), "X099_DE_time", "X099_DE_time", ["X098_DE_time", "X099_DE_time"], None, 1750),
    ("a.mat", mat(MFPT), "", "bearing.gs", ["bearing.gs"], 48_828, 1500),
    ("a.mat", mat({**CLUTTER, **MFPT}, do_compression=True), "", "bearing.gs", ["bearing.gs"], 48_828, 1500),
    ("a.mat", mat({"x": SIGNAL, "Fs": 25_600.0, "RPM": 1200, "rate": 9}), "", "x", ["x"], 25_600, 1200),
    ("a.mat", mat({"x": np.stack([SIGNAL + 1, SIGNAL])}), "x[1]", "x[1]", ["x[0]", "x[1]"], None, None),
    ("a.mat", mat({"x": (8 * COLUMN).astype(np.int16)}), "", "x", ["x"], None, None),
    ("a.mat", big_endian_mat(SIGNAL), "", "x", ["x"], None, None),
    ("a.mat", big_endian_mat4(SIGNAL), "", "x", ["x"], None, None),
    ("a.npy", npy(SIGNAL), "drive_end", "0", ["0"], None, None),
    ("a.npy", npy(SIGNAL.astype(">f4")), "", "0", ["0"], None, None),
    ("a.npy", npy(np.asfortranarray(np.stack([SIGNAL + 1, SIGNAL], axis=1))), "1", "1", ["0", "1"], None, None),
    ("a.wav", wav((SIGNAL / 8 * 2**7 + 128).astype(np.uint8)), "", "0", ["0"], 12_000, None),
    ("a.wav", wav((SIGNAL / 8 * 2**15).astype(np.int16)), "", "0", ["0"], 12_000, None),
    ("a.wav", wav_of_24_bits(SIGNAL / 8), "", "0", ["0"], 12_000, None),
    ("a.wav", wav((SIGNAL / 8 * 2**31).astype(np.int32)), "", "0", ["0"], 12_000, None),
    ("a.wav", wav(np.stack([SIGNAL, SIGNAL], axis=1).astype(np.float32)), "1", "1", ["0", "1"], 12_000, None),
    ("a.wav", streamed(wav((SIGNAL / 8 * 2**15).astype(np.int16)), b"\xff" * 4), "", "0", ["0"], 12_000, None),
    ("a.wav", streamed(wav((SIGNAL / 8 * 2**15).astype(np.int16)), b"\0\xf0\xff\x7f"), "", "0", ["0"], 12_000, None),
    ("a.wav", streamed(wav((SIGNAL / 8 * 2**15).astype(np.int16)), b"\xff" * 4) + b"\1", "", "0", ["0"], 12_000, None),
    ("a.mat", mat({"x": SIGNAL, "SamplingRate": 25_600.0, "SpeedRPM": 1200}), "", "x", ["x"], 25_600, 1200),
    ("a.mat", mat({"s": {"x": SIGNAL, "sample_frequency": 25_600.0}}), "", "s.x", ["s.x"], 25_600, None),
    ("a.txt", b"0.5\n-1.25\n3.0\n0.125", "drive_end", "0", ["0"], None, None),
    ("a", b"\r\n\xef\xbb\xbf0.5\r\n-1.25\r\n\r\n3e0\r\n0.125\r\n"[2:], "", "0", ["0"], None, None),
    ("a.csv", "acc \u00b5g\n0.5\n-1.25\n3.0\n0.125\n".encode("utf-16"), "", "acc \u00b5g", ["acc \u00b5g"], None, None),
    ("a.csv", "acc \u00b5g\n0.5\n-1.25\n3\n0.125\n".encode("latin-1"), "", "acc \u00b5g", ["acc \u00b5g"], None, None),
    ("a.csv", b"a;b\n0,5;1\n-1,25;1\n3;1\n0,125;1\n", "a", "a", ["a", "b"], None, None),
    ("a.csv", b"0,5 7,0\n-1,25 7,0\n3,0 7,0\n0,125 7,0\n", "0", "0", ["0", "1"], None, None),
    ("a.csv", b"# fs=12000\n# rpm = 1,797\nx\tdrive_end\n1\t.5\n1\t-1.25\n1\t3\n1\t.125", "", "drive_end",
     ["x", "drive_end"], 12_000, 1797),
    ("a.txt", b"Rig A\n# sampling rate (Hz): 25600\n% Speed (rpm): 1800\n0.5\n-1.25\n3\n0.125\n", "",
     "0", ["0"], 25_600, 1800),
    ("a.txt", b"Speed: 1797 rpm, fs: 12 kHz\n0.5\n-1.25\n3\n0.125\n", "", "0", ["0"], 12_000, 1797),
    ("a.txt", b"Sample Rate: 25.6 kHz\n0.5\n-1.25\n3\n0.125\n", "", "0", ["0"], 25_600, None),
    ("a.csv", b'"time (ms)","acc"\n"0.1","0.5"\n0.2,-1.25\n0.3,3\n0.4,0.125\n', "", "acc", ["acc"], 10_000, None),
    ("a.csv", b"time;acc\n(us);(g)\n0;0,5\n100;-1,25\n200;3\n300;0,125\n", "", "acc (g)", ["acc (g)"], 10_000, None),
    ("a.csv", b"7.00 .5\n7.01 -1.25\n7.02 3\n7.03 .125\n", "", "1", ["1"], None, None),
    ("a.csv", b",acc\n0,.5\n1,-1.25\n2,3\n3,.125\n", "", "acc", ["acc"], None, None),
]  # fmt: skip


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize(("name", "content", "channel", "read", "channels", "rate", "rpm"), CASES)
def test_every_format_gives_the_signal_and_what_the_file_says(
    name, content, channel, read, channels, rate, rpm, is_packed
):
    recording = read_recording(packed(content) if is_packed else content, name + ".gz" * is_packed, channel)
    scale = 8 if recording.signal.max() < 1 else 1 / 8 if recording.signal.max() > 20 else 1  # whole numbers
    assert (recording.signal * scale).tolist() == SIGNAL.tolist()
    assert (recording.channel, list(recording.channels)) == (read, channels)
    assert (recording.sampling_rate, recording.rpm) == (rate, rpm)
    assert recording.signal.dtype == np.float64


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=9), st.booleans())
def test_any_numbers_come_back(numbers, compressed):
    for content in (
        mat({"x": numbers}, do_compression=compressed),
        npy(numbers),
        "\n".join(map(repr, numbers)).encode(),
    ):
        assert read_recording(content, "a").signal.tolist() == numbers


@pytest.mark.parametrize("name", ["a.npy", "a.wav", "a.csv", "a.csv.gz"])
def test_without_limits_a_file_is_read_whole(name):
    samples = np.arange(MAX_SAMPLES + 1) % 2
    content = {"a.npy": npy(samples.astype(np.int8)), "a.wav": wav((samples * 128).astype(np.uint8))}.get(name)
    content = content or b"0\n1\n" * (MAX_SAMPLES // 2) + b"0\n"
    recording = read(packed(content) if name.endswith(".gz") else content, name, "", NO_LIMITS)
    assert len(recording.signal) == MAX_SAMPLES + 1
    assert recording.name == name


@pytest.mark.parametrize(
    ("name", "content", "channel"),
    [
        ("a.npy", npy(MANY), "69"),
        ("a.wav", wav(MANY.astype(np.float32)), "69"),
        ("a.mat", mat({"x": MANY}), "x[69]"),
        ("a.csv", "\n".join(",".join(map(str, row)) for row in MANY.tolist()).encode(), "69"),
    ],
)
def test_only_a_limit_bounds_the_channels(name, content, channel):
    assert read(content, name, channel, NO_LIMITS).signal.tolist() == MANY[:, 69].tolist()
    assert re.search("64|expected a vector of real numbers", str(refusal(content, name, channel)))
