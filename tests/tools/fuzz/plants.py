"""Small files of the formats that plants have, written by the formats' own libraries: where a fuzzer begins."""

import io

import numpy as np

from tests.tools.fuzz.cases import SEED

SAMPLES = np.random.default_rng(SEED).standard_normal(50).astype(np.float32) / 8
UFF = b"".join(
    line.ljust(80) + b"\n"
    for line in (
        b"    -1", b"    58", b"pump", b"NONE", b"NONE", b"2026-01-31", b"NONE",
        b"    1         0    0         0       NONE         1   3       NONE         0   0",
        b"         2         6         1  0.00000e+00  8.33333e-05  0.00000e+00",
        b"        17    0    0    0 NONE                 NONE",
        b"        12    0    0    0 NONE                 g",
        b"         0    0    0    0 NONE                 NONE",
        b"         0    0    0    0 NONE                 NONE",
        b"  1.00000e+00 -2.00000e+00  3.00000e+00  4.00000e+00  5.00000e+00 -6.00000e+00", b"    -1",
    )
)  # fmt: skip


def write_tdms() -> bytes:
    from nptdms import ChannelObject, TdmsWriter

    stream = io.BytesIO()
    with TdmsWriter(stream) as writer:
        writer.write_segment([ChannelObject("a", "b", SAMPLES, {"wf_increment": 1e-4, "unit_string": "g"})])
    return stream.getvalue()


def write_hdf5() -> bytes:
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("x", data=SAMPLES, compression="gzip").attrs["fs"] = 12_000.0
    return stream.getvalue()


def write_tables() -> list[bytes]:
    import pyarrow
    import pyarrow.feather
    import pyarrow.parquet

    parquet, feather = io.BytesIO(), io.BytesIO()
    table = pyarrow.table({"t": np.arange(50) / 12_000, "x": SAMPLES})
    pyarrow.parquet.write_table(table, parquet)
    pyarrow.feather.write_feather(table, feather)
    return [parquet.getvalue(), feather.getvalue()]


def write_sounds() -> list[bytes]:
    import soundfile

    sounds = [io.BytesIO() for _ in range(2)]
    for stream, kind in zip(sounds, ("FLAC", "AIFF"), strict=True):
        soundfile.write(stream, SAMPLES, 12_000, "PCM_16", format=kind)
    return [stream.getvalue() for stream in sounds]


def write_plants() -> list[bytes]:
    return [UFF, write_tdms(), write_hdf5(), *write_tables(), *write_sounds()]
