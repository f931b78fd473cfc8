import asyncio
import json
import os
from pathlib import Path

import numpy as np
import pytest

from api.recording.process import WorkerEndedError
from tests.tools.workers import FIELDS, LONGEST, MEMORY, npy, run

pytestmark = pytest.mark.processes


def test_memory_is_limited(noise):
    async def scenario(worker):
        large = [("large.npy", npy(noise.standard_normal(LONGEST).astype(np.float32)))]
        small = [("small.npy", npy(noise.standard_normal(24_000)))]
        return await worker.diagnose(FIELDS, large), await worker.diagnose(FIELDS, small)

    large, small = run(scenario, memory=40 * 2**20)
    assert large.status == 422
    assert "more memory" in json.loads(large.body)["detail"][0]["msg"]
    assert small.status == 200


def test_computing_is_limited(noise):
    async def scenario(worker):
        long = [("long.npy", npy(noise.standard_normal(LONGEST)))]
        with pytest.raises(WorkerEndedError):
            await worker.diagnose(FIELDS, long * 6)

    run(scenario, seconds=0.3, memory=2**30)


def test_computing_is_limited_anew_for_each_request(noise):
    recording = [("noise.npy", npy(noise.standard_normal(24_000)))]

    async def scenario(worker):
        first = worker.process
        while cpu_seconds(first.pid) < 3:
            assert (await worker.diagnose(FIELDS, recording)).status == 200
        return first is worker.process

    assert run(scenario, seconds=0.5)


def cpu_seconds(process):
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(("limit", "words"), [("samples", "at most 1,000"), ("unpacked", "1,000 bytes when unpacked")])
def test_a_file_is_limited(noise, limit, words):
    async def scenario(worker):
        return await worker.diagnose(FIELDS, [("a.npy", npy(noise.standard_normal(24_000)))])

    response = run(scenario, **{limit: 1_000})
    assert response.status == 422
    assert words in json.loads(response.body)["detail"][0]["msg"]


def test_it_has_no_secret_and_writes_no_file(monkeypatch):
    monkeypatch.setenv("API_KEY", "secret")

    async def scenario(worker):
        pid = worker.process.pid
        await worker.diagnose(FIELDS, [("a.npy", npy(np.zeros(20_000)))])
        return Path(f"/proc/{pid}/environ").read_bytes(), Path(f"/proc/{pid}/limits").read_text()

    environment, bounds = run(scenario)
    assert b"secret" not in environment
    assert "Max file size             0 " in bounds
    assert "Max core file size        0 " in bounds


def test_it_ends_with_the_service():
    async def scenario(worker):
        worker.process.stdin.close()
        return await asyncio.wait_for(worker.process.wait(), 10)

    assert run(scenario) == 0


def test_the_longest_recording_fits_whatever_its_length(noise):
    async def scenario(worker):
        return [
            await worker.diagnose(FIELDS | {"sampling_rate": rate}, [("a.npy", npy(noise.standard_normal(LONGEST)))])
            for rate in (12_000.0, 192_000.0)
        ]

    assert [response.status for response in run(scenario, memory=MEMORY)] == [200, 200]
