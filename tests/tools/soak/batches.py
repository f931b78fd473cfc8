"""One record gets one answer, whatever the batch."""

import asyncio
import json

import numpy as np
import uvloop

from tests.tools.bench.load import JSON, prepare
from tests.tools.soak.bodies import ask_for_npy, make_records, write_json
from tests.tools.soak.client import Client, connected
from tests.tools.soak.measured import Measured
from tests.tools.soak.service import serving


def compare_batches(most: int = 200) -> Measured:
    """A record alone gets what it gets in any batch of 1 to `most`, as JSON and as .npy, alone or from 16 clients."""
    records = make_records(most)
    with serving() as service:
        apart = uvloop.run(ask_in_batches(service.port, records))
    came = ", ".join(f"{name} {difference:.1e}" for name, difference in apart.items())
    asked = f"a record alone = in any batch of 1 to {most}: <= 1e-6"
    return Measured(asked, f"apart by at most: {came}", kept=max(apart.values()) <= 1e-6)


async def ask_in_batches(port: int, records: np.ndarray) -> dict[str, float]:
    async with connected(port) as client:
        texts = write_json(records)
        alone = np.concatenate([await predict(client, ask_for_npy(record[None])) for record in records])
        apart = {"JSON": 0.0, ".npy": 0.0}
        for count in range(1, len(records) + 1):
            as_json = prepare("/batch_predict/", JSON, b"[" + b",".join(texts[:count]) + b"]")
            for name, request in (("JSON", as_json), (".npy", ask_for_npy(records[-count:]))):
                found = await predict(client, request)
                expected = alone[:count] if name == "JSON" else alone[-count:]
                apart[name] = max(apart[name], float(np.abs(found - expected).max()))
    return apart | {"many clients": await ask_together(port, records, alone)}


async def ask_together(port: int, records: np.ndarray, alone: np.ndarray) -> float:
    """Return how far answers are from those alone where the service puts many clients' records into one batch."""

    async def ask(first: int) -> float:
        async with connected(port) as client:
            found = [await predict(client, ask_for_npy(record[None])) for record in records[first::16]]
        return float(np.abs(np.concatenate(found) - alone[first::16]).max()) if found else 0.0

    return max(await asyncio.gather(*(ask(first) for first in range(16))))


async def predict(client: Client, request: bytes) -> np.ndarray:
    """Return the probabilities (records, classes)."""
    answer = await client.ask(request)
    assert answer.status == 200, answer.body[:300]
    return np.array([list(analysis["Probabilities"].values()) for analysis in json.loads(answer.body)["Analysis"]])
