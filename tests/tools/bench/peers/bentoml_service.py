"""The served network behind BentoML with its defaults: `bentoml serve bentoml_service:Bearing`.

It runs in an environment of its own. BentoML names what a body holds, so the body is
{"items": [{"record": [...]}, ...]}.
"""

import os

import bentoml
import numpy as np
import onnxruntime
from pydantic import BaseModel


class Item(BaseModel):
    record: list[float]


@bentoml.service
class Bearing:
    def __init__(self) -> None:
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], providers=["CPUExecutionProvider"])
        self.classes = os.environ["CLASSES"].split(",")

    @bentoml.api(route="/batch_predict/")
    def batch_predict(self, items: list[Item]) -> list[dict[str, float]]:
        records = np.array([item.record for item in items], np.float32)
        probabilities = self.session.run(["probabilities"], {"windows": records})[0]
        return [dict(zip(self.classes, row, strict=True)) for row in probabilities.tolist()]
