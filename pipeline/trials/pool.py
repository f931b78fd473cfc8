"""The processes that share a stage's jobs: one a core, one thread each."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any

import joblib
from tqdm import tqdm


def run_jobs(work: Callable[..., Any], jobs: list[tuple]) -> dict[tuple, Any]:
    """Return {job: work(*job)}, computed by one process a core in the order of jobs; the first failure ends them all.

    A forked child of a process in which torch has computed can hang, so the processes are spawned. On one core this
    process computes: another one would load the libraries once more.
    """
    cores = joblib.cpu_count()
    if cores == 1:
        return {job: work(*job) for job in tqdm(jobs, **PROGRESS)}
    processes = ProcessPoolExecutor(cores, mp_context=get_context("spawn"), initializer=prepare_process)
    try:
        with one_thread():
            futures = {processes.submit(work, *job): job for job in jobs}  # spawns the processes
        return {futures[future]: future.result() for future in tqdm(as_completed(futures), **PROGRESS, total=len(jobs))}
    finally:
        processes.shutdown(cancel_futures=True)


PROGRESS = {"desc": "jobs", "unit": "job", "disable": None}


@contextmanager
def one_thread() -> Iterator[None]:
    """Let the libraries of processes that are spawned meanwhile compute with one thread, which they read when loaded.

    Else those of one process wait in turn for the cores of the others: trials took four times as long.
    """
    before = dict(os.environ)
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def prepare_process() -> None:
    """Make a process of the pool ready: it shows no progress of its own, and it ends with a parent that was killed."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    os.environ["TQDM_DISABLE"] = "1"


def end_with_parent() -> None:
    parent_process().join()
    os._exit(1)
