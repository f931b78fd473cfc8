"""Files that the formats' own libraries write: the channel that is read, and what the file says of itself."""

import io
import warnings
from datetime import datetime

import h5py
import numpy as np
import pandas
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
import pyuff
import soundfile
from nptdms import ChannelObject, GroupObject, RootObject, TdmsWriter

from api.files.formats import read_channels
from api.files.limits import MAX_CHANNELS, Limits
from tests.api.files.samples import MAX_SAMPLES, npy, read_recording, refusal

SIGNAL = np.random.default_rng(0).standard_normal(3_000).astype(np.float32) / 8
OTHER = SIGNAL[::-1].copy()
RATE = 25_600


def tdms(**properties) -> bytes:
    stream = io.BytesIO()
    start = np.datetime64("2026-01-31T12:00:00", "us")
    said = {"wf_increment": 1 / RATE, "wf_start_time": start, "unit_string": "g"} | properties
    with TdmsWriter(stream) as writer:
        writer.write_segment([
            RootObject({"RPM": 1_480.0}), GroupObject("Vibration"),
            ChannelObject("Vibration", "DE", SIGNAL, said), ChannelObject("Vibration", "NDE", OTHER, said),
            ChannelObject("Vibration", "remark", ["text"]),
        ])  # fmt: skip
    return stream.getvalue()


def uff(folder, is_binary: bool, **said) -> bytes:
    path = folder / "a.uff"
    for node, samples in ((1, SIGNAL), (2, OTHER)):
        head = {
            "type": 58, "binary": int(is_binary), "func_type": 1, "rsp_node": node, "rsp_dir": 3, "ref_node": 0,
            "ref_dir": 0, "data": samples, "x": np.arange(len(samples)) / RATE, "abscissa_spacing": 1,
            "abscissa_inc": 1 / RATE, "abscissa_spec_data_type": 17, "ordinate_spec_data_type": 12,
            "orddenom_spec_data_type": 0,
            "ordinate_axis_units_lab": "g", "id1": "pump", "id4": "2026-01-31",
        } | said  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # pyuff leaves its file to the collector
            pyuff.UFF(str(path)).write_sets(head, mode="add")
    return path.read_bytes()


def hdf5(is_tall: bool = True) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["sampling_rate"] = RATE
        group = file.create_group("pump")
        group["rpm"] = 1_480.0
        both = np.stack([SIGNAL, OTHER], axis=1 if is_tall else 0)
        group.create_dataset("acc", data=both, compression="gzip").attrs["unit"] = "m/s2"
        group["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
        file["words"] = "text"
    return stream.getvalue()


def matlab73() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w", userblock_size=512) as file:
        for name, value in (("X105_DE_time", SIGNAL[None]), ("X105_FE_time", OTHER[None]), ("X105RPM", [[1797.0]])):
            file.create_dataset(name, data=np.asarray(value)).attrs["MATLAB_class"] = np.bytes_("double")
    head = b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM"
    return head.ljust(512, b"\0") + stream.getvalue()[512:]


def matlab73_of(**variables) -> bytes:
    """Return the variables as MATLAB 7.3 stores them: columns as rows, and characters as numbers of 16 bits."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", userblock_size=512) as file:
        for name, value in variables.items():
            is_text = isinstance(value, str)
            numbers = np.array([[ord(each)] for each in value], np.uint16) if is_text else np.atleast_2d(value)
            file.create_dataset(name, data=numbers).attrs["MATLAB_class"] = np.bytes_("char" if is_text else "double")
    return stream.getvalue()


def table(**columns) -> pyarrow.Table:
    said = {b"sampling_rate": b"25600", b"rpm": b"1480", b"unit": b"g"}
    return pyarrow.table(columns).replace_schema_metadata(said)


def parquet(**columns) -> bytes:
    stream = io.BytesIO()
    pyarrow.parquet.write_table(table(**columns), stream)
    return stream.getvalue()


def feather(**columns) -> bytes:
    stream = io.BytesIO()
    pyarrow.feather.write_feather(table(**columns), stream)
    return stream.getvalue()


def sound(kind: str, subtype: str) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, np.stack([SIGNAL, OTHER], axis=1), RATE, subtype, format=kind)
    return stream.getvalue()


BOTH = {"acc": SIGNAL, "other": OTHER}


@pytest.mark.parametrize(
    ("name", "make", "channel", "channels", "said"),
    [
        ("a.tdms", lambda _: tdms(), "DE", ("DE", "NDE"), (RATE, 1_480, "g", "2026-01-31T12:00:00+00:00")),
        ("a.uff", lambda folder: uff(folder, False), "1+Z", ("1+Z", "2+Z"), (RATE, None, "g", "")),
        ("a.uff", lambda folder: uff(folder, True), "1+Z", ("1+Z", "2+Z"), (RATE, None, "g", "")),
        ("a.h5", lambda _: hdf5(), "pump.acc[0]", ("pump.acc[0]", "pump.acc[1]"), (RATE, 1_480, "m/s2", "")),
        ("a.h5", lambda _: hdf5(False), "pump.acc[0]", ("pump.acc[0]", "pump.acc[1]"), (RATE, 1_480, "m/s2", "")),
        ("105.mat", lambda _: matlab73(), "", ("drive_end", "fan_end"), (None, 1_797, "", "")),
        ("a.parquet", lambda _: parquet(**BOTH), "acc", ("acc", "other"), (RATE, 1_480, "g", "")),
        ("a.feather", lambda _: feather(**BOTH), "acc", ("acc", "other"), (RATE, 1_480, "g", "")),
        ("a.flac", lambda _: sound("FLAC", "PCM_24"), "0", ("0", "1"), (RATE, None, "", "")),
        ("a.aiff", lambda _: sound("AIFF", "FLOAT"), "0", ("0", "1"), (RATE, None, "", "")),
        ("a.w64", lambda _: sound("W64", "PCM_24"), "0", ("0", "1"), (RATE, None, "", "")),
    ],
)
def test_a_file_is_read_as_the_same_samples_in_npy(tmp_path, name, make, channel, channels, said):
    found = read_recording(make(tmp_path), name, channel)
    same = read_recording(npy(SIGNAL), "a.npy")
    assert found.signal == pytest.approx(same.signal, abs=1e-6)
    assert found.channels == channels
    assert (found.sampling_rate, found.rpm, found.unit, found.taken_at) == said


@pytest.mark.parametrize(
    ("said", "rate", "unit"),
    [
        ({"x": np.arange(len(SIGNAL)) / (RATE / 1e3), "abscissa_axis_units_lab": "ms"}, RATE, "g"),
        ({"abscissa_axis_units_lab": "Sec"}, RATE, "g"),
        ({"abscissa_axis_units_lab": "NONE", "ordinate_axis_units_lab": "NONE"}, RATE, ""),
        ({"abscissa_axis_units_lab": "rev"}, None, "g"),
        ({"abscissa_spec_data_type": 0}, RATE, "g"),
    ],
)
@pytest.mark.parametrize("is_binary", [False, True])
def test_the_labels_of_a_universal_file_tell_the_units_of_its_axes(tmp_path, said, rate, unit, is_binary):
    found = read_recording(uff(tmp_path, is_binary, **said), "a.uff", "1+Z")
    assert (found.sampling_rate, found.unit) == (rate, unit)


@pytest.mark.parametrize("abscissa", [18, 19])  # frequency, revolutions a minute
def test_a_function_over_another_abscissa_than_time_is_no_recording(tmp_path, abscissa):
    content = uff(tmp_path, False, abscissa_spec_data_type=abscissa)
    assert "holds no time signal (dataset 58) over an abscissa of time" in str(refusal(content, "a.uff", "1+Z"))


def test_all_columns_of_a_dataset_are_read_within_what_one_may_unpack_to():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("acc", data=np.tile(np.arange(500_000, dtype=np.float32)[:, None], 8))
    limits = Limits(MAX_SAMPLES, 8 * 8 * 500_000, MAX_CHANNELS)
    found = read_channels(stream.getvalue(), "a.h5", None, limits)
    assert [len(each.signal) for each in found.values()] == 8 * [500_000]


def test_the_rate_of_a_table_is_that_of_its_time_stamps():
    times = np.datetime64(datetime(2026, 1, 31), "ns") + np.arange(len(SIGNAL)) * np.timedelta64(100_000, "ns")
    content = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"time": times, "acc": SIGNAL}), content)
    found = read_recording(content.getvalue(), "a.parquet")
    assert (found.sampling_rate, found.channels) == (10_000, ("acc",))
    assert found.warnings == ("the sampling rate 10,000 Hz was read from the column time",)


@pytest.mark.parametrize(
    ("name", "units", "unit"),
    [
        ("acc", ["g", "m/s2", "mm/s"], "m/s2"),
        ("acc", np.array([b"g", b"m/s2", b"mm/s"]), "m/s2"),
        ("acc", ["g", "m/s2"], ""),  # of which columns, nobody says
        ("acc", h5py.Empty("S1"), ""),
        ("acc", 5, ""),
        ("acc", ["g"], "g"),
        ("single", ["g", "m/s2", "mm/s"], ""),
    ],
)
def test_a_list_of_units_tells_that_of_each_column(name, units, unit):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["acc"], file["single"] = np.stack([SIGNAL] * 3, axis=1), SIGNAL
        file[name].attrs["units"] = units
    found = read_channels(stream.getvalue(), "a.h5", None, Limits(MAX_SAMPLES, 2**22, MAX_CHANNELS))
    assert found["acc[1]" if name == "acc" else name].unit == unit


@pytest.mark.parametrize("units", ["m/s^2", "g"])
def test_a_text_of_matlab_is_no_channel_and_no_number(units):
    found = read_recording(matlab73_of(vib=SIGNAL, fs=float(RATE), units=units), "a.mat")
    assert (found.channels, found.sampling_rate, found.unit) == (("vib",), RATE, "")


@pytest.mark.parametrize("make", ["to_parquet", "to_feather"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_time_stamps_that_pandas_writes_behind_the_channels_are_the_time_axis(make, zone):
    times = pandas.date_range("2026-01-31", periods=len(SIGNAL), freq="100us", name="timestamp", tz=zone)
    frame, content = pandas.DataFrame({"acc": SIGNAL}, index=times), io.BytesIO()
    frame = frame.reset_index()[["acc", "timestamp"]] if make == "to_feather" else frame  # it takes no such index
    getattr(frame, make)(content)
    found = read_recording(content.getvalue(), "a.parquet")
    assert (found.channels, found.sampling_rate) == (("acc",), 10_000)
    assert found.warnings == ("the sampling rate 10,000 Hz was read from the column timestamp",)


def test_a_time_axis_is_the_first_column_or_the_only_one_of_time_stamps():
    times = np.datetime64("2026-01-31", "ns") + np.arange(len(SIGNAL)) * np.timedelta64(100_000, "ns")
    assert "acc, sent, received" in str(refusal(parquet(acc=SIGNAL, sent=times, received=times), "a.parquet"))
    first = read_recording(parquet(time=np.arange(len(SIGNAL)) / RATE, acc=SIGNAL, sent=times), "a.parquet", "acc")
    assert (first.channels, first.sampling_rate) == (("acc", "sent"), RATE)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (parquet(words=["a", "b"]), "a.parquet", "holds no column of numbers: words"),
        (parquet(**{f"x{index}": [1.0, 2.0] for index in range(70)}), "a.parquet", "70 columns of numbers"),
        (parquet(acc=[1.0, None, 2.0]), "a.parquet", "1 value that cannot be used"),
        (parquet(**BOTH), "a.parquet", "name one of them: acc, other"),
        (sound("FLAC", "PCM_16")[:200], "a.flac", "damaged or incomplete"),
        (tdms()[:100], "a.tdms", "holds no channel of numbers"),
        (tdms()[:5_000], "a.tdms", "the TDMS file is incomplete: its last segment breaks off"),
        (hdf5()[:3_000], "a.h5", "damaged or incomplete"),
        (parquet(acc=np.zeros(2_100_000)), "a.parquet", "2,100,000 samples, expected at most 2,000,000"),
        (b"    -1\n    58\n" + b"x\n" * 20 + b"    -1\n", "a.uff", "holds no time signal"),
        (b"    -1\n   151\nmodel\n    -1\n", "a.uff", "holds no time signal (dataset 58)"),
    ],
    ids=range(11),
)
def test_what_cannot_be_read_is_refused_in_words(content, name, message):
    assert message in str(refusal(content, name))


def test_a_dataset_that_lies_in_another_file_is_passed_over(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(256)) * 8)
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("raw", (2_048,), np.uint8, external=[(str(secret), 0, 2_048)])
        layout = h5py.VirtualLayout((2_048,), np.float32)
        layout[:] = h5py.VirtualSource(str(secret), "x", (2_048,))
        file.create_virtual_dataset("virtual", layout)
        file["link"] = h5py.ExternalLink(str(secret), "/x")
    assert "holds no vector of real numbers" in str(refusal(stream.getvalue(), "a.h5"))
