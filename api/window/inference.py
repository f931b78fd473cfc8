"""The step that /batch_predict/ and /v2/ share: records become probabilities, and the metrics learn of it."""

from time import perf_counter
from typing import NamedTuple

import numpy as np

from api.serving.metrics import Metrics
from api.window.drift import Drift
from api.window.predictor import Predictor


class Inference(NamedTuple):
    """A predictor with the metrics and the drift that every prediction is entered in."""

    predictor: Predictor
    metrics: Metrics
    drift: Drift

    def predict(self, records: np.ndarray, path: str) -> np.ndarray:
        """Return probabilities float32 (records, classes) for checked records float32 (records, window_length).

        path is the path under which the predictions are counted.
        """
        start = perf_counter()
        probabilities = self.predictor.predict(records)
        self.metrics.time("network", perf_counter() - start)
        self.metrics.batch.observe(len(records))
        self.drift.watch(records)
        self.metrics.count(path, self.predictor.classes, probabilities.argmax(axis=1))
        return probabilities
