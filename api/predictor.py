"""The served diagnosis: one ONNX graph from raw windows to probabilities."""

import json
from pathlib import Path

import numpy as np
import onnxruntime

LARGEST_BATCH = 256
PROVIDERS = {"CUDAExecutionProvider": "gpu", "CPUExecutionProvider": "cpu"}  # the first that is there is taken


class Predictor:
    """Answer raw windows with probabilities, and know the contract of the graph that does it."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load model.onnx from folder, onto a GPU where ONNX Runtime has one. Raises FileNotFoundError in words."""
        path = folder / "model.onnx"
        if not path.is_file():
            raise FileNotFoundError(f"no model at {path}: run `dvc repro service`, or set ASSETS to the folder with it")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        providers = [provider for provider in PROVIDERS if provider in onnxruntime.get_available_providers()]
        self.session = onnxruntime.InferenceSession(path, options, providers)
        facts = self.session.get_modelmeta().custom_metadata_map
        self.window_length: int = json.loads(facts["window_length"])
        self.least_variation: float = json.loads(facts["least_variation"])
        self.sampling_rate: float | None = json.loads(facts["sampling_rate"])
        self.band_limit: float | None = json.loads(facts["band_limit"])
        self.classes: list[str] = json.loads(facts["classes"])
        self.trained_on: dict = json.loads(facts["trained_on"])
        self.device = PROVIDERS[self.session.get_providers()[0]]

    def predict(self, windows: np.ndarray) -> np.ndarray:
        """Return probabilities float32 (batch, classes) for raw windows float32 (batch, window_length)."""
        batches = range(0, len(windows), LARGEST_BATCH)
        return np.concatenate([self.predict_batch(windows[start : start + LARGEST_BATCH]) for start in batches])

    def predict_batch(self, windows: np.ndarray) -> np.ndarray:
        return self.session.run(["probabilities"], {"windows": windows})[0]
