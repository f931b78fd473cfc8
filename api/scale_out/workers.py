"""The workers that diagnose an archive: processes of this machine, or actors of a Ray cluster."""

import asyncio
import json
import os
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from hashlib import sha256
from queue import SimpleQueue
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from api.recording.fields import Fields
from api.recording.pool import describe_end, worker_limits
from api.recording.process import ROOT, WorkerEndedError, WorkerNotStartedError, WorkerProcess
from api.recording.protocol import PointHead, WorkerLimits
from api.scale_out.code import RUNTIME_ENV
from api.scale_out.places import Place
from api.scale_out.tables import PART, TOLD
from api.settings import available_cores, settings

MODEL = ROOT / "assets" / "diagnosis.json"
POINT = PointHead(unit="", sampling_rate=None, rpm=None, diagnose=True)  # of a watched recording
MOST_AT_ONCE = 64  # recordings that a worker takes, and that become one part
PARTS_A_WORKER = 8


class Worker:
    """Diagnoses chunks of recordings, one file after the other, in a process that a damaged file may end."""

    def __init__(self, source: str, limits: WorkerLimits, max_upload: int) -> None:
        """Limits and max_upload (bytes) are those of the run; only the model's path is this machine's own."""
        self.files, _ = Place(source).open()
        self.limits, self.max_upload = limits.model_copy(update={"diagnosis": str(MODEL)}), max_upload
        self.runner, self.process = asyncio.Runner(), WorkerProcess(self.limits)

    def __call__(self, chunk: pa.Table) -> pa.Table:
        return pa.Table.from_pylist([self.make_row(**file) for file in chunk.to_pylist()], PART)

    def make_row(self, recording: str, path: str, size: int, key: str, fields: str, watched: bool) -> dict[str, Any]:
        row = {"recording": recording, "key": key}
        try:
            return row | self.diagnose(path, size, fields, watched)
        except (OSError, WorkerNotStartedError) as error:
            return row | {"error": f"{recording} cannot be read now: {error}", "key": ""}  # the next run tries again
        except WorkerEndedError:
            return row | {"error": describe_end(self.limits)}

    def diagnose(self, path: str, size: int, fields: str, watched: bool) -> dict[str, Any]:
        if size > self.max_upload:
            return {"error": f"the file has {size:,} bytes, expected {self.max_upload:,} at most"}
        try:
            stated = Fields(**json.loads(fields), series=False)
        except ValidationError as error:
            return {"error": read_invalid(error)}
        with self.files.open_input_stream(path, compression=None) as file:
            content = file.read()
        given, files = stated.model_dump(exclude_unset=True), [(path.rpartition("/")[2], content)]
        response = self.runner.run(self.process.diagnose(given, files, POINT if watched else None))
        answer = json.loads(response.body)
        if response.status != 200:
            return {"error": read_mistakes(answer)}
        return describe_measured(answer, content) if watched else describe(answer)

    def close(self) -> None:
        self.runner.run(self.process.stop())
        self.runner.close()


def describe(answer: dict[str, Any]) -> dict[str, Any]:
    row = {name: answer[name] for name in ("prediction", "reason", "familiarity", "warnings")}
    told = {name: answer["recording"][name] for name, _ in TOLD}
    windows = [window | window["probabilities"] for window in answer["windows"]]
    return row | answer["probabilities"] | told | {"agreement": answer["agreement"]["verdict"], "windows": windows}


def describe_measured(answer: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Return the row of a recording for the store: what is kept of it, beside its diagnosis if it has one."""
    kept = {"sha256": sha256(content).digest(), "indicators": b64decode(answer["kept"])}
    kept |= {"healthy": b64decode(answer["healthy"])} if answer["healthy"] else {}
    return kept | (describe(answer["diagnosis"]) if answer["diagnosis"] else {"error": answer["why_none"]})


def read_mistakes(answer: dict[str, Any]) -> str:
    detail = answer["detail"]
    return detail if isinstance(detail, str) else "; ".join(mistake["msg"] for mistake in detail)


def read_invalid(error: ValidationError) -> str:
    return "; ".join(f"{mistake['loc'][0]}: {mistake['msg']}" for mistake in error.errors())


def split(recordings: list[dict[str, Any]], workers: int) -> list[pa.Table]:
    """Return chunks so small that all workers end at about the same time and a kill loses little."""
    size = min(MOST_AT_ONCE, max(1, len(recordings) // (workers * PARTS_A_WORKER)))
    return [pa.Table.from_pylist(recordings[i : i + size]) for i in range(0, len(recordings), size)]


def diagnose_here(source: str, chunks: list[pa.Table], workers: int) -> Iterator[pa.Table]:
    """Yield the rows of each chunk as it is done; the threads only wait for the workers' processes."""
    crew = [Worker(source, worker_limits(MODEL, settings), settings.max_upload) for _ in range(workers)]
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
    """Yield the rows of each chunk from actors of a Ray cluster, whose machines get this code and the model."""
    if address == "local":
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # read at import: keeps every port off the network
    import ray

    machines: dict[str, Any] = {"runtime_env": RUNTIME_ENV}
    here = {"include_dashboard": False, "num_cpus": max(workers, available_cores())}
    ray.init(address, log_to_driver=False, logging_level="WARNING", **here if address == "local" else machines)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        crew = ray.data.ActorPoolStrategy(size=workers)
        given = (source, worker_limits(MODEL, settings), settings.max_upload)
        rows = ray.data.from_arrow(chunks).map_batches(
            Worker, fn_constructor_args=given, compute=crew, batch_size=None, batch_format="pyarrow"
        )
        yield from rows.iter_batches(batch_size=None, batch_format="pyarrow")
    finally:
        ray.shutdown()
