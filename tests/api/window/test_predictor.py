import numpy as np
import pytest

from api.window.predictor import BATCH, Predictor
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def predictor():
    return Predictor(ROOT / "assets")


def test_a_record_alone_is_answered_as_in_any_batch(predictor, noise):
    windows = noise.standard_normal((BATCH + 7, 2048)).astype(np.float32)
    together = predictor.predict(windows)
    assert together.shape == (BATCH + 7, 4)
    for size in (1, 2, 3, 8, 50):
        np.testing.assert_allclose(predictor.predict(windows[:size]), together[:size], atol=1e-6)
    np.testing.assert_allclose(predictor.predict(windows[-1:]), together[-1:], atol=1e-6)


def test_it_knows_its_contract(predictor):
    assert predictor.classes == ["Ball", "InnerRace", "Normal", "OuterRace"]
    assert (predictor.window_length, predictor.sampling_rate, predictor.band_limit) == (2048, 12_000, 5_000)
    assert predictor.backend.device in ("cpu", "gpu")
