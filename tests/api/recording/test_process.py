import asyncio
import json
import os
import signal

import numpy as np
import pytest

from api.recording.process import WorkerEndedError, WorkerNotStartedError
from api.recording.protocol import READY
from tests.tools.workers import FIELDS, npy, run

pytestmark = pytest.mark.processes


@pytest.fixture
def recording(noise):
    return [("noise.npy", npy(noise.standard_normal(24_000)))]


def test_it_responds_to_one_request_after_the_other(recording):
    async def scenario(worker):
        return [await worker.diagnose(FIELDS, recording) for _ in range(3)]

    responses = run(scenario)
    assert [response.status for response in responses] == [200] * 3
    assert json.loads(responses[0].body)["prediction"] == "Unknown"
    assert responses[0] == responses[2]


def test_killed_it_is_replaced_before_the_next_request(recording):
    async def scenario(worker):
        await worker.diagnose(FIELDS, recording)
        os.kill(worker.process.pid, signal.SIGKILL)
        with pytest.raises(WorkerEndedError):
            await worker.diagnose(FIELDS, recording)
        return await worker.diagnose(FIELDS, recording)

    assert run(scenario).status == 200


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_stops_the_service_leaves_it_at_work(recording, sent):
    async def scenario(worker):
        await worker.wait_until_ready()
        os.kill(worker.process.pid, signal.SIGSTOP)
        response = asyncio.create_task(worker.diagnose(FIELDS, recording))
        await asyncio.sleep(0)
        os.kill(worker.process.pid, sent)
        os.kill(worker.process.pid, signal.SIGCONT)
        return await response

    assert run(scenario).status == 200


def test_too_slow_for_its_request_it_is_stopped_and_replaced(recording):
    async def scenario(worker):
        await worker.diagnose(FIELDS, recording)
        first = worker.process
        os.kill(first.pid, signal.SIGSTOP)  # it never responds
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await worker.diagnose(FIELDS, recording)
        return first.returncode, await worker.diagnose(FIELDS, recording)

    code, response = run(scenario)
    assert code == -signal.SIGKILL
    assert response.status == 200


def test_the_response_to_a_cancelled_request_goes_to_no_other(recording):
    async def scenario(worker):
        await worker.diagnose(FIELDS, recording)
        os.kill(worker.process.pid, signal.SIGSTOP)
        cancelled = asyncio.create_task(worker.diagnose(FIELDS, recording))
        await asyncio.sleep(0)
        os.kill(worker.process.pid, signal.SIGCONT)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        return await worker.diagnose(FIELDS | {"rpm": 1_234.0}, recording)

    assert json.loads(run(scenario).body)["recording"]["rpm"] == 1_234


HEADS = {"no JSON": "'what'", "too long": "'x' * 2**21", "cut short": repr('{"status": 200, "size": 9, "log": ""}'),
         "another status": repr('{"status": 302, "size": 0, "log": ""}')}  # fmt: skip


@pytest.mark.parametrize("kind", HEADS)
def test_a_worker_that_breaks_the_protocol_is_replaced(recording, kind):
    async def scenario(worker):
        command, program = worker.command, f"import sys; sys.stdout.write({READY.decode()!r}); print({HEADS[kind]})"
        await worker.stop()
        worker.command = [command[0], "-c", program]
        with pytest.raises(WorkerEndedError):
            await worker.diagnose(FIELDS, recording)
        await worker.stop()
        worker.command = command
        return await worker.diagnose(FIELDS, recording)

    assert run(scenario).status == 200


def test_one_that_cannot_start_says_so(tmp_path):
    (tmp_path / "diagnosis.json").write_text("{")

    async def scenario(worker):
        for _ in range(2):
            with pytest.raises(WorkerNotStartedError):
                await worker.diagnose(FIELDS, [("a.npy", npy(np.zeros(9)))])

    run(scenario, diagnosis=str(tmp_path / "diagnosis.json"))


def test_where_no_process_can_be_made_it_says_so_and_the_next_request_starts_one(monkeypatch, caplog, recording):
    def fail(*_, **__):
        raise BlockingIOError("Resource temporarily unavailable")

    async def scenario(worker):
        await worker.stop()
        with monkeypatch.context() as no_memory:
            no_memory.setattr(asyncio, "create_subprocess_exec", fail)
            with pytest.raises(WorkerNotStartedError):
                await worker.diagnose(FIELDS, recording)
        return await worker.diagnose(FIELDS, recording)

    assert run(scenario).status == 200
    assert "temporarily unavailable" in caplog.text


def test_a_fault_of_the_workers_own_is_a_500_and_in_the_log(caplog, recording):
    async def scenario(worker):
        return await worker.diagnose({"what": "no field"}, recording), await worker.diagnose(FIELDS, recording)

    faulty, sound = run(scenario)
    assert (faulty.status, sound.status) == (500, 200)
    assert "Extra inputs are not permitted" in caplog.text


def test_a_request_that_cannot_be_written_ends_no_worker(recording):
    async def scenario(worker):
        first = worker.process
        with pytest.raises(ValueError, match="surrogates not allowed"):
            await worker.diagnose(FIELDS, [("\ud800.npy", recording[0][1])])
        return (await worker.diagnose(FIELDS, recording)).status, worker.process is first

    assert run(scenario) == (200, True)
