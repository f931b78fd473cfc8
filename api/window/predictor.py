"""The served diagnosis: raw windows in, probabilities out, by the backend that was asked for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from api.window.backends import BACKENDS, read_facts

BATCH = 32  # windows computed at once: more fall out of the processor's cache and are slower each


class Predictor:
    """Answer raw windows with probabilities, and know the contract of the model that does it."""

    def __init__(self, folder: Path, backend: str = "onnx", threads: int = 1, spread: Callable = map) -> None:
        """Load the model in folder; spread is a `map` that may compute its items at the same time.

        threads are those of one call of the backend. Raises FileNotFoundError or ValueError in words.
        """
        require_model(folder)
        if backend not in BACKENDS:
            raise ValueError(f"BACKEND is {backend!r}, expected one of {', '.join(BACKENDS)}")
        self.facts = read_facts(folder)
        self.window_length: int = self.facts["window_length"]
        self.least_variation: float = self.facts["least_variation"]
        self.sampling_rate: float | None = self.facts["sampling_rate"]
        self.band_limit: float | None = self.facts["band_limit"]
        self.classes: list[str] = self.facts["classes"]
        self.trained_on: dict = self.facts["trained_on"]
        self.spread = spread
        self.backend = BACKENDS[backend](folder, threads)

    def predict(self, windows: np.ndarray) -> np.ndarray:
        """Return probabilities float32 (batch, classes) for raw windows float32 (batch, window_length)."""
        if len(windows) <= BATCH:
            return self.backend(windows)
        batches = [windows[start : start + BATCH] for start in range(0, len(windows), BATCH)]
        return np.concatenate(list(self.spread(self.backend, batches)))


def require_model(folder: Path) -> None:
    """Raise FileNotFoundError, in words, where there is no model in folder."""
    if not (folder / "model.onnx").is_file():
        raise FileNotFoundError(
            f"no model at {folder / 'model.onnx'}: run `dvc repro service`, or set ASSETS to the folder with it"
        )
