"""The whole chain on the real recordings in a fresh clone: `dvc repro service`, then the protocols, shortened."""

import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from dvc.repo import Repo

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


@pytest.fixture(scope="module")
def short(cwru, mirror, tmp_path_factory) -> Path:
    """The same clone, in which the protocols ran with few machines, one seed, one epoch, one channel and every fourth
    window, and held out two diameters of three; the diagnosis too.

    Of the other rigs, HIT-MFS and MFPT have a part, each with a few recordings of every kind.
    """
    repository, rigs = cwru, tmp_path_factory.mktemp("rigs")
    if all_rigs := os.environ.get("RIGS_MIRROR"):
        (rigs / "hit_mfs").symlink_to(Path(all_rigs).resolve() / "hit_mfs")
    keep_rows(repository / "data" / "rigs" / "hit_mfs.csv", "(IR|OR)[25]_1200|Normal.*")
    keep_rows(repository / "data" / "rigs" / "mfpt.csv", ".*vload_[12]|normal.*")
    replace(
        repository / "pipeline" / "trials" / "folds.py",
        "DIAMETERS = (0.007, 0.014, 0.021)",
        "DIAMETERS = (0.007, 0.021)",
    )
    params = yaml.safe_load((repository / "params.yaml").read_text())
    params["windows"] |= {"hop_length": 4 * params["windows"]["window_length"]}
    params["simulate"] |= {"machines": 800}
    params["lines"] |= {"noise": [0]}
    params["line_networks"] |= {"networks": 1}
    params["line_networks"]["training"] |= {"steps": 400}
    params["protocols"] |= {"seeds": [0]}
    params["window_trials"] |= {"epochs": 1, "batch_size": 128, "network": params["train"]["network"] | {"channels": 1}}
    params["transfer_trials"] |= {"steps": 5}
    params["rig_trials"] |= {"most_healthy": 4, "baseline": 6, "rate_errors": [0.05]}
    params["machine_trials"] |= {"speeds": [800, 3_000], "machines": {"Normal": 2, "InnerRace": 2, "OuterRace": 2}}
    (repository / "params.yaml").write_text(yaml.safe_dump(params))
    # One process a trial: another one loads the libraries as long as it computes, beside the other tests.
    reproduce(
        repository, "diagnosis", "protocols",
        CWRU_MIRROR=str(mirror), RIGS_MIRROR=str(rigs), LOKY_MAX_CPU_COUNT="1",
    )  # fmt: skip
    return repository


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def keep_rows(catalogue: Path, recordings: str) -> None:
    """Keep the rows of a catalogue whose recording matches a pattern."""
    head, *rows = catalogue.read_text().splitlines(keepends=True)
    catalogue.write_text(head + "".join(row for row in rows if re.fullmatch(recordings, row.partition(",")[0])))


def test_the_protocols_run_short_on_the_real_recordings(short):
    table = json.loads((short / "assets" / "protocols.json").read_text())
    recording = {protocol: networks["recording"]["mean"] for protocol, networks in table.items()
                 if isinstance(networks, dict) and "recording" in networks}  # fmt: skip
    assert recording["block"]["macro_f1"] > 0.98
    assert recording["bearing"]["macro_f1"] > 0.85
    assert recording["combinations"]["macro_auroc"] > 0.95
    assert table["bearing"]["reference"]["mean"]["macro_f1"] < 0.8
    assert table["block"]["shuffled_labels"]["mean"]["balanced_accuracy"] == pytest.approx(0.25, abs=0.1)


def test_a_second_run_of_the_protocols_does_nothing(short):
    assert not re.findall("Running stage '(.*)'", reproduce(short, "protocols"))


def test_a_trial_runs_again_where_something_it_rests_on_has_changed_and_only_there(short):
    """What `dvc status` says is what `dvc repro` would run."""
    text = {name: (short / name).read_text() for name in ("params.yaml", "pipeline/trials/windows.py")}
    windows = {f"window_trials@{name}" for name in ("reference", "wide_kernel", "shuffled_labels")}
    for name, old, new, changed in (
        ("params.yaml", "epochs: 1\n", "epochs: 2\n", windows),
        ("params.yaml", "regularisation: 0.2", "regularisation: 0.3",
         {"diagnosis", "recording_trials@recording", "recording_trials@simulation_only"}),
        ("params.yaml", "agree: 0.8", "agree: 0.7", {"diagnosis"}),
        ("params.yaml", "speed_jitter: 0.03", "speed_jitter: 0.04", {"transfer_trials"}),
        ("pipeline/trials/windows.py", "VALIDATION = 0.1", "VALIDATION = 0.2", windows | {"transfer_trials"}),
    ):  # fmt: skip
        replace(short / name, old, new)
        with Repo(short) as repository:
            stale = {stage.rpartition(":")[2] for stage in repository.status()}  # DVC names the file before each
        (short / name).write_text(text[name])
        assert changed <= stale
        assert {stage for stage in stale if "trials" in stage} <= changed


def test_the_shipped_diagnosis_can_be_trained_again_to_the_same_bytes(short):
    """By a process a core here, by one process in all before."""
    before = (short / "assets" / "diagnosis.json").read_bytes()
    for stage in ("line_networks", "diagnosis"):
        command = ["python", "-m", f"pipeline.{stage}"]
        subprocess.run(command, cwd=short, env=environment(), check=True, capture_output=True)
    assert (short / "assets" / "diagnosis.json").read_bytes() == before
