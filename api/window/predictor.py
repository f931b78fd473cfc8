"""The served diagnosis of windows: raw windows in, probabilities out, by the backend of the setting."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from api.window.backends import BACKENDS, read_facts

BATCH = 32  # windows in one call of the backend: more do not fit the processor's cache, and each takes longer


class Predictor:
    """Answers raw windows with probabilities, and holds what the model says of itself."""

    def __init__(self, folder: Path, backend: str = "onnx", threads: int = 1, parallel_map: Callable = map) -> None:
        """Load the model in folder; parallel_map is a `map` that may compute its items at the same time.

        threads are those of one call of the backend. Raises ValueError or RuntimeError, whose
        messages are written for whoever starts the service.
        """
        if backend not in BACKENDS:
            raise ValueError(f"BACKEND is {backend!r}, expected one of {', '.join(BACKENDS)}")
        self.facts = read_facts(folder)
        self.window_length: int = self.facts["window_length"]
        self.least_variation: float = self.facts["least_variation"]
        self.sampling_rate: float | None = self.facts["sampling_rate"]
        self.band_limit: float | None = self.facts["band_limit"]
        self.classes: list[str] = self.facts["classes"]
        self.trained_on: dict = self.facts["trained_on"]
        self.parallel_map = parallel_map
        self.backend = BACKENDS[backend](folder, threads)

    def predict(self, windows: np.ndarray) -> np.ndarray:
        """Return probabilities float32 (batch, classes) for raw windows float32 (batch, window_length)."""
        if len(windows) <= BATCH:
            return self.backend(windows)
        batches = [windows[start : start + BATCH] for start in range(0, len(windows), BATCH)]
        return np.concatenate(list(self.parallel_map(self.backend, batches)))
