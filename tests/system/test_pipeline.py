"""The whole chain as a user runs it: fresh clones, `dvc repro service`, killed and repeated."""

import csv
import filecmp
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import yaml
from scipy.io import wavfile

from api.window.predictor import Predictor
from tests.conftest import ROOT, environment

ARTEFACTS = [
    "data/windows/resampled/windows.npy", "data/windows/as_recorded/windows.npy", "data/windows/resampled/metadata.csv",
    "data/scaled/resampled.npy", "data/split/resampled.csv", "data/split/as_recorded.csv",
    "assets/state_dict.pt", "assets/decoder.json", "assets/model.onnx", "assets/metrics.json", "assets/service.json",
    "assets/model_card.md", "assets/training.csv", "assets/example_answer.json",
    "assets/reference/state_dict.pt", "assets/reference/model.onnx", "dvc.lock",
]  # fmt: skip
BPFO_ORDER = 3.5848
STAGES = [
    "download", "windows@resampled", "windows@as_recorded", "scale@resampled", "scale@as_recorded", "split@resampled",
    "split@as_recorded", "train@resampled", "train@as_recorded", "export@resampled", "export@as_recorded", "evaluate",
    "service",
]  # fmt: skip

pytestmark = pytest.mark.timeout(1500)  # s: a chain takes minutes beside other programs


def impacts(noise, sampling_rate: int, rpm: float, seconds: float = 4) -> np.ndarray:
    """An outer-race fault: ringing at 2.5 kHz that starts anew BPFO times a second, in noise."""
    time = np.arange(int(seconds * sampling_rate)) / sampling_rate
    since_impact = np.mod(time, 60 / (rpm * BPFO_ORDER))
    ringing = np.exp(-since_impact * 800) * np.sin(2 * np.pi * 2500 * since_impact)
    return ringing + 0.1 * noise.standard_normal(len(time))


def healthy(noise, sampling_rate: int, rpm: float, seconds: float = 4) -> np.ndarray:
    time = np.arange(int(seconds * sampling_rate)) / sampling_rate
    return np.sin(2 * np.pi * rpm / 60 * time) + 0.1 * noise.standard_normal(len(time))


def bring_own_rig(repository: Path) -> None:
    """Put a rig of one's own beside the pipeline: two labels, four formats, two rates, no hashes."""
    noise = np.random.default_rng(1)
    rig = repository / "rig"
    rig.mkdir()
    rows = []
    for number, (label, make, suffix, rate) in enumerate(
        (label, make, suffix, rate)
        for label, make in (("Outer", impacts), ("Sound", healthy))
        for suffix, rate in ((".mat", 12_000), (".csv", 12_000), (".npy", 24_000), (".wav", 48_000))
    ):
        rpm = 1500 + 50 * number
        signal_of_rig = make(noise, rate, rpm)
        file = f"{label}_{number}{suffix}"
        if suffix == ".mat":
            scipy.io.savemat(rig / file, {"acceleration": signal_of_rig, "rpm": rpm})
        elif suffix == ".csv":
            pd.DataFrame({"g": signal_of_rig}).to_csv(rig / file, index=False)
        elif suffix == ".npy":
            np.save(rig / file, signal_of_rig)
        else:
            wavfile.write(rig / file, rate, signal_of_rig.astype(np.float32))
        rows.append({"recording": number, "file": file, "label": label, "rpm": rpm, "sampling_rate": rate})
    with (rig / "catalogue.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    params = yaml.safe_load((repository / "params.yaml").read_text())
    params["download"] |= {"catalogue": "rig/catalogue.csv", "sources": ["rig"]}
    params["windows"] |= {"window_length": 1024, "hop_length": 512}
    params["train"] |= {"epochs": 6}
    (repository / "params.yaml").write_text(yaml.safe_dump(params))


def reproduce(repository: Path, *stages: str, **extra: str) -> str:
    command = ["dvc", "repro", *(stages or ["service"])]
    answer = subprocess.run(command, cwd=repository, env=environment(**extra), capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
    return answer.stdout


def reproduce_and_kill(repository: Path, spared: set[str], lines_later: int) -> str | None:
    """Start the pipeline, kill everything with it in the first stage that is not spared, and return that stage.

    Line 0 of its output is the stage's announcement, line 1 its command; line 2 comes when it has written its outputs
    and DVC has not yet taken note of them. Returns None where the pipeline came to its end.
    """
    process = subprocess.Popen(
        ["dvc", "repro", "service"], cwd=repository, env=environment(PYTHONUNBUFFERED="1"), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    with process:
        for line in process.stdout:
            stage = re.match("Running stage '(.*)'", line)
            if stage and stage[1] not in spared:
                for _ in range(lines_later):
                    next(process.stdout)
                os.killpg(process.pid, signal.SIGKILL)
                return stage[1]
    assert process.returncode == 0
    return None


def assert_identical(one: Path, other: Path) -> None:
    different = [name for name in ARTEFACTS if not filecmp.cmp(one / name, other / name, shallow=False)]
    assert different == []


def assert_does_nothing(repository: Path) -> None:
    output = reproduce(repository)
    assert "Running stage" not in output
    assert "Data and pipelines are up to date." in output


@pytest.fixture(scope="module")
def own_rig(copy_repository) -> Path:
    repository = copy_repository()
    bring_own_rig(repository)
    reproduce(repository)
    return repository


def test_an_own_rig_runs_the_same_chain(own_rig):
    metrics = json.loads((own_rig / "assets" / "metrics.json").read_text())
    assert metrics["holdout"]["balanced_accuracy"] > 0.98
    assert json.loads((own_rig / "assets" / "decoder.json").read_text()) == {"0": "Outer", "1": "Sound"}
    assert json.loads((own_rig / "assets" / "service.json").read_text())["accuracy"] == metrics["holdout"]["accuracy"]
    windows = np.load(own_rig / "data" / "windows" / "resampled" / "windows.npy")
    # 4 s are 48,000 samples at 12 kHz: 1 + (48,000 - 1,024) // 512 windows from each of 8 recordings.
    assert windows.shape == (8 * 92, 1024)
    assert "64 recordings" not in (own_rig / "assets" / "model_card.md").read_text()


def test_a_second_run_does_nothing(own_rig):
    assert_does_nothing(own_rig)


def clone_of_own_rig(own_rig: Path, copy_repository) -> Path:
    repository = copy_repository()
    shutil.copytree(own_rig / "rig", repository / "rig")
    shutil.copyfile(own_rig / "params.yaml", repository / "params.yaml")
    return repository


def test_killed_at_the_start_and_before_the_end_of_a_stage_it_still_finishes_with_the_same_bytes(
    own_rig, copy_repository
):
    repository = clone_of_own_rig(own_rig, copy_repository)
    for stage, lines_later in (("scale@resampled", 0), ("export@resampled", 2)):
        assert reproduce_and_kill(repository, set(STAGES) - {stage}, lines_later) == stage
    reproduce(repository)
    assert_identical(own_rig, repository)
    assert_does_nothing(repository)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_in_every_stage_it_still_finishes_with_the_same_bytes(own_rig, copy_repository):
    repository = clone_of_own_rig(own_rig, copy_repository)
    killed_at_the_start, killed_before_the_end = set(), set()
    while stage := reproduce_and_kill(repository, killed_at_the_start, lines_later=0):
        killed_at_the_start.add(stage)
        killed_before_the_end.add(reproduce_and_kill(repository, killed_before_the_end, lines_later=2))
    assert killed_at_the_start == set(STAGES)
    assert len(killed_before_the_end - {None}) > len(STAGES) // 2
    assert_identical(own_rig, repository)
    assert_does_nothing(repository)


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


def test_two_clones_of_the_real_chain_are_identical_and_a_second_run_does_nothing(cwru, copy_repository, mirror):
    repository = copy_repository()
    reproduce(repository, CWRU_MIRROR=str(mirror))
    assert_identical(cwru, repository)
    assert_does_nothing(repository)


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
def short(cwru, tmp_path_factory) -> Path:
    """A clone in which the recording diagnosis and the protocols ran, with few machines, one seed and one epoch."""
    repository = tmp_path_factory.mktemp("short") / "clone"
    shutil.copytree(cwru, repository, ignore=shutil.ignore_patterns("cache", "tmp", "build"))
    params = yaml.safe_load((repository / "params.yaml").read_text())
    params["simulate"] |= {"machines": 3_000}
    params["diagnosis"] |= {"networks": 1}
    params["diagnosis"]["training"] |= {"steps": 600}
    params["protocols"] |= {"seeds": [0]}
    params["window_trials"] |= {"epochs": 1}
    params["transfer_trials"] |= {"steps": 5}
    (repository / "params.yaml").write_text(yaml.safe_dump(params))
    reproduce(repository, "diagnosis", "protocols")
    return repository


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
        ("pipeline/trials/windows.py", "VALIDATION = 0.1", "VALIDATION = 0.2", windows | {"transfer_trials"}),
    ):  # fmt: skip
        assert old in text[name]
        (short / name).write_text(text[name].replace(old, new))
        status = subprocess.run(
            ["dvc", "status", "--json"], cwd=short, env=environment(), capture_output=True, text=True, check=True
        )
        (short / name).write_text(text[name])
        assert changed <= set(json.loads(status.stdout))
        assert {stage for stage in json.loads(status.stdout) if "trials" in stage} <= changed


def test_the_shipped_diagnosis_can_be_trained_again_to_the_same_bytes(short):
    before = (short / "assets" / "diagnosis.json").read_bytes()
    command = ["python", "-m", "pipeline.diagnosis"]
    subprocess.run(command, cwd=short, env=environment(), check=True, capture_output=True)
    assert (short / "assets" / "diagnosis.json").read_bytes() == before
