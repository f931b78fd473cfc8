import contextlib
import gzip
import io
import re
import struct
import time
import zlib

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import wavfile

from api.files.errors import UnreadableError
from api.files.formats import read
from api.files.limits import Limits
from pipeline.training.signals import read_signal

SIGNAL = np.array([0.5, -1.25, 3.0, 0.125])
COLUMN = SIGNAL[:, None]
CWRU = {"X105_DE_time": COLUMN, "X105_FE_time": COLUMN + 1, "X105_BA_time": COLUMN + 2, "X105RPM": 1797}
TWO_RECORDS = {"X098_DE_time": COLUMN + 1, "X098RPM": 1772, "X099_DE_time": COLUMN, "X099RPM": 1750}
MFPT = {"bearing": {"gs": COLUMN, "sr": 48828, "rate": 25, "load": "50"}, "BPFO": 81.125}
CLUTTER = {
    "cell": np.array([1, "text", SIGNAL], dtype=object), "text": "hello", "sparse": scipy.sparse.eye(3).tocsc(),
    "complex": SIGNAL * 1j, "logical": SIGNAL > 0, "empty": np.empty((0, 0)),
    "nested": {"cell": np.array([SIGNAL, "text"], dtype=object), "nothing": []},
}  # fmt: skip


MAX_SAMPLES, MAX_UNPACKED = 2_000_000, 64_000_000


def read_recording(content, name, channel=""):
    return read(content, name, channel, Limits(MAX_SAMPLES, MAX_UNPACKED))


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


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("name", "content", "channel", "read", "channels", "rate", "rpm"), CASES)
def test_every_format_gives_the_signal_and_what_the_file_says(
    name, content, channel, read, channels, rate, rpm, packed
):
    recording = read_recording(gzip.compress(content) if packed else content, name + ".gz" * packed, channel)
    scale = 8 if recording.signal.max() < 1 else 1 / 8 if recording.signal.max() > 20 else 1  # whole numbers
    assert (recording.signal * scale).tolist() == SIGNAL.tolist()
    assert (recording.channel, list(recording.channels)) == (read, channels)
    assert (recording.sampling_rate, recording.rpm) == (rate, rpm)
    assert recording.signal.dtype == np.float64


REFUSALS = [
    (b"", "a.csv", "", "the file is empty"),
    (b" \n\n", "a.csv", "", "the file is empty"),
    (b"PK\x03\x04...", "a.xlsx", "", "a ZIP archive or an Excel workbook"),
    (b"%PDF-1.7", "a.csv", "", "a PDF document; expected .mat, .csv"),
    (b"MATLAB 7.3".ljust(512) + b"\x89HDF\r\n\x1a\n", "a.mat", "", "save it with -v7"),
    (b"1\n\x002\n", "a.bin", "", "neither text nor of a format known"),
    (b"hello", "a.mat", "", "does not start as a MATLAB file does"),
    (gzip.compress(gzip.compress(b"1\n2\n")), "a.gz", "", "packed with gzip twice"),
    (gzip.compress(b"1\n2\n") * 2, "a.gz", "", "goes on after the end"),
    (mat(CLUTTER), "a.mat", "", "cell (cell 1 x 3), text (char 1), sparse (sparse 3 x 3)"),
    (mat({"s": scipy.sparse.eye(3).tocsc(), "t": "ab"}, format="4"), "a.mat", "", "s (sparse 3 x 3), t (char 1)"),
    (mat({"x": np.ones((65, 65))}), "a.mat", "", "x (double 65 x 65): expected a vector"),
    (mat(TWO_RECORDS), "a.mat", "", "has 2 channels, name one of them: X098_DE_time, X099_DE_time"),
    (mat(CWRU), "a.mat", "X1", "no channel X1; it has drive_end, fan_end, base"),
    (npy(np.array([1, 2j])), "a.npy", "", "holds complex128, expected real numbers"),
    (npy(np.array([True, False])), "a.npy", "", "holds bool"),
    (npy(np.array([(1, 2)], dtype="i4,f4")), "a.npy", "", "expected real numbers"),
    (npy(SIGNAL)[:-1], "a.npy", "", "announces 32 bytes of samples and holds 31"),
    (npy(np.ones((70, 70))), "a.npy", "", "array of shape (70, 70)"),
    (npy(np.float64(1)), "a.npy", "", "1 sample, expected a recording"),
    (npy(np.array([1, np.nan, np.inf])), "a.npy", "", "holds 2 values that cannot be used, NaN or"),
    (npy(np.zeros(MAX_SAMPLES + 1, np.int8)), "a.npy", "", "has 2,000,001 samples, expected at most 2,000,000"),
    (wav(np.zeros(MAX_SAMPLES + 1, np.uint8)), "a.wav", "", "2,000,001 samples (167 seconds)"),
    (wav(np.zeros(8, np.int16))[:-2], "a.wav", "", "announces 16 bytes of samples and holds 14"),
    (b"# fs: 1000\n" + b"1\n" * (MAX_SAMPLES + 1), "a.csv", "", "(2,000 seconds), expected at most 2,000,000: cut it"),
    (b"g\n1\n2\nabc\n", "a.csv", "", "line 4 has 'abc', expected a number"),
    (b"1\n" * 100 + b"x" * 50, "a.csv", "", f"line 101 has '{'x' * 40}...', expected a number"),
    (b"a,b\n1,7\n2,8\n3,8,9\n", "a.csv", "a", "line 4 has 3 columns, those before it have 2"),
    (b"a,b\n1,7\n2,8\n3\n", "a.csv", "a", "line 4 has 1 column, those before it have 2"),
    (b"9,7\n" * 100 + b"9\n", "a.csv", "0", "line 101 has '9', expected 2 columns of numbers"),
    (b"9\n,\n", "a.csv", "", "line 2"),
    (b"a,b\n1,7\n1,8\n", "a.csv", "", "the file has 2 channels, name one of them: a, b"),
    (b"text\n" * 60, "a.csv", "", "the file starts with 'text', and 51 lines on there are no rows of numbers yet"),
    (b"1\nnan\n3\n", "a.csv", "", "holds 1 value that cannot be used, NaN or infinity, the first at sample 1"),
    (b"1\n", "a.csv", "", "the file holds 1 sample, expected a recording"),
    (b"1," * 100, "a.csv", "", "line 1 has 100 columns, expected at most 64"),
    (b"a;b\n226;1.5\n-237;1.5\n1,152;1.5\n", "a.csv", "a", "line 4 has '1,152;1.5': the numbers hold both ',' and '.'"),
    (b"a;b\n1.152,5;1\n1;1\n", "a.csv", "a", "line 2 has '1.152,5;1': the numbers hold both ',' and '.'"),
    (b'a,b\n"1,152","0.5"\n"1,153","0.7"\n', "a.csv", "a", "save them without thousands separators"),
    (b'a\n"1,152.5"\n"1,153.5"\n', "a.csv", "", "the numbers hold both ',' and '.'"),
    (b"0,000083,0,125\n0,000167,0,25\n", "a.csv", "1", "line 1 has '0,000083,0,125': commas stand both between"),
    (b"Date,Time,g\n2024-05-01,00:00:00.000083,1\n", "a.csv", "", "line 2 holds the clock time '00:00:00.000083':"),
    (b"t;g\n2024-05-01T00:00:00;1,5\n", "a.csv", "", "line 2 holds the clock time '2024-05-01T00:00:00': leave that"),
    (b"g;h\n0,5;1\n1,5;x,y\n2;3\n", "a.csv", "h", "line 3 has 'x,y', expected 2 columns of numbers"),
    (wav_of_code(2), "a.wav", "", "the WAV file is compressed (ADPCM): expected PCM"),
    (wav_of_code(0xFFFE), "a.wav", "", "compressed (mu-law)"),
    (wav_of_code(0x1234, b"RIFX", ">"), "a.wav", "", "compressed (code 4660)"),
]  # fmt: skip


def test_no_message_holds_the_files_name():
    name = "unmistakable.mat"
    assert not [error for content, *_ in REFUSALS if name in (error := str(refusal(content, name, "x")))]


@pytest.mark.parametrize(("content", "name", "channel", "message"), REFUSALS)
def test_what_cannot_be_read_is_refused_in_words(content, name, channel, message):
    error = refusal(content, name, channel)
    assert message in str(error)
    assert error.field == ("channel" if re.search("name one of them|no channel", message) else "file")


def test_a_list_of_many_channels_is_cut():
    error = refusal(mat({f"x{index:03}_{'y' * 20}": SIGNAL for index in range(300)}), "a.mat", "z" * 1000)
    assert "and 280 more" in str(error)


@pytest.mark.parametrize(
    ("rate", "form", "expected"), [(12_000, "%.6f", 12_000), (48_000, "%.7f", 48_000), (12_000, "%.4f", None)]
)
def test_the_time_axis_gives_the_rate_where_its_steps_are_even(rate, form, expected, noise):
    rows = [f"{form},%.6f" % (index / rate, value) for index, value in enumerate(noise.normal(size=5000))]
    recording = read_recording("\n".join(["time,acc", *rows]).encode(), "a.csv")
    assert recording.channels == ("acc",)
    assert recording.sampling_rate == expected
    (note,) = recording.warnings
    said = f"the sampling rate {rate:,} Hz was read from the column time" if expected else "its steps are uneven"
    assert said in note


def test_the_head_outweighs_the_time_axis():
    recording = read_recording(b"fs: 12000\ntime,acc\n0.0,1\n0.1,2\n0.2,1\n", "a.csv")
    assert recording.sampling_rate == 12_000
    assert "12,000 Hz, and the column time one of 10 Hz" in recording.warnings[1]


@pytest.mark.parametrize(
    ("text", "channel", "signal", "channels"),
    [
        ("0,12573\n-0,13210\n0,04042\n", "", [0.12573, -0.1321, 0.04042], ["0"]),
        ("g\n1\n-0,5\n2\n", "", [1, -0.5, 2], ["g"]),
        ("1,25E-03\n-2,50E-03\n", "", [0.00125, -0.0025], ["0"]),
        ('"0,1";"2,3"\n"0,2";"2,5"\n', "1", [2.3, 2.5], ["0", "1"]),
        ('"a","b"\n"0,000083","0,125"\n"0,000090","-0,25"\n', "b", [0.125, -0.25], ["a", "b"]),
        ('1,"0,5"\n7,"1,5"\n', "1", [0.5, 1.5], ["0", "1"]),
        ('"0,5"\n"1,5"\n', "", [0.5, 1.5], ["0"]),
        ("0,5 7\n-1,25 8\n", "0", [0.5, -1.25], ["0", "1"]),
        ("1,7\n2,8\n3,10\n", "1", [7, 8, 10], ["0", "1"]),
        ("12000\nt,a\n1,5\n7,6\n", "a", [5, 6], ["a"]),
        ("2024\n\nt;a\n1;5\n7;6,5\n", "a", [5, 6.5], ["a"]),
        ("Time (ms),acc,rpm\n1,5,7\n7,6,7\n2,6,7\n", "acc", [5, 6, 6], ["Time (ms)", "acc", "rpm"]),
        ("Time,Acc X,Acc Y\ns,g,m/s\u00b2\n1,5,7\n7,6,7\n2,6,7\n", "Acc X (g)", [5, 6, 6],
         ["Time (s)", "Acc X (g)", "Acc Y (m/s\u00b2)"]),
    ],
)  # fmt: skip
def test_the_ways_to_write_numbers(text, channel, signal, channels):
    recording = read_recording(text.encode(), "a.csv", channel)
    assert recording.signal.tolist() == signal
    assert list(recording.channels) == channels


@pytest.mark.parametrize(
    ("name", "step", "rate", "note"),
    [
        ("Time (min)", 1 / 12_000 / 60, 12_000, "12,000 Hz was read from the column Time (min)"),
        ("time [h]", 1 / 12_000 / 3600, 12_000, "12,000 Hz was read"),
        ("time [ns]", 83_333.333, 12_000, "12,000 Hz was read"),
        ("Zeit [ms]", 1 / 12, 12_000, "12,000 Hz was read"),
        ("TimeMs", 1 / 12, 12_000, "12,000 Hz was read"),
        ("Time (ticks)", 1e-4, None, "no sampling rate was read from the column Time (ticks): its unit is not known"),
        ("Time", 1 / 12, None, "no sampling rate was read from the column Time: its steps would mean 12 Hz"),
        ("timestamp", 1e-8, None, "its steps would mean 100,000,000 Hz"),
        ("Time (samples)", 1, None, "counts samples"),
    ],
)
def test_the_time_axis_counts_in_its_unit(name, step, rate, note):
    rows = [f"{index * step:.12g},{index % 7}" for index in range(100)]
    recording = read_recording("\n".join([f"{name},acc", *rows]).encode(), "a.csv")
    assert recording.channels == ("acc",)
    assert recording.sampling_rate == (pytest.approx(rate, rel=1e-6) if rate else None)
    assert [note in warning for warning in recording.warnings] == [True]


@pytest.mark.parametrize(
    ("head", "number", "rate", "rpm"),
    [
        ("Fs;12.000\nrpm;1.750", "0,05", 12_000, 1750),
        ("fs = 12.000 kHz", "0.5", 12_000, None),
        ("Fs: 12 000 Hz, rpm: 1 750", "0.5", 12_000, 1750),
        ("Fs: 12'000 Hz", "0.5", 12_000, None),
        ("Fs: 12\u202f000 Hz", "0.5", 12_000, None),
        ("sampling rate: 0.1 MHz", "0.5", 100_000, None),
        ("sampling_rate_kHz = 25,6", "0.5", 25_600, None),
        ("sensor fs 50 g", "0.5", None, None),
        ("sensor fs 5000 g", "0.5", None, None),
        ("sensor fs 5000 mV\nfs = 12000", "0.5", 12_000, None),
        ("max rpm 3600, rpm 1750", "0.5", None, 1750),
        ("fs=12000 rpm=1797", "0.5", 12_000, 1797),
        ("Speed 1797 rpm 12000 lines", "0.5", None, 1797),
        ("rpm: 5", "0.5", None, None),
        ("fs: 12000000", "0.5", None, None),
    ],
)
def test_the_head_gives_rate_and_speed_and_a_note_says_so(head, number, rate, rpm):
    recording = read_recording(f"{head}\n\n{number}\n{number}1\n".encode(), "a.csv")
    assert (recording.sampling_rate, recording.rpm) == (rate, rpm)
    assert len(recording.warnings) == (rate is not None) + (rpm is not None)
    assert all("was read from the line '" in note for note in recording.warnings)


def test_the_notes_on_the_head_repeat_its_lines():
    recording = read_recording(b"# fs = 12000\n# rpm: 1,750\n1\n2\n", "a.csv")
    assert list(recording.warnings) == [
        "the sampling rate 12,000 Hz was read from the line '# fs = 12000'",
        "the speed 1,750 rpm was read from the line '# rpm: 1,750'",
    ]


def bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(10**7)) for _ in range(30)) + packer.flush()


HOSTILE = {
    "gzip bomb": ("a.csv.gz", bomb),
    "mat bomb": ("a.mat", lambda: mat({"x": np.zeros(MAX_UNPACKED // 8)}, do_compression=True)),
    "one giant line": ("a.csv", lambda: b"1" * 32_000_000),
    "commas": ("a.csv", lambda: b"," * 32_000_000),
    "a million columns": ("a.csv", lambda: b"1," * 1_000_000 + b"\n1"),
    "a giant line later": ("a.csv", lambda: b"1\n2\n" + b"1" * 32_000_000),
    "blank lines": ("a.csv", lambda: b"1" + b"\n" * 32_000_000 + b"1"),
    "too many lines": ("a.csv", lambda: b"1\n" * 16_000_000),
    "quotes": ("a.csv", lambda: b'"' * 32_000_000),
    "quoted numbers": ("a.csv", lambda: b'"1,5"\n' * 5_000_000),
    "heads of digits": ("a.csv", lambda: (b"rpm " + b"1" * 190 + b" " + b"1 000" * 2000 + b"\n") * 51),
    "zeros": ("a.mat", lambda: bytes(32_000_000)),
    "negative MATLAB 4 size": ("a.mat", lambda: struct.pack("<5i", 0, -1, 20, 0, 0) * 9),
    "many WAV chunks": ("a.wav", lambda: b"RIFF\xff\xff\xff\x7fWAVE" + b"LIST\0\0\0\0" * 1_000_000),
    "a huge .npy": ("a.npy", lambda: npy(SIGNAL).replace(b"(4,), }" + b" " * 12, b"(4000000000000,), }")),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_soon(kind):
    name, make = HOSTILE[kind]
    content = make()
    start = time.process_time()
    refusal(content, name)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.wav", wav(SIGNAL.astype(np.float32))),
        ("a.npy", npy(SIGNAL)),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n3,4\n")),
    ],
)
def test_a_file_cut_or_changed_anywhere_is_read_or_refused(name, content, noise):
    for place in range(len(content)):
        reads_or_refuses(content[:place], name)
        for value in (0, 255, int(noise.integers(256))):
            reads_or_refuses(content[:place] + bytes([value]) + content[place + 1 :], name)


STARTS = [
    b"",
    b"\x93NUMPY\1\0",
    b"RIFF\xff\0\0\0WAVE",
    b"\x1f\x8b\x08",
    b"\0\0\0\0",
]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(STARTS), st.binary(max_size=200), st.sampled_from(["a.mat", "a.csv"]))
def test_random_bytes_are_read_or_refused(start, content, name):
    reads_or_refuses(start + content, name)


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=9), st.booleans())
def test_any_numbers_come_back(numbers, compressed):
    for content in (
        mat({"x": numbers}, do_compression=compressed),
        npy(numbers),
        "\n".join(map(repr, numbers)).encode(),
    ):
        assert read_recording(content, "a").signal.tolist() == numbers


def test_the_published_recordings_read_as_the_pipeline_reads_them(mirror, catalogue):
    read = 0
    for row in catalogue.itertuples():
        path = mirror / row.file
        if path.is_file():
            recording = read_recording(path.read_bytes(), row.file)
            assert recording.channel == "drive_end"
            assert np.array_equal(recording.signal, read_signal(path, row.variable))
            assert recording.rpm == (None if path.stem.startswith("300") else row.rpm)
            read += 1
    assert read >= 61


def test_the_mfpt_recordings_say_their_rate_and_speed(rig):
    recordings = [read_recording(path.read_bytes(), path.name) for path in sorted(rig.glob("*.mat"))]
    assert [(each.sampling_rate, each.rpm, each.channel) for each in recordings] == [(48_828, 1500, "bearing.gs")] * 14
    texts = [read_recording(path.read_bytes(), path.name) for path in sorted(rig.glob("*.txt.gz"))]
    assert [len(each.signal) for each in texts] == [292_968] * 3
