"""The children that diagnose uploads, and how many uploads may wait for them."""

import asyncio
from pathlib import Path
from time import perf_counter

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError

from api.recording.fields import Fields
from api.recording.process import Child, DiedError, NotStartedError
from api.serving.metrics import Metrics
from api.settings import settings

MOST_BYTES = settings.max_upload
MOST_WAITING = 8  # whole uploads
MEMORY = 256 * 2**20  # bytes that a child may take beyond its imports
COMPUTING = 10  # s of processor time


class Diagnosers:
    """The children that answer, each one question at a time; whoever finds too many before him is told at once."""

    def __init__(self, diagnosis: Path, number: int, metrics: Metrics) -> None:
        limits = {"diagnosis": str(diagnosis.resolve()), "memory": MEMORY, "seconds": COMPUTING}
        self.children = [Child("api.recording.worker", limits) for _ in range(number)]
        self.idle: asyncio.Queue[Child] = asyncio.Queue()
        self.waiting = 0
        self.metrics = metrics

    async def start(self) -> None:
        """Return when all are ready. Raises NotStartedError."""
        for child in self.children:
            await child.start()
        for child in self.children:
            await child.wait_until_ready()
            self.idle.put_nowait(child)

    async def stop(self) -> None:
        for child in self.children:
            await child.stop()

    async def ask(self, fields: Fields, files: list[tuple[str, bytes]]) -> tuple[int, bytes]:
        """Return HTTP status and JSON. Raises HTTPException where the answer is not to be had now, or not at all."""
        if self.waiting >= MOST_WAITING:
            raise busy()
        self.waiting += 1
        try:
            return await self.ask_first_idle(fields, files)
        except DiedError as error:
            limits = f"{COMPUTING} s of computing or {MEMORY // 2**20} MB"
            raise refuse("file", f"reading the file broke off: it is damaged or takes more than {limits}") from error
        except NotStartedError as error:
            words = "no recording can be diagnosed now; the service's log says why"
            raise HTTPException(503, words, {"Retry-After": "5"}) from error
        finally:
            self.waiting -= 1

    async def ask_first_idle(self, fields: Fields, files: list[tuple[str, bytes]]) -> tuple[int, bytes]:
        came = perf_counter()
        child = await self.idle.get()
        found = perf_counter()
        self.metrics.time("queue", found - came)
        try:
            return await child.ask(fields.model_dump(exclude_unset=True), files)
        finally:
            self.idle.put_nowait(child)
            self.metrics.time("diagnose", perf_counter() - found)


def refuse(field: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": "recording", "loc": ["body", field], "msg": message, "input": None}])


def busy() -> HTTPException:
    return HTTPException(503, "too many recordings at once: try again", headers={"Retry-After": "1"})
