import sys

import numpy as np
import pytest

from api.window.predictor import Predictor
from pipeline.export import simulated_records
from tests.conftest import ROOT

ASSETS = ROOT / "assets"


@pytest.fixture(scope="module")
def windows():
    noise = np.random.default_rng(5)
    made_up = noise.standard_normal((300, 2048)) * 10.0 ** noise.integers(-20, 20, (300, 1)) + 1
    return np.concatenate([simulated_records(2048), made_up]).astype(np.float32)


@pytest.mark.parametrize("folder", [ASSETS, ASSETS / "reference"])
def test_both_backends_give_the_same_answers(folder, windows):
    onnx = Predictor(folder, "onnx").predict(windows)
    torch = Predictor(folder, "torch").predict(windows)
    np.testing.assert_allclose(onnx, torch, atol=1e-5)
    np.testing.assert_array_equal(onnx.argmax(axis=1), torch.argmax(axis=1))


def test_an_unknown_backend_is_named():
    with pytest.raises(ValueError, match="BACKEND is 'tensorrt', expected one of onnx, torch"):
        Predictor(ASSETS, "tensorrt")


def test_without_pytorch_the_setting_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(RuntimeError, match="BACKEND=torch needs PyTorch"):
        Predictor(ASSETS, "torch")
