"""Worker processes for tests."""

import asyncio
import io

import numpy as np

from api.recording.pool import worker_limits
from api.recording.process import WorkerProcess
from api.settings import Settings
from tests.conftest import ROOT

FIELDS = {"sampling_rate": 12_000.0, "rpm": 1_750.0}
LONGEST = 1_999_993  # samples: a prime, of all lengths the one whose Fourier transform takes the most memory
MEMORY = Settings().diagnoser_memory


def npy(samples) -> bytes:
    body = io.BytesIO()
    np.save(body, samples)
    return body.getvalue()


def run(scenario, **limits):
    """Run a scenario with a worker of its own, limited as the service's unless told otherwise."""

    async def whole():
        usual = worker_limits(ROOT / "assets" / "diagnosis.json", Settings())
        worker = WorkerProcess(usual.model_copy(update=limits))
        await worker.start()
        try:
            return await scenario(worker)
        finally:
            await worker.stop()

    return asyncio.run(whole())
