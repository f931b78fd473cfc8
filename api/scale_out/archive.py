"""`python -m api.scale_out.archive RECORDINGS --out FOLDER`: diagnose a folder or bucket of recordings into two tables.

No DVC stage: what it reads is somebody's archive. RECORDINGS and FOLDER are folders, or URLs that pyarrow knows (s3://,
gs://). Every file goes through a child process of the service's own, here or, with --ray, on the machines of a Ray
cluster, which must all see a folder under the same path. FOLDER gets recordings.parquet, a row a recording, and
windows.parquet, a row a window; its parts/ are what another run does not diagnose again. One run at a time.
"""

import argparse
import asyncio
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from pydantic import ValidationError
from tqdm import tqdm

from api.files.suffixes import SUFFIXES
from api.recording.fields import Fields
from api.recording.pool import describe_end, worker_limits
from api.recording.process import ROOT, WorkerEndedError, WorkerNotStartedError, WorkerProcess
from api.serving.provenance import hash_file
from api.settings import settings
from model.recording.classes import CLASSES
from pipeline import params
from pipeline.params import InputError

FIELDS = ("sampling_rate", "rpm", "bearing", "channel")
MODEL = ROOT / "assets" / "diagnosis.json"
LIMITS = worker_limits(MODEL, settings)
LEFT_OUT = [".?*", "/data", "/tests", "/build", "__pycache__"]  # what no machine of a cluster needs
MOST_BYTES = 32_000_000  # of a file, as the service takes them
MOST_AT_ONCE = 64  # recordings that a worker takes, and that become one part
PARTS_A_WORKER = 8
ANSWER = [("prediction", pa.string()), *((name, pa.float64()) for name in CLASSES), ("familiarity", pa.float64())]
WINDOW = [("start", pa.float64()), *ANSWER]
TOLD = [("rpm", pa.float64()), ("sampling_rate", pa.float64()), ("seconds", pa.float64()), ("channel", pa.string())]
NOTES = [("reason", pa.string()), ("agreement", pa.string()), *TOLD, ("warnings", pa.list_(pa.string()))]
RECORDING = pa.schema([("recording", pa.string()), *ANSWER, *NOTES, ("error", pa.string())])
WINDOWS = pa.schema([("recording", pa.string()), *WINDOW])
PART = pa.schema([*RECORDING, ("windows", pa.list_(pa.struct(WINDOW))), ("key", pa.string())])


class Place(NamedTuple):
    """A folder, here or in a bucket."""

    url: str

    def open(self) -> tuple[pafs.FileSystem, str]:
        """Return the file system and the folder's path in it. Raises InputError."""
        try:
            if "://" in self.url:
                return pafs.FileSystem.from_uri(self.url)
            return pafs.LocalFileSystem(), str(Path(self.url).absolute())
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{self.url} cannot be used: {error}") from error

    def list(self, suffixes: tuple[str, ...], needed: bool = True) -> list[pafs.FileInfo]:
        """Return the files in it, however deep, in order of their paths."""
        files, folder = self.open()
        try:
            found = files.get_file_info(pafs.FileSelector(folder, recursive=True, allow_not_found=not needed))
        except OSError as error:
            raise InputError(f"{self.url} cannot be read: {error}") from error
        return sorted(
            (file for file in found if file.is_file and file.path.lower().endswith(suffixes)),
            key=lambda file: file.path,
        )


class Worker:
    """Diagnoses chunks of recordings, one file after the other, in a child process that a damaged one may end."""

    def __init__(self, source: str) -> None:
        self.files, _ = Place(source).open()
        self.runner, self.process = asyncio.Runner(), WorkerProcess(LIMITS)

    def __call__(self, chunk: pa.Table) -> pa.Table:
        return pa.Table.from_pylist([self.make_row(**file) for file in chunk.to_pylist()], PART)

    def make_row(self, recording: str, path: str, size: int, key: str, fields: str) -> dict[str, Any]:
        row = {"recording": recording, "key": key}
        try:
            return row | self.diagnose(path, size, fields)
        except (OSError, WorkerNotStartedError) as error:
            return row | {"error": f"{recording} cannot be read now: {error}", "key": ""}  # the next run tries again
        except WorkerEndedError:
            return row | {"error": describe_end(LIMITS)}

    def diagnose(self, path: str, size: int, fields: str) -> dict[str, Any]:
        if size > MOST_BYTES:
            return {"error": f"the file has {size:,} bytes, expected {MOST_BYTES:,} at most"}
        try:
            stated = Fields(**json.loads(fields), series=False)
        except ValidationError as error:
            return {"error": read_invalid(error)}
        with self.files.open_input_stream(path, compression=None) as file:
            content = file.read()
        given, files = stated.model_dump(exclude_unset=True), [(path.rpartition("/")[2], content)]
        response = self.runner.run(self.process.diagnose(given, files))
        answer = json.loads(response.body)
        return describe(answer) if response.status == 200 else {"error": read_mistakes(answer)}

    def close(self) -> None:
        self.runner.run(self.process.stop())
        self.runner.close()


def describe(answer: dict[str, Any]) -> dict[str, Any]:
    row = {name: answer[name] for name in ("prediction", "reason", "familiarity", "warnings")}
    told = {name: answer["recording"][name] for name, _ in TOLD}
    windows = [window | window["probabilities"] for window in answer["windows"]]
    return row | answer["probabilities"] | told | {"agreement": answer["agreement"]["verdict"], "windows": windows}


def read_mistakes(answer: dict[str, Any]) -> str:
    detail = answer["detail"]
    return detail if isinstance(detail, str) else "; ".join(mistake["msg"] for mistake in detail)


def find_recordings(source: str, given: dict[str, Any], catalogue: dict[str, dict]) -> list[dict[str, Any]]:
    """Return name, path, size, fields and key of every recording; the key changes with file, fields and model."""
    model, (_, folder) = hash_file(MODEL), Place(source).open()
    found = []
    for file in Place(source).list(SUFFIXES):
        name = file.path.removeprefix(folder).lstrip("/")
        fields = json.dumps(given | catalogue.get(name, {}), sort_keys=True)
        facts = json.dumps([name, file.size, file.mtime_ns, model, fields])
        key = hashlib.sha256(facts.encode()).hexdigest()
        found.append({"recording": name, "path": file.path, "size": file.size, "key": key, "fields": fields})
    return found


def read_catalogue(path: str) -> dict[str, dict[str, str]]:
    """Return what a CSV file says of each file: columns of the names of FIELDS, beside the column `file`."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        names = [name for name in FIELDS if name in table]
        return {row["file"]: {name: row[name] for name in names if row[name]} for row in table.to_dict("records")}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"catalogue {path}: expected a CSV file with a column named file: {error!r}") from error


def split(recordings: list[dict[str, Any]], workers: int) -> list[pa.Table]:
    """Return chunks small enough that all workers end together and that little is lost where a run is killed."""
    size = min(MOST_AT_ONCE, max(1, len(recordings) // (workers * PARTS_A_WORKER)))
    return [pa.Table.from_pylist(recordings[i : i + size]) for i in range(0, len(recordings), size)]


def diagnose_here(source: str, chunks: list[pa.Table], workers: int) -> Iterator[pa.Table]:
    """Yield the chunks' rows as they come; the threads wait, the children of the workers compute."""
    crew = [Worker(source) for _ in range(workers)]
    idle: SimpleQueue[Worker] = SimpleQueue()
    for worker in crew:
        idle.put(worker)

    def diagnose(chunk: pa.Table) -> pa.Table:
        worker = idle.get()
        try:
            return worker(chunk)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(workers) as threads:
        try:
            for done in as_completed([threads.submit(diagnose, chunk) for chunk in chunks]):
                yield done.result()
        finally:
            threads.shutdown(cancel_futures=True)
            for worker in crew:
                worker.close()


def diagnose_on_ray(source: str, chunks: list[pa.Table], workers: int, address: str) -> Iterator[pa.Table]:
    """Yield the same from the actors of a Ray cluster, whose machines get this code and the model."""
    if address == "local":
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # read at import: keeps every port off the network
    import ray

    from api.scale_out.archive import (
        Worker,  # sent by this name, not as __main__'s: the model lies beside a machine's copy
    )

    machines: dict[str, Any] = {"runtime_env": {"working_dir": str(ROOT), "excludes": LEFT_OUT}}
    here = {"include_dashboard": False, "num_cpus": max(workers, len(os.sched_getaffinity(0)))}
    ray.init(address, log_to_driver=False, logging_level="WARNING", **here if address == "local" else machines)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        crew = ray.data.ActorPoolStrategy(size=workers)
        rows = ray.data.from_arrow(chunks).map_batches(
            Worker, fn_constructor_args=(source,), compute=crew, batch_size=None, batch_format="pyarrow"
        )
        yield from rows.iter_batches(batch_size=None, batch_format="pyarrow")
    finally:
        ray.shutdown()


def read_parts(out: Place) -> dict[str, pa.Table]:
    """Return recording and key of every row of every part; one that is not whole is none."""
    files, _ = Place(f"{out.url}/parts").open()
    found = {}
    for file in Place(f"{out.url}/parts").list((".parquet",), needed=False):
        try:
            found[file.path] = pq.read_table(file.path, columns=["recording", "key"], filesystem=files)
        except pa.ArrowInvalid:
            files.delete_file(file.path)
    return found


def write(table: pa.Table, out: Place, name: str) -> None:
    """Write under another name first: what bears this one is whole, also where the run is killed meanwhile."""
    files, folder = out.open()
    path = f"{folder}/{name}"
    files.create_dir(path.rpartition("/")[0])
    with files.open_output_stream(f"{path}.unfinished") as stream:
        pq.write_table(table, stream)
    files.move(f"{path}.unfinished", path)


def put_together(out: Place, current: dict[str, str]) -> pa.Table:
    """Write both tables from the parts' rows of what the archive holds now, drop other parts, return the recordings.

    A row without a key stands for a recording that could not be read, until one that could.
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
    return recordings


def main(*words: str) -> None:
    arguments = parse(words)
    out = Place(arguments.out)
    given = check({name: value for name in FIELDS if (value := getattr(arguments, name)) is not None})
    found = find_recordings(arguments.source, given, read_catalogue(arguments.catalogue) if arguments.catalogue else {})
    done = {key for rows in read_parts(out).values() for key in rows["key"].to_pylist()}
    chunks = split([recording for recording in found if recording["key"] not in done], arguments.workers)
    progress = tqdm(total=len(found), desc="archive", unit="recording", disable=None)
    progress.update(len(found) - sum(map(len, chunks)))
    if chunks and arguments.ray:
        parts = diagnose_on_ray(arguments.source, chunks, arguments.workers, arguments.ray)
    else:
        parts = diagnose_here(arguments.source, chunks, arguments.workers) if chunks else iter(())
    for part in parts:
        name = hashlib.sha256(json.dumps(part.select(["recording", "key"]).to_pylist()).encode()).hexdigest()
        write(part, out, f"parts/{name}.parquet")
        progress.update(len(part))
    progress.close()
    recordings = put_together(out, {recording["recording"]: recording["key"] for recording in found})
    counts = recordings["prediction"].value_counts().to_pylist()
    said = [f"{each['counts']} {each['values'] or 'not diagnosed, see the column error'}" for each in counts]
    print(f"{len(recordings)} recordings ({', '.join(said)}): tables in {arguments.out}")


def parse(words: tuple[str, ...]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m api.scale_out.archive", description=__doc__.partition("\n")[0])
    parser.add_argument("source", metavar="RECORDINGS", help=f"folder or URL; files that end in {', '.join(SUFFIXES)}")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="folder or URL of the tables")
    parser.add_argument("--catalogue", help="CSV file: file, and sampling_rate, rpm, ... where they differ")
    parser.add_argument("--sampling-rate", type=float, help="Hz, where the files do not say it")
    parser.add_argument("--rpm", type=float, help="turns a minute, where the files do not say it")
    parser.add_argument("--bearing", help="designation or geometry, as /diagnose/ takes it")
    parser.add_argument("--channel", help="which of several")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="one a core unless given")
    parser.add_argument("--ray", nargs="?", const="local", metavar="ADDRESS", help="a cluster's, or one started here")
    return parser.parse_args(words)


def check(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was given for all recordings. Raises InputError where it, or the model, is not to be used."""
    if not MODEL.is_file():
        raise InputError(f"{MODEL} is missing: run `dvc repro diagnosis`")
    try:
        Fields(**given)
    except ValidationError as error:
        raise InputError(read_invalid(error)) from error
    return given


def read_invalid(error: ValidationError) -> str:
    return "; ".join(f"{mistake['loc'][0]}: {mistake['msg']}" for mistake in error.errors())


if __name__ == "__main__":
    params.run_stage(main)
