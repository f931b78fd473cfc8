"""A warm child process that answers one question at a time, and is replaced when it dies or takes too long."""

import asyncio
import json
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

READY = b"ready\n"
ROOT = Path(__file__).resolve().parent.parent.parent
INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


log = logging.getLogger("uvicorn.error")


class DiedError(Exception):
    """The child ended before it answered: it was over its limits, or a parser crashed."""


class NotStartedError(Exception):
    """No process could be made, or it ended before it was ready for questions; why, the log says."""


class Child:
    """`python -m module LIMITS` behind pipes; api.recording.worker tells what goes through them."""

    def __init__(self, module: str, limits: dict[str, Any]) -> None:
        self.command = [sys.executable, "-m", module, json.dumps(limits)]
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process; it becomes ready by itself, whoever asks meanwhile waits for it.

        Raises NotStartedError.
        """
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}  # and no secret
        try:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=ROOT,
                env=inherited | ONE_THREAD,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=2**20,
            )
        except OSError as error:  # the machine has no memory, process or file descriptor left
            log.error("no child that diagnoses uploads can be started: %s", error)
            raise NotStartedError(str(error)) from error
        self.is_ready = False

    async def wait_until_ready(self) -> None:
        """Raise NotStartedError where the process ends instead."""
        if not self.is_ready:
            if await self.process.stdout.readline() != READY:
                raise NotStartedError(f"{' '.join(self.command[:3])} ended before it was ready")
            self.is_ready = True

    async def ask(self, fields: dict, files: list[tuple[str, bytes]]) -> tuple[int, bytes]:
        """Return HTTP status and JSON. Raises DiedError or NotStartedError; the next question finds a new process then,
        also where this one was cancelled."""
        try:
            if self.process is None or self.process.returncode is not None:
                await self.start()
            await self.wait_until_ready()
            return await self.exchange(fields, files)
        except BaseException as error:  # half an answer may be in the pipe
            await self.stop()
            if isinstance(error, (ConnectionError, asyncio.IncompleteReadError)):
                log.warning("a child that diagnoses uploads ended with %s", self.process.returncode)
                await self.start()  # now, so that it is warm when somebody asks
                raise DiedError from error
            raise

    async def exchange(self, fields: dict, files: list[tuple[str, bytes]]) -> tuple[int, bytes]:
        question = {"fields": fields, "files": [{"name": name, "size": len(content)} for name, content in files]}
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        for _, content in files:
            self.process.stdin.write(content)
        await self.process.stdin.drain()
        answer = json.loads(await self.process.stdout.readuntil(b"\n"))
        if answer["log"]:
            log.error("a recording was not diagnosed:\n%s", answer["log"])
        return answer["status"], await self.process.stdout.readexactly(answer["size"])

    async def stop(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
