"""Vectors that count time, in whatever file and wherever they stand in it."""

import io

import h5py
import numpy as np
import pandas
import pytest
from nptdms import ChannelObject, TdmsWriter

from api.files.time_axes import find_axis, is_axis, is_time_name, match_axes
from tests.api.files.samples import mat, read_recording, refusal

RATE = 25_600
TIMES = np.arange(3_000) / RATE
SIGNAL = np.random.default_rng(0).standard_normal(3_000).round(6)
ROWS = {"t": TIMES, "a.t": TIMES, "b.t": 2 * TIMES, "T": SIGNAL}
READ = f"the sampling rate {RATE:,} Hz was read from the column "


def hdf5(variables, **said) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs.update(said)
        for name, value in variables.items():
            file[name] = value
    return stream.getvalue()


def tdms(groups) -> bytes:
    stream = io.BytesIO()
    with TdmsWriter(stream) as writer:
        writer.write_segment([
            ChannelObject(group, name, values) for group, inside in groups.items() for name, values in inside.items()
        ])  # fmt: skip
    return stream.getvalue()


def parquet(columns) -> bytes:
    stream = io.BytesIO()
    pandas.DataFrame(columns).to_parquet(stream)
    return stream.getvalue()


def csv(columns, **options) -> bytes:
    return pandas.DataFrame(columns).to_csv(**options).encode()


@pytest.mark.parametrize(
    ("name", "content", "channels", "rate", "notes"),
    [
        ("a.mat", mat({"t": TIMES, "x": SIGNAL, "fs": RATE}), ("x",), RATE, ()),
        ("a.mat", mat({"x": SIGNAL, "t": TIMES}), ("x",), RATE, (READ + "t",)),
        ("a.mat", mat({"run": {"x": SIGNAL, "Time": TIMES}}), ("run.x",), RATE, (READ + "Time",)),
        ("a.h5", hdf5({"time": TIMES, "acc": SIGNAL}, fs=RATE), ("acc",), RATE, ()),
        ("a.h5", hdf5({"a/acc": SIGNAL, "a/time_ms": 1_000 * TIMES}), ("a.acc",), RATE, (READ + "time_ms",)),
        ("a.h5", hdf5({"acc": SIGNAL, "t (ns)": np.arange(3_000, dtype=np.uint64) * 1_000 + 10**18}), ("acc",), 10**6,
         ("the sampling rate 1,000,000 Hz was read from the column t (ns)",)),
        ("a.tdms", tdms({"G": {"Time": TIMES, "acc": SIGNAL}}), ("acc",), RATE, (READ + "Time",)),
        ("a.parquet", parquet({"acc": SIGNAL, "time (s)": TIMES}), ("acc",), RATE, (READ + "time (s)",)),
        ("a.csv", csv({"time": TIMES, "acc": SIGNAL}), ("acc",), RATE, (READ + "time",)),
        ("a.csv", csv({"acc": SIGNAL, "Time (ms)": 1_000 * TIMES}, index=False), ("acc",), RATE,
         (READ + "Time (ms)",)),
        ("a.csv", b"fs: 12000\n" + csv({"acc": SIGNAL, "t": TIMES}, index=False), ("acc",), 12_000,
         ("the sampling rate 12,000 Hz was read from the line 'fs: 12000'",
          "the file gives a sampling rate of 12,000 Hz, and the column t one of 25,600 Hz")),
    ],
    ids=range(11),
)  # fmt: skip
def test_a_time_axis_is_no_channel_and_tells_the_rate_where_nothing_else_does(name, content, channels, rate, notes):
    found = read_recording(content, name)
    assert found.signal.tolist() == SIGNAL.tolist()
    assert (found.channels, found.sampling_rate, found.warnings) == (channels, rate, notes)
    assert "the file has no channel" in str(refusal(content, name, "time"))


def test_each_channel_has_the_rate_of_the_axis_in_its_own_group():
    groups = {"a": {"Time": TIMES, "x": SIGNAL}, "b": {"Time": 2 * TIMES, "y": SIGNAL}}
    paths = {f"{group}/{name}": values for group, inside in groups.items() for name, values in inside.items()}
    files = [("a.tdms", tdms(groups), "y"), ("a.mat", mat(groups), "b.y"), ("a.h5", hdf5(paths), "b.y")]
    for name, content, channel in files:
        found = read_recording(content, name, channel)
        assert (len(found.channels), found.sampling_rate) == (2, RATE / 2)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mat", mat({"t": TIMES})),
        ("a.h5", hdf5({"time": TIMES})),
        ("a.tdms", tdms({"G": {"Time": TIMES}})),
        ("a.parquet", parquet({"time": TIMES})),
        ("a.csv", csv({"time": TIMES})),
    ],
)
def test_a_time_axis_alone_is_a_channel(name, content):
    assert read_recording(content, name).signal == pytest.approx(TIMES)


def test_an_axis_has_the_name_of_a_time_and_rises_beside_a_channel_of_its_length():
    for name in ("t", "TIME", "run.t", "G/Time (s)", "timeMs", "acc (m/s)/t"):
        assert is_time_name(name)
    for name in ("X097_DE_time", "t.x", "time x", "acc (s)", "acc (m/s)", "", "(s)"):
        assert not is_time_name(name)
    assert match_axes({"t": 9, "x": 8}, ROWS.get) == {"t": "", "x": ""}
    assert match_axes({"T": 9, "x": 9}, ROWS.get) == {"T": "", "x": ""}
    assert match_axes({"a.t": 9, "a.x": 9, "b.t": 9, "b.x": 9}, ROWS.get) == {"a.x": "a.t", "b.x": "b.t"}
    assert match_axes({"a.t": 9, "t": 9, "x": 9}, ROWS.get) == {"x": "t"}
    assert match_axes({"t": 9, "b.t": 9, "a.x": 9, "b.x": 9, "y": 8}, ROWS.get) == {"a.x": "t", "b.x": "b.t", "y": ""}


def test_a_counter_before_the_time_axis_is_neither_axis_nor_channel():
    rows = {"0": np.arange(9.0), "time": TIMES[:9], "elapsed": TIMES[:9], "acc": SIGNAL[:9]}
    assert is_axis("0", rows["0"])
    assert find_axis(["0", "time", "acc"], rows.get) == ("time", ["acc"])
    assert find_axis(["0", "acc"], rows.get) == ("0", ["acc"])
    assert find_axis(["0", "time"], rows.get) == ("0", ["time"])
    assert find_axis(["time", "elapsed", "acc"], rows.get) == ("time", ["acc"])
    assert find_axis(["acc"], rows.get) == (None, ["acc"])
