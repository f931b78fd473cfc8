"""The whole chain on the real recordings: `dvc repro service` in a fresh clone."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

from api.window.predictor import Predictor
from tests.conftest import ROOT, environment
from tests.tools.chain import assert_identical, reproduce

pytestmark = pytest.mark.timeout(1500)  # s: a chain takes minutes beside other programs


def test_recordings_that_cannot_be_had_stop_the_chain_in_words(copy_repository):
    repository = copy_repository()
    params = yaml.safe_load((repository / "params.yaml").read_text())
    params["download"]["sources"] = ["nowhere"]
    (repository / "params.yaml").write_text(yaml.safe_dump(params))
    answer = subprocess.run(
        ["dvc", "repro", "service"], cwd=repository, env=environment(), capture_output=True, text=True
    )
    assert answer.returncode != 0
    assert "download: 64 of 64 recordings could not be had" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert (repository / "assets" / "model.onnx").is_file()


@pytest.fixture(scope="module")
def cwru(copy_repository, mirror) -> Path:
    repository = copy_repository()
    reproduce(repository, CWRU_MIRROR=str(mirror))
    return repository


def test_the_real_recordings_are_diagnosed(cwru):
    metrics = json.loads((cwru / "assets" / "metrics.json").read_text())
    for scores in metrics.values():
        assert scores["accuracy"] > 0.999
        assert scores["balanced_accuracy"] > 0.999
    assert json.loads((cwru / "assets" / "service.json").read_text())["accuracy"] == metrics["holdout"]["accuracy"]


def test_the_excerpts_are_named_wherever_a_figure_is(cwru):
    manifest = json.loads((cwru / "data" / "recordings" / "manifest.json").read_text())
    excerpts = [recording for recording, entry in manifest.items() if entry["variant"] == "excerpt"]
    assert excerpts in ([], ["98", "99", "100"])
    card = (cwru / "assets" / "model_card.md").read_text()
    assert ("98, 99, 100 could not be had" in card) == bool(excerpts)


@pytest.mark.soak
def test_two_clones_make_the_same_bytes(cwru, copy_repository, mirror):
    """In the gate, test_own_rig.py says so of a clone that is killed twice."""
    repository = copy_repository()
    reproduce(repository, CWRU_MIRROR=str(mirror))
    assert_identical(cwru, repository)


def test_the_committed_artefacts_are_those_of_this_pipeline(cwru):
    """Bytes may differ on another type of machine; scores and answers may not."""
    excerpts = [(folder / "assets" / "model_card.md").read_text().splitlines()[5] for folder in (cwru, ROOT)]
    if excerpts[0] != excerpts[1]:
        pytest.skip("other recordings were had than those behind the committed artefacts")
    fresh = json.loads((cwru / "assets" / "metrics.json").read_text())
    assert fresh == json.loads((ROOT / "assets" / "metrics.json").read_text())
    answers = [json.loads((folder / "assets" / "example_answer.json").read_text()) for folder in (cwru, ROOT)]
    for one, other in zip(*(answer["Analysis"] for answer in answers), strict=True):
        assert one["Probabilities"] == pytest.approx(other["Probabilities"], abs=0.01)


def test_both_backends_agree_on_every_window(cwru):
    windows = np.load(cwru / "data" / "windows" / "resampled" / "windows.npy")
    onnx, torch = (Predictor(cwru / "assets", backend).predict(windows) for backend in ("onnx", "torch"))
    np.testing.assert_allclose(onnx, torch, atol=1e-5)
    np.testing.assert_array_equal(onnx.argmax(axis=1), torch.argmax(axis=1))


def test_dvc_shows_the_metrics_and_the_plots(cwru):
    metrics = subprocess.run(
        ["dvc", "metrics", "show"], cwd=cwru, env=environment(), capture_output=True, text=True, check=True
    )
    assert "holdout.macro_f1" in metrics.stdout
    assert "reference.macro_f1" in metrics.stdout
    plots = subprocess.run(
        ["dvc", "plots", "show"], cwd=cwru, env=environment(), capture_output=True, text=True, check=True
    )
    assert "index.html" in plots.stdout
    assert "confusion" in (cwru / "dvc_plots" / "index.html").read_text().lower()
