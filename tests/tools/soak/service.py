"""The service under test: a real process on a free port, and what Linux says of its memory and descriptors."""

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pipeline.service import free_port, wait_until_ready
from tests.conftest import ROOT, environment
from tests.tools.soak.bodies import ask_for

MB = 1_000_000
PLAIN, BARE = ("api",), ("uvicorn", "api.api:app", "--port", "{port}", "--no-access-log")


class Service(NamedTuple):
    port: int
    process: subprocess.Popen
    log: Path


@contextmanager
def serving(command: Sequence[str] = PLAIN, **extra: str) -> Iterator[Service]:
    """Run the service on a free port with more settings, its log in a temporary folder, and stop it in the end."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "service.log"
        process = start(port, log, command, **extra)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", process, log, timeout=60)
            yield Service(port, process, log)
        finally:
            process.terminate()
            process.wait(timeout=30)


def start(port: int, log: Path, command: Sequence[str] = PLAIN, **extra: str) -> subprocess.Popen:
    with log.open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *(part.format(port=port) for part in command)],
            cwd=ROOT, env=environment(HOST="127.0.0.1", PORT=str(port), **extra),
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip


def is_ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(ask_for("/health/ready"))
            return connection.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def look_at(process: int, pages: str = "Pss") -> tuple[float, int]:
    """Return the memory of the service and its children in MB, shared pages counted once, and their descriptors.

    pages: "Pss" counts all, "Pss_Anon" none of files: their share rises when another program that maps them ends.
    """
    group = [process, *children(process)]
    descriptors = sum(len(os.listdir(f"/proc/{member}/fd")) for member in group)  # noqa: PTH208
    return sum(megabytes_of(member, pages) for member in group), descriptors


def megabytes_of(process: int, pages: str = "Pss") -> float:
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(re.search(rf"^{pages}:\s+(\d+)", rollup, re.MULTILINE)[1]) * 1024 / MB
