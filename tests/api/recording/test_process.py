import asyncio
import io
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from api.recording.pool import MEMORY
from api.recording.process import Child, DiedError, NotStartedError
from tests.conftest import ROOT

FIELDS = {"sampling_rate": 12_000.0, "rpm": 1_750.0}


def limits(**others):
    return {"diagnosis": str(ROOT / "assets" / "diagnosis.json"), "memory": MEMORY, "seconds": 10} | others


def npy(samples):
    body = io.BytesIO()
    np.save(body, samples)
    return body.getvalue()


def run(scenario, **others):
    """Run a scenario with a child of its own."""

    async def whole():
        child = Child("api.recording.worker", limits(**others))
        await child.start()
        try:
            return await scenario(child)
        finally:
            await child.stop()

    return asyncio.run(whole())


@pytest.fixture
def recording(noise):
    return [("noise.npy", npy(noise.standard_normal(24_000)))]


def test_it_answers_one_question_after_the_other(recording):
    async def scenario(child):
        return [await child.ask(FIELDS, recording) for _ in range(3)], child.process.pid

    answers, _ = run(scenario)
    assert [status for status, _ in answers] == [200] * 3
    assert json.loads(answers[0][1])["prediction"] == "Unknown"
    assert answers[0][1] == answers[2][1]


def test_killed_it_is_replaced_at_the_next_question(recording):
    async def scenario(child):
        await child.ask(FIELDS, recording)
        os.kill(child.process.pid, signal.SIGKILL)
        with pytest.raises(DiedError):
            await child.ask(FIELDS, recording)
        return await child.ask(FIELDS, recording)

    assert run(scenario)[0] == 200


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_what_stops_the_service_leaves_it_at_work(noise, sent):
    async def scenario(child):
        await child.wait_until_ready()
        asking = asyncio.create_task(child.ask(FIELDS, [("long.npy", npy(noise.standard_normal(1_999_993)))]))
        await asyncio.sleep(0.1)
        assert not asking.done()
        os.kill(child.process.pid, sent)
        return await asking

    assert run(scenario)[0] == 200


def test_too_slow_it_is_stopped_and_replaced(recording):
    async def scenario(child):
        await child.ask(FIELDS, recording)
        first = child.process
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1e-3):
                await child.ask(FIELDS, recording)
        return first.returncode, await child.ask(FIELDS, recording)

    code, (status, _) = run(scenario)
    assert code == -signal.SIGKILL
    assert status == 200


def test_one_whose_asker_went_away_gives_nobody_else_that_answer(recording):
    async def scenario(child):
        await child.ask(FIELDS, recording)
        asking = asyncio.create_task(child.ask(FIELDS, recording))
        await asyncio.sleep(0.002)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return await child.ask(FIELDS | {"rpm": 1_234.0}, recording)

    assert json.loads(run(scenario)[1])["recording"]["rpm"] == 1_234


def test_memory_is_limited(recording, noise):
    async def scenario(child):
        large = [("large.npy", npy(noise.standard_normal(1_999_993).astype(np.float32)))]
        return await child.ask(FIELDS, large), await child.ask(FIELDS, recording)

    (status, answer), (next_status, _) = run(scenario, memory=40 * 2**20)
    assert status == 422
    assert "more memory" in json.loads(answer)["detail"][0]["msg"]
    assert next_status == 200


def test_computing_is_limited(noise):
    async def scenario(child):
        long = [("long.npy", npy(noise.standard_normal(1_999_993)))]
        with pytest.raises(DiedError):
            await child.ask(FIELDS, long * 6)

    run(scenario, seconds=0.3, memory=2**30)


def test_computing_is_limited_anew_for_each_question(recording):
    async def scenario(child):
        first = child.process
        while cpu_seconds(first.pid) < 3:
            assert (await child.ask(FIELDS, recording))[0] == 200
        return first is child.process

    assert run(scenario, seconds=0.5)


def cpu_seconds(process):
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def test_it_has_no_secret_and_writes_no_file(monkeypatch, tmp_path):
    monkeypatch.setenv("API_KEY", "secret")

    async def scenario(child):
        pid = child.process.pid
        await child.ask(FIELDS, [("a.npy", npy(np.zeros(20_000)))])
        return Path(f"/proc/{pid}/environ").read_bytes(), Path(f"/proc/{pid}/limits").read_text()

    environment, bounds = run(scenario)
    assert b"secret" not in environment
    assert "Max file size             0 " in bounds
    assert "Max core file size        0 " in bounds


def test_one_that_cannot_start_says_so(tmp_path):
    (tmp_path / "diagnosis.json").write_text("{")

    async def scenario(child):
        for _ in range(2):
            with pytest.raises(NotStartedError):
                await child.ask(FIELDS, [("a.npy", npy(np.zeros(9)))])

    run(scenario, diagnosis=str(tmp_path / "diagnosis.json"))


def test_where_no_process_can_be_made_it_says_so_and_the_next_question_finds_one(monkeypatch, caplog, recording):
    def fail(*_, **__):
        raise BlockingIOError("Resource temporarily unavailable")

    async def scenario(child):
        await child.stop()
        with monkeypatch.context() as no_memory:
            no_memory.setattr(asyncio, "create_subprocess_exec", fail)
            with pytest.raises(NotStartedError):
                await child.ask(FIELDS, recording)
        return await child.ask(FIELDS, recording)

    assert run(scenario)[0] == 200
    assert "temporarily unavailable" in caplog.text


def test_a_fault_of_its_own_is_a_500_and_in_the_log(caplog, recording):
    async def scenario(child):
        return await child.ask({"what": "no field"}, recording), await child.ask(FIELDS, recording)

    (status, _), (next_status, _) = run(scenario)
    assert (status, next_status) == (500, 200)
    assert "Extra inputs are not permitted" in caplog.text


def test_its_parent_gone_it_ends():
    async def scenario(child):
        child.process.stdin.close()
        return await asyncio.wait_for(child.process.wait(), 10)

    assert run(scenario) == 0


def test_the_longest_recording_fits_whatever_its_length(noise):
    # 1,999,993 is prime: of all lengths the one whose Fourier transform takes the most memory.
    async def scenario(child):
        return [
            await child.ask(FIELDS | {"sampling_rate": rate}, [("a.npy", npy(noise.standard_normal(1_999_993)))])
            for rate in (12_000.0, 192_000.0)
        ]

    assert [status for status, _ in run(scenario, memory=MEMORY)] == [200, 200]
