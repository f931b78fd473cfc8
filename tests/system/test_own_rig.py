"""The whole chain on an own rig, in fresh clones: run, repeated, and killed; `make soak` kills it in every stage."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import yaml
from scipy.io import wavfile

from tests.tools.chain import STAGES, assert_does_nothing, assert_identical, reproduce, reproduce_and_kill

BPFO_ORDER = 3.5848

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


@pytest.fixture
def other(own_rig, copy_repository) -> Path:
    """Another clone with the same rig, in which nothing ran."""
    repository = copy_repository()
    shutil.copytree(own_rig / "rig", repository / "rig")
    shutil.copyfile(own_rig / "params.yaml", repository / "params.yaml")
    return repository


def test_killed_at_the_start_and_before_the_end_of_a_stage_it_makes_the_bytes_of_one_that_was_not(own_rig, other):
    """One kill of each kind."""
    for stage, lines_later in (("scale", 0), ("train", 2)):
        assert reproduce_and_kill(other, set(STAGES) - {stage}, lines_later) == stage
    reproduce(other)
    assert_identical(own_rig, other)
    assert_does_nothing(other)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_in_every_stage_it_still_finishes_with_the_same_bytes(own_rig, other):
    killed_at_the_start, killed_before_the_end = set(), set()
    while stage := reproduce_and_kill(other, killed_at_the_start, lines_later=0):
        killed_at_the_start.add(stage)
        killed_before_the_end.add(reproduce_and_kill(other, killed_before_the_end, lines_later=2))
    assert killed_at_the_start == set(STAGES)
    assert len(killed_before_the_end - {None}) > len(STAGES) // 2
    assert_identical(own_rig, other)
    assert_does_nothing(other)
