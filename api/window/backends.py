"""The two programs that compute the network: ONNX Runtime, and PyTorch from the exported state_dict."""

import json
from pathlib import Path

import numpy as np
import onnxruntime

PROVIDERS = {"CUDAExecutionProvider": "gpu", "CPUExecutionProvider": "cpu"}  # in order of preference

OPTIONS = {"CUDAExecutionProvider": {"use_tf32": "0"}}  # TF32's 10 bits of mantissa would give other answers


class OnnxBackend:
    """Computes probabilities with ONNX Runtime, on a GPU where the installed package supports one."""

    name = "onnx"

    def __init__(self, folder: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        available = onnxruntime.get_available_providers()
        providers = [(provider, OPTIONS.get(provider, {})) for provider in PROVIDERS if provider in available]
        self.session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers)
        self.device = PROVIDERS[self.session.get_providers()[0]]

    def __call__(self, windows: np.ndarray) -> np.ndarray:
        """Return probabilities float32 (batch, classes) for raw windows float32 (batch, window_length)."""
        return self.session.run(["probabilities"], {"windows": windows})[0]


class TorchBackend:
    """Computes the same probabilities with PyTorch, on a GPU where there is one."""

    name = "torch"

    def __init__(self, folder: Path, threads: int) -> None:
        try:
            import torch

            from model.window.front_end import FrontEnd
            from model.window.wide_kernel import WideKernelCNN
        except ImportError as error:
            raise RuntimeError(f"BACKEND=torch needs PyTorch and the repository's folder model/: {error}") from error
        facts = read_facts(folder)
        network = WideKernelCNN(facts["window_length"], len(facts["classes"]), **facts["network"])
        network.load_state_dict(torch.load(folder / "state_dict.pt", weights_only=True))
        front_end = FrontEnd(facts["band_limit"], facts["sampling_rate"], facts["taps"])
        torch.set_num_threads(threads)
        torch.backends.cudnn.allow_tf32 = False  # TF32's 10 bits of mantissa would give other answers
        self.torch = torch
        self.device = "gpu" if torch.cuda.is_available() else "cpu"
        self.torch_device = "cuda" if self.device == "gpu" else "cpu"
        self.diagnosis = torch.nn.Sequential(front_end, network, torch.nn.Softmax(dim=-1)).eval().to(self.torch_device)

    def __call__(self, windows: np.ndarray) -> np.ndarray:
        """Return probabilities float32 (batch, classes) for raw windows float32 (batch, window_length)."""
        with self.torch.inference_mode():
            return self.diagnosis(self.torch.tensor(windows, device=self.torch_device)).cpu().numpy()


BACKENDS = {backend.name: backend for backend in (OnnxBackend, TorchBackend)}


def read_facts(folder: Path) -> dict:
    """Return the metadata of the exported graph: the form of its input, its classes, what it was trained on."""
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    return {name: json.loads(fact) for name, fact in session.get_modelmeta().custom_metadata_map.items()}
