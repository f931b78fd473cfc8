import time

import pytest
import torch

from pipeline.trials.pool import run_jobs


def work(number: int) -> tuple[int, int]:
    return number**2, torch.get_num_threads()


def fail(number: int) -> None:
    if number == 0:
        raise ValueError("job 0 failed")
    time.sleep(0.1)


def test_every_job_is_answered_by_a_process_with_one_thread():
    assert run_jobs(work, [(2,), (3,)]) == {(2,): (4, 1), (3,): (9, 1)}


def test_the_first_failure_ends_the_others():
    with pytest.raises(ValueError, match="job 0 failed"):
        run_jobs(fail, [(number,) for number in range(10_000)])
