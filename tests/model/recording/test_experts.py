import numpy as np
import pytest
import torch

from model.recording.experts import Head, head_odds, network_logits, network_odds
from pipeline.training.line_network import LineNetwork
from tests.model.recording.machines import random_features


def test_the_network_in_numpy_is_the_one_in_torch(noise):
    torch.manual_seed(0)
    network = LineNetwork(60, 4, hidden=64, pooled=32, head=48)
    features = random_features(noise)
    with torch.inference_mode():
        expected = network(torch.from_numpy(features.lines), torch.from_numpy(features.moments)).numpy()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    np.testing.assert_allclose(network_logits(weights, features), expected, atol=1e-5)


def test_no_expert_says_more_than_the_limit(diagnosis, thresholds, noise):
    features = random_features(noise)
    loud = features._replace(lines=100 * features.lines, spectrum=1_000 * features.spectrum)
    for odds in (
        network_odds(diagnosis.networks, loud, thresholds.experts),
        head_odds(diagnosis.heads, loud, thresholds.experts),
    ):
        for each in odds:
            assert np.abs(each).max() <= thresholds.experts.limit + 1e-6
        assert np.abs(odds.fault).max() == pytest.approx(thresholds.experts.limit)


def test_heads_of_a_decision_are_averaged(thresholds, noise):
    features = random_features(noise)
    weights = {"fault": [34], "ball": [34, 92], "outer": [34, 92]}
    heads = {
        name: [Head(np.zeros(length), number + 1.0) for number, length in enumerate(lengths)]
        for name, lengths in weights.items()
    }
    odds = head_odds(heads, features, thresholds.experts)
    assert (odds.fault == 1).all()
    assert (odds.ball == 1.5).all()
