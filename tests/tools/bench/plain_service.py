"""The service as a beginner would write it: pydantic items, torch.tensor of lists, z-score, network, softmax.

It is the baseline of every ratio in the bench: one process, default settings, the network of the reference protocol and
so no band limit.
"""

import json
import time
from pathlib import Path

import torch
from fastapi import FastAPI
from pydantic import BaseModel

from model.window.wide_kernel import WideKernelCNN

ARTEFACTS = Path(__file__).resolve().parents[3] / "assets" / "reference"

network = WideKernelCNN(2048, 4, channels=5, kernel_length=100, pool_length=50)
network.load_state_dict(torch.load(ARTEFACTS / "state_dict.pt", weights_only=True))
network.eval()
decoder = json.loads((ARTEFACTS / "decoder.json").read_text())
app = FastAPI()


class Item(BaseModel):
    record: list[float]


@app.post("/batch_predict/")
async def batch_predict(items: list[Item]) -> dict:
    start = time.perf_counter()
    records = torch.tensor([item.record for item in items])
    records = (records - records.mean(dim=1, keepdim=True)) / records.std(dim=1, keepdim=True)
    with torch.no_grad():
        probabilities = network(records).softmax(dim=1)
    analysis = [
        {
            "Prediction": decoder[str(int(row.argmax()))],
            "Probabilities": {decoder[str(number)]: float(value) for number, value in enumerate(row)},
        }
        for row in probabilities
    ]
    return {"Analysis": analysis, "Execution Time": 1000 * (time.perf_counter() - start)}


@app.get("/health/ready")
async def ready() -> dict:
    return {"status": "ready"}
