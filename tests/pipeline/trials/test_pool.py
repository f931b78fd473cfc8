import os
import time

import pytest
from threadpoolctl import threadpool_info

from pipeline.trials.pool import run_jobs


def work(number: int) -> tuple[int, int]:
    import torch  # here: each process of the other tests would load it as well, for nothing

    threads = [library["num_threads"] for library in threadpool_info()]  # of BLAS and OpenMP
    return number**2, max(torch.get_num_threads(), *threads)


def fail(number: int) -> None:
    if number == 0:
        raise ValueError("job 0 failed")
    time.sleep(0.1)


def test_every_job_is_answered_by_a_process_with_one_thread():
    assert run_jobs(work, [(2,), (3,)]) == {(2,): (4, 1), (3,): (9, 1)}


def test_on_one_core_no_other_process_loads_the_libraries(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert run_jobs(own_process, [(1,), (2,)]) == {(1,): os.getpid(), (2,): os.getpid()}


def own_process(number: int) -> int:
    return os.getpid()


def test_the_first_failure_ends_the_others():
    with pytest.raises(ValueError, match="job 0 failed"):
        run_jobs(fail, [(number,) for number in range(10_000)])
