"""The tables of an archive: parts, written as recordings are diagnosed, and the two tables made of them."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from api.scale_out.places import Place
from model.recording.classes import CLASSES

ANSWER = [("prediction", pa.string()), *((name, pa.float64()) for name in CLASSES), ("familiarity", pa.float64())]
WINDOW = [("start", pa.float64()), *ANSWER]
TOLD = [("rpm", pa.float64()), ("sampling_rate", pa.float64()), ("seconds", pa.float64()), ("channel", pa.string())]
NOTES = [("reason", pa.string()), ("agreement", pa.string()), *TOLD, ("warnings", pa.list_(pa.string()))]
RECORDING = pa.schema([("recording", pa.string()), *ANSWER, *NOTES, ("error", pa.string())])
WINDOWS = pa.schema([("recording", pa.string()), *WINDOW])
KEPT = [("sha256", pa.binary()), ("indicators", pa.binary()), ("healthy", pa.binary())]  # for the store of machines
PART = pa.schema([*RECORDING, ("windows", pa.list_(pa.struct(WINDOW))), *KEPT, ("key", pa.string())])


def read_parts(out: Place) -> dict[str, pa.Table]:
    """Return {path: recording and key of every row} of all parts; a file that is not whole is deleted."""
    files, _ = Place(f"{out.url}/parts").open()
    found = {}
    for file in Place(f"{out.url}/parts").list((".parquet",), needed=False):
        try:
            found[file.path] = pq.read_table(file.path, columns=["recording", "key"], filesystem=files)
        except pa.ArrowInvalid:
            files.delete_file(file.path)
    return found


def write(table: pa.Table, out: Place, name: str) -> None:
    """Write the table under another name, then move it: a file of this name is whole, also after a kill."""
    files, folder = out.open()
    path = f"{folder}/{name}"
    files.create_dir(path.rpartition("/")[0])
    with files.open_output_stream(f"{path}.unfinished") as stream:
        pq.write_table(table, stream)
    files.move(f"{path}.unfinished", path)


def put_together(out: Place, current: dict[str, str]) -> pa.Table:
    """Write both tables from the parts' rows, delete the parts that are not needed, and return the rows.

    current is {recording: key} of what the archive holds now. A row without a key, of a recording that could not be
    read, counts only where no other row of that recording does.
    """
    parts = read_parts(out)
    files, _ = out.open()
    left, tables = dict(current), []
    for is_wanted in (lambda name, key: key == left.get(name), lambda name, key: not key and name in left):
        for path, rows in parts.items():
            mask = [is_wanted(*row.values()) and left.pop(row["recording"]) is not None for row in rows.to_pylist()]
            if any(mask):
                tables.append((path, pq.read_table(path, schema=PART, filesystem=files).filter(pa.array(mask))))
    for path in parts.keys() - {path for path, _ in tables}:
        files.delete_file(path)
    rows = pa.concat_tables([PART.empty_table(), *(table for _, table in tables)]).sort_by("recording").combine_chunks()
    recordings, lists = rows.select(RECORDING.names), rows["windows"].combine_chunks()
    flat = pa.Table.from_struct_array(lists.flatten())
    names = rows["recording"].take(pc.list_parent_indices(lists))
    write(flat.add_column(0, "recording", names).cast(WINDOWS), out, "windows.parquet")
    write(recordings, out, "recordings.parquet")
    return rows.drop_columns("windows")
