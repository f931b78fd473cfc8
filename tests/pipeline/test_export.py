import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from model.window.front_end import FrontEnd
from model.window.wide_kernel import WideKernelCNN
from pipeline.export import largest_difference, simulated_records, to_onnx
from tests.conftest import ROOT

ASSETS = ROOT / "assets"


@pytest.fixture(scope="module")
def diagnosis():
    torch.manual_seed(0)
    network = WideKernelCNN(512, 3, channels=5, kernel_length=100, pool_length=50)
    return nn.Sequential(FrontEnd(5000, 12_000, 101), network, nn.Softmax(dim=-1)).eval()


@pytest.fixture(scope="module")
def graph(diagnosis):
    return to_onnx(diagnosis, 512)


@pytest.mark.parametrize("batch", [1, 2, 3, 64, 200])
def test_the_graph_equals_torch_for_any_batch(diagnosis, graph, noise, batch):
    windows = (noise.standard_normal((batch, 512)) * 3 + 1).astype(np.float32)
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    with torch.inference_mode():
        expected = diagnosis(torch.from_numpy(windows)).numpy()
    np.testing.assert_allclose(session.run(None, {"windows": windows})[0], expected, atol=1e-6)
    assert largest_difference(diagnosis, graph, windows) < 1e-6


def test_a_difference_is_found(diagnosis, graph, noise):
    other = nn.Sequential(FrontEnd(), *diagnosis[1:])
    assert largest_difference(other, graph, noise.standard_normal((700, 512)).astype(np.float32)) > 1e-3


def test_nothing_in_the_graph_tells_where_it_was_made(graph):
    content = graph.SerializeToString()
    assert str(ROOT).encode() not in content
    assert b"site-packages" not in content
    assert b".py" not in content


def test_the_simulated_records_are_always_the_same_and_vary():
    records = simulated_records(2048)
    assert records.shape == (4, 2048)
    np.testing.assert_array_equal(records, simulated_records(2048))
    assert (np.ptp(records, axis=1) > 1).all()


def test_the_simulated_outer_race_is_struck_at_its_rate():
    record = simulated_records(2048)[1]
    energy = np.convolve(record**2, np.ones(9), "same")
    correlation = np.correlate(energy - energy.mean(), energy - energy.mean(), "full")[2048:2248]
    spacing = 12_000 / (1_750 / 60 * 3.5848)
    assert int(correlation[60:170].argmax()) + 61 == pytest.approx(spacing, abs=2)


@pytest.mark.parametrize(
    ("folder", "sampling_rate", "band_limit"), [(ASSETS, 12_000, 5_000), (ASSETS / "reference", None, None)]
)
def test_the_committed_graph_says_what_a_service_has_to_know(folder, sampling_rate, band_limit):
    facts = {entry.key: json.loads(entry.value) for entry in onnx.load(folder / "model.onnx").metadata_props}
    decoder = json.loads((folder / "decoder.json").read_text())
    assert decoder == {"0": "Ball", "1": "InnerRace", "2": "Normal", "3": "OuterRace"}
    assert facts["classes"] == list(decoder.values())
    assert (facts["window_length"], facts["sampling_rate"], facts["band_limit"]) == (2048, sampling_rate, band_limit)
    assert facts["trained_on"]["recordings"] == 64


def test_the_committed_state_dict_is_the_network_in_the_committed_graph():
    network = WideKernelCNN(2048, 4, channels=5, kernel_length=100, pool_length=50)
    network.load_state_dict(torch.load(ASSETS / "state_dict.pt", weights_only=True))
    diagnosis = nn.Sequential(FrontEnd(5000, 12_000, 101), network, nn.Softmax(dim=-1)).eval()
    assert largest_difference(diagnosis, onnx.load(ASSETS / "model.onnx"), simulated_records(2048)) < 1e-5
