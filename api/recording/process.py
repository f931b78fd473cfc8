"""A worker process as the service sees it: started warm, given one request at a time, replaced when it ends."""

import asyncio
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from api.recording.protocol import MAX_LINE, READY, File, Purpose, Response, ResponseHead, WorkerLimits, write_request

MODULE = "api.recording.worker"
ROOT = Path(__file__).resolve().parent.parent.parent
INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

log = logging.getLogger("uvicorn.error")


class WorkerEndedError(Exception):
    """The worker ended before it responded: it was over its limits, or a parser crashed."""


class WorkerNotStartedError(Exception):
    """No process could be made, or it ended before it was ready; the log says why."""


class WorkerProcess:
    """One worker. It has no time-out of its own: whoever awaits a response cancels it at the request's deadline."""

    def __init__(self, limits: WorkerLimits) -> None:
        self.command = [sys.executable, "-m", MODULE, limits.model_dump_json()]
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process, which becomes ready by itself. Raises WorkerNotStartedError."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}  # and no secret
        try:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=ROOT,
                env=inherited | ONE_THREAD,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=MAX_LINE,
            )
        except OSError as error:  # the machine has no memory, process or file descriptor left
            log.error("no worker for recordings can be started: %s", error)
            raise WorkerNotStartedError(str(error)) from error
        self.is_ready = False

    async def wait_until_ready(self) -> None:
        """Return once the worker can take requests. Raises WorkerNotStartedError where it ends instead."""
        if not self.is_ready:
            if await self.process.stdout.readline() != READY:
                raise WorkerNotStartedError(f"{' '.join(self.command[:3])} ended before it was ready")
            self.is_ready = True

    async def diagnose(self, fields: dict[str, Any], files: list[File], purpose: Purpose = None) -> Response:
        """Return the worker's response to one request.

        Raises WorkerEndedError or WorkerNotStartedError. After these and after a cancellation the next request gets a
        new process: half a response may be left in the pipe of this one.
        """
        request = write_request(
            fields, files, purpose
        )  # not in the try: what cannot be written is no fault of the worker
        try:
            if self.process is None or self.process.returncode is not None:
                await self.start()
            await self.wait_until_ready()
            return await self.exchange(request)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            await self.stop()
            log.warning("a worker for recordings ended with %s: %s", self.process.returncode, error)
            await self.start()  # now, so that it is warm for the next request
            raise WorkerEndedError from error
        except BaseException:
            await self.stop()
            raise

    async def exchange(self, request: list[bytes]) -> Response:
        for part in request:
            self.process.stdin.write(part)
        await self.process.stdin.drain()
        head = ResponseHead.model_validate_json(await self.process.stdout.readuntil(b"\n"))
        if head.log:
            log.error("a recording was not diagnosed:\n%s", head.log)
        return Response(head.status, await self.process.stdout.readexactly(head.size))

    async def stop(self) -> None:
        """Kill the process, and read what it has written: asyncio waits for the end of its output too."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.kill()
        with suppress(RuntimeError):  # the task of a request still reads
            await self.process.stdout.read()
        await self.process.wait()
