import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

# Before the app is imported: its store is the tests' own.
os.environ["DATABASE_URL"] = f"sqlite:///{tempfile.mkdtemp(prefix='machines-')}/machines.sqlite"

from api.api import app
from pipeline import params
from pipeline.catalogue import read_catalogue
from pipeline.service import free_port, wait_until_ready

atexit.register(shutil.rmtree, os.environ["DATABASE_URL"].removeprefix("sqlite:///").rpartition("/")[0])
ROOT = Path(__file__).resolve().parent.parent
POPULATION = params.load("simulate")["population"]  # of machines to simulate
LONGEST = (
    "test_pipeline.py",
    "test_own_rig.py",
    "test_memory.py",
    "test_fuzz.py",
)  # files, which begin first


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin first, each on a core: the last of them decides how long the gate takes."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while modules and tests are collected: they stay, and looking took a third of the time."""
    gc.disable()
    yield
    gc.freeze()  # nor look through them later
    gc.enable()


@pytest.fixture
def noise() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def catalogue():
    return read_catalogue(ROOT / "data" / "catalogue.csv")


def folder_of(variable: str) -> Path:
    """Return the folder with recordings that a variable names. Skips the test, and says so, where there is none."""
    folder = os.environ.get(variable, "")
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"REAL RECORDINGS SKIPPED: {variable} is {folder!r}, expected a folder that holds them")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The recordings of CWRU."""
    return folder_of("CWRU_MIRROR")


@pytest.fixture(scope="session")
def rig() -> Path:
    """The recordings of MFPT, another rig."""
    return folder_of("MFPT_MIRROR")


@pytest.fixture(scope="session")
def rigs() -> Path:
    """The folder around hit_mfs, ims and femto: rigs that nothing is fitted to."""
    return folder_of("RIGS_MIRROR")


@pytest.fixture(scope="session")
def client():
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def copy_repository(tmp_path_factory):
    """Return a function that makes a fresh clone: the files that git knows, in a repository of their own."""

    def copy() -> Path:
        folder = tmp_path_factory.mktemp("clone")
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        return folder

    return copy


def environment(**extra: str) -> dict[str, str]:
    """The environment of a started program: this interpreter is `python`, this checkout is not on its path."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "CWRU_MIRROR")}
    inherited["LOG_REQUESTS"] = "false"  # most tests do not look at the log
    inherited["DATABASE_URL"] = "none"  # nor at machines
    return inherited | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"} | extra


@contextmanager
def running(folder: Path, root: Path = ROOT, **extra: str) -> Iterator[str]:
    """Run the service, from the working tree unless told, on a free port, its log in a folder, and yield its URL."""
    port, log = free_port(), folder / "service.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "api"], cwd=root, stdout=output, stderr=subprocess.STDOUT,
            env=environment(HOST="127.0.0.1", PORT=str(port), **extra),
        )  # fmt: skip
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process, log, timeout=60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Return when a condition holds; it is an error where it does not in the given time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.05)
