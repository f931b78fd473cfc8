"""Recordings as Parquet and Feather tables. pyarrow reads them."""

from typing import Any

import numpy as np

from api.files.channels import Channels, Vector, make_recordings, select
from api.files.errors import UnreadableError
from api.files.extras.libraries import load_library
from api.files.limits import Limits
from api.files.said import find_rate, find_speed, find_unit
from api.files.time_axes import FIRST_ROWS, STAMPED, find_axis, is_axis, read_rate

PARQUET, FEATHER = b"PAR1", b"ARROW1"


def read_table(content: bytes, channel: str | None, limits: Limits) -> Channels:
    arrow = load_library("pyarrow", "a Parquet or Feather table")
    table = read_parquet(content, limits) if content.startswith(PARQUET) else read_feather(arrow, content, limits)
    schema = table.schema
    names = [field.name for field in schema if is_number(arrow, field.type)]
    if not names:
        raise UnreadableError(f"the table holds no column of numbers: {', '.join(schema.names)[:200] or 'no column'}")
    if len(names) > limits.channels + 1:
        raise UnreadableError(f"the table has {len(names):,} columns of numbers, expected at most {limits.channels}")
    axis, channels = split_axis(arrow, table, names)
    told = decode(schema.metadata)
    rate, note = read_rate(axis, column(table, axis), find_rate(told)) if axis is not None else (find_rate(told), "")
    vectors = {}
    for name in select(channels, channel):
        said = told | decode(schema.field(name).metadata)
        vectors[name] = Vector(column(table, name), find_rate(said) or rate, find_speed(said), find_unit(said))
    return make_recordings(vectors, channels, limits, [note] if note else [])


def split_axis(arrow: Any, table: Any, names: list[str]) -> tuple[str | None, list[str]]:
    """Return the column that counts time, and the channels; the only one of time stamps, pandas' index, is none."""
    axis, channels = find_axis(names, lambda name: column(table, name)[:FIRST_ROWS])
    stamps = [name for name in names if arrow.types.is_timestamp(table.schema.field(name).type)]
    if axis == names[0] or len(stamps) != 1 or len(names) == 1:
        return axis, channels
    if not is_axis(STAMPED, column(table, stamps[0])[:FIRST_ROWS]):
        return axis, channels
    return axis or stamps[0], [name for name in channels if name != stamps[0]]


def read_parquet(content: bytes, limits: Limits) -> Any:
    parquet, arrow = load_library("pyarrow.parquet", "a Parquet table"), load_library("pyarrow", "a Parquet table")
    file = parquet.ParquetFile(arrow.BufferReader(content))
    check_size(file.metadata.num_rows, file.metadata.num_columns, limits)
    return file.read(use_threads=False)


def read_feather(arrow: Any, content: bytes, limits: Limits) -> Any:
    table = load_library("pyarrow.feather", "a Feather table").read_table(
        arrow.BufferReader(content), use_threads=False
    )
    check_size(table.num_rows, table.num_columns, limits)
    return table


def check_size(rows: int, columns: int, limits: Limits) -> None:
    limits.check_length(rows, None)
    limits.check_unpacked(8 * rows * columns)


def is_number(arrow: Any, kind: Any) -> bool:
    return any(check(kind) for check in (arrow.types.is_integer, arrow.types.is_floating, arrow.types.is_timestamp))


def column(table: Any, name: str) -> np.ndarray:
    """Return a column as numbers, NaN where it has none; a time stamp becomes seconds."""
    values = table.column(name).to_numpy()
    if values.dtype.kind == "M":
        return (values - values[0]).astype("timedelta64[ns]").astype(np.float64) / 1e9
    return values.astype(np.float64)


def decode(metadata: dict[bytes, bytes] | None) -> dict[str, str]:
    return {name.decode(errors="replace"): text.decode(errors="replace") for name, text in (metadata or {}).items()}
