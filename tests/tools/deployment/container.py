"""Runs an image's command with a limit of memory, as an engine would."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

import requests

from pipeline.service import free_port, wait_until_ready
from tests.tools.deployment.dockerfile import Image

MOST_MEMORY = 512 * 10**6  # bytes, Render's free plan; Docker's 512m is 5 % more
READY_WITHIN = 60  # s


class MemoryLimit(Thread):
    """Watches what a process group has in memory, shared pages counted once, and kills it where that is too much.

    A limit of address space would be another thing: libraries reserve far more of it than they ever touch.
    """

    def __init__(self, group: int, most: int) -> None:
        super().__init__(daemon=True)
        self.group, self.most, self.peak, self.over, self.ended = group, most, 0, False, Event()

    def run(self) -> None:
        while not self.ended.wait(0.02):
            self.peak = max(self.peak, self.now())
            if self.peak > self.most:
                self.over = True
                os.killpg(self.group, signal.SIGKILL)
                return

    def now(self) -> int:
        return sum(proportional_memory(process) for process in self.processes())

    def processes(self) -> list[Path]:
        return [path for path in Path("/proc").iterdir() if path.name.isdecimal() and group_of(path) == self.group]


def group_of(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(") ")[2].split()[2])
    except (OSError, IndexError):  # it has ended meanwhile
        return None


def proportional_memory(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


class Container(NamedTuple):
    url: str
    process: subprocess.Popen
    memory: MemoryLimit
    seconds: float  # from start to ready
    environment: dict[str, str]


@contextmanager
def limited(most: int, command: list[str], **options) -> Iterator[tuple[subprocess.Popen, MemoryLimit]]:
    process = subprocess.Popen(command, start_new_session=True, **options)
    memory = MemoryLimit(process.pid, most)
    memory.start()
    try:
        yield process, memory
    finally:
        memory.ended.set()
        memory.join()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=60)


@contextmanager
def started(image: Image, **extra: str) -> Iterator[Container]:
    """Run CMD as `docker run -e ... -p` would: with nothing of this environment, and as USER where that is possible."""
    port = free_port()
    whole = image.whole_environment() | {"PORT": str(port)} | extra
    log = image.root.parent / f"service-{port}.log"
    start = time.monotonic()
    with log.open("w") as output:
        options = {"cwd": image.path("."), "env": whole, "stdout": output, "stderr": output}
        with limited(MOST_MEMORY, as_user(image), **options) as (process, memory):
            wait_until_ready(f"http://127.0.0.1:{port}", process, log, READY_WITHIN)
            yield Container(f"http://127.0.0.1:{port}", process, memory, time.monotonic() - start, whole)


def can_be_another() -> bool:
    return os.geteuid() == 0 and shutil.which("setpriv") is not None


def as_user(image: Image) -> list[str]:
    """Return CMD with the rights of USER where root runs this test, and the right to read Python in root's home."""
    if not can_be_another():
        return image.command
    user, group = image.user.split(":")
    rights = [f"--{kind}=-all,+dac_read_search" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *rights, *image.command]


def files_below(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in paths}


def named_lock(url: str) -> str:
    """Return what the header X-Model says of dvc.lock."""
    header = requests.get(f"{url}/health/live", timeout=60).headers["X-Model"]
    return dict(part.split("=") for part in header.split(", "))["dvc_lock"]
