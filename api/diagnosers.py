"""The children that diagnose uploads, how many may wait for them, and how much may lie here meanwhile."""

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError

from api.child import Child, DiedError, NotStartedError
from api.fields import Fields

MOST_BYTES = int(os.environ.get("MAX_UPLOAD", "32000000"))
FORM_BYTES = 100_000  # what may surround the files in a form
MOST_BUFFERED = 3 * MOST_BYTES  # of all uploads together
MOST_WAITING = 8  # whole uploads
MEMORY = 256 * 2**20  # bytes that a child may take beyond its imports
COMPUTING = 10  # s of processor time
TIMEOUT = 60.0  # s for an answer, the wait for others included


class Diagnosers:
    """The children that answer, each one question at a time; whoever finds too many before him is told at once."""

    def __init__(self, diagnosis: Path, number: int) -> None:
        limits = {"diagnosis": str(diagnosis.resolve()), "memory": MEMORY, "seconds": COMPUTING}
        self.children = [Child("api.diagnoser", limits) for _ in range(number)]
        self.idle: asyncio.Queue[Child] = asyncio.Queue()
        self.waiting = 0
        self.buffered = 0

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
            async with asyncio.timeout(TIMEOUT):
                return await self.ask_first_idle(fields, files)
        except DiedError as error:
            limits = f"{COMPUTING} s of computing or {MEMORY // 2**20} MB"
            raise refuse("file", f"reading the file broke off: it is damaged or takes more than {limits}") from error
        except NotStartedError as error:
            raise HTTPException(503, "no recording can be diagnosed now; the service's log says why") from error
        except TimeoutError as error:
            raise busy() from error
        finally:
            self.waiting -= 1

    async def ask_first_idle(self, fields: Fields, files: list[tuple[str, bytes]]) -> tuple[int, bytes]:
        child = await self.idle.get()
        try:
            return await child.ask(fields.model_dump(exclude_unset=True), files)
        finally:
            self.idle.put_nowait(child)

    async def buffer(self, request: Request) -> AsyncGenerator[bytes]:
        """Yield the body's parts. Raises HTTPException for one that is too large, or where all together are."""
        announced, came = request.headers.get("content-length", ""), 0
        if announced.isdecimal() and int(announced) > MOST_BYTES + FORM_BYTES:
            raise too_large()
        async for chunk in request.stream():
            came += len(chunk)
            request.state.buffered = came
            self.buffered += len(chunk)
            if came > MOST_BYTES + FORM_BYTES:
                raise too_large()
            if self.buffered > MOST_BUFFERED:
                raise busy()
            yield chunk


def refuse(field: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": "recording", "loc": ["body", field], "msg": message, "input": None}])


def too_large() -> HTTPException:
    return HTTPException(413, f"the upload is too large, expected {MOST_BYTES:,} bytes at most")


def busy() -> HTTPException:
    return HTTPException(503, "too many recordings at once: try again", headers={"Retry-After": "1"})
