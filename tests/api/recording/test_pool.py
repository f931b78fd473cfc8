import asyncio
import os
import signal

from tests.api.recording.uploads import machine, npy, post


def test_where_too_many_wait_the_next_is_told_to_come_again(client, monkeypatch):
    workers = client.app.state.recording_workers
    monkeypatch.setattr(workers, "waiting", workers.max_waiting)
    answer = post(client, npy(machine("OuterRace")))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


def test_where_no_worker_can_be_started_the_client_is_told_to_come_again(client, monkeypatch):
    def fail(*_, **__):
        raise BlockingIOError("Resource temporarily unavailable")

    with monkeypatch.context() as no_memory:
        no_memory.setattr(asyncio, "create_subprocess_exec", fail)
        for worker in client.app.state.recording_workers.workers:
            os.kill(worker.process.pid, signal.SIGKILL)
        answer = post(client, npy(machine("OuterRace")))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert post(client, npy(machine("OuterRace"))).status_code == 200
