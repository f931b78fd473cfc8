"""The worker processes that diagnose uploads, and how many uploads may wait for one of them."""

import asyncio
from pathlib import Path
from time import perf_counter

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError

from api.recording.fields import Fields
from api.recording.process import WorkerEndedError, WorkerNotStartedError, WorkerProcess
from api.recording.protocol import File, Purpose, Response, WorkerLimits
from api.serving.metrics import Metrics
from api.settings import Settings


class WorkerPool:
    """Worker processes that each diagnose one upload at a time; where too many uploads wait, the next is refused."""

    def __init__(self, diagnosis: Path, settings: Settings, metrics: Metrics) -> None:
        self.limits = worker_limits(diagnosis, settings)
        self.max_waiting = settings.max_waiting_uploads
        self.workers = [WorkerProcess(self.limits) for _ in range(settings.diagnosers)]
        self.idle: asyncio.Queue[WorkerProcess] = asyncio.Queue()
        self.waiting = 0  # uploads without a response
        self.metrics = metrics

    async def start(self) -> None:
        """Return when all workers are ready. Raises WorkerNotStartedError."""
        for worker in self.workers:
            await worker.start()
        for worker in self.workers:
            await worker.wait_until_ready()
            self.idle.put_nowait(worker)

    async def stop(self) -> None:
        for worker in self.workers:
            await worker.stop()

    async def diagnose(self, fields: Fields, files: list[File], purpose: Purpose = None) -> Response:
        """Return a worker's response. Raises HTTPException or RequestValidationError where there is none."""
        if self.waiting >= self.max_waiting:
            raise busy()
        self.waiting += 1
        try:
            return await self.diagnose_with_idle_worker(fields, files, purpose)
        except WorkerEndedError as error:
            raise refuse("file", describe_end(self.limits)) from error
        except WorkerNotStartedError as error:
            words = "no recording can be diagnosed now; the service's log says why"
            raise HTTPException(503, words, {"Retry-After": "5"}) from error
        finally:
            self.waiting -= 1

    async def diagnose_with_idle_worker(
        self, fields: Fields, files: list[File], purpose: Purpose
    ) -> Response:  # fmt: skip
        start = perf_counter()
        worker = await self.idle.get()
        begin = perf_counter()
        self.metrics.time("queue", begin - start)
        try:
            return await worker.diagnose(fields.model_dump(exclude_unset=True), files, purpose)
        finally:
            self.idle.put_nowait(worker)
            self.metrics.time("diagnose", perf_counter() - begin)


def worker_limits(diagnosis: Path, settings: Settings) -> WorkerLimits:
    """Return what a worker may take and read; diagnosis is the path of diagnosis.json."""
    return WorkerLimits(
        diagnosis=str(diagnosis.resolve()),
        bearings=str(settings.bearings.resolve()) if settings.bearings else "",
        memory=settings.diagnoser_memory,
        seconds=settings.diagnoser_seconds,
        samples=settings.max_samples,
        unpacked=settings.max_unpacked,
    )


def describe_end(limits: WorkerLimits) -> str:
    """Return what a client is told whose recording ended its worker."""
    most = f"{limits.seconds:g} s of computing or {limits.memory // 2**20} MB"
    return f"reading the file broke off: it is damaged or takes more than {most}"


def refuse(field: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": "recording", "loc": ["body", field], "msg": message, "input": None}])


def busy() -> HTTPException:
    return HTTPException(503, "too many recordings at once: try again", headers={"Retry-After": "1"})
