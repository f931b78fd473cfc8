"""Trials on rigs: what is tried, beside which baseline, and a whole trial on simulated recordings."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from model.bearings import BEARINGS
from model.recording.baseline import describe_baseline
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.familiarity import familiarity, relative_distance, spectral_share
from model.recording.recording import Recording
from pipeline.trials import rig as rigs
from pipeline.trials.rig import Tried
from pipeline.trials.rig_diagnosis import (
    Baselines,
    Condition,
    collect,
    forget_spectra,
    list_conditions,
    misstate,
    thin,
    try_on_rig,
)
from tests.conftest import ROOT
from tests.model.recording.machines import ELSEWHERE, machine, random_features

ALONE, BESIDE = (Condition("recording", "made", 0, beside) for beside in (False, True))
SIMULATED = Condition("simulation_only", "made", 0, beside_baseline=False)
ELSEWHERE_OR_WRONG = [ALONE._replace(rate_error=0.05), SIMULATED._replace(rig="other")]
SETTINGS = {
    "conditions": [ALONE, BESIDE, SIMULATED, *ELSEWHERE_OR_WRONG],
    "catalogue": "data/catalogue.csv", "most_healthy": 2, "most_baseline": 20,
}  # fmt: skip


@pytest.fixture(scope="module")
def diagnosis() -> RecordingDiagnosis:
    return RecordingDiagnosis.load(ROOT / "assets" / "diagnosis.json")


def tried(label: str, name: str, channel: str = "") -> Tried:
    return Tried(label, Recording(np.zeros(10), 12_000, 1_500, channel, name=name), BEARINGS["NICE"])


def test_the_served_diagnosis_is_tried_under_every_condition_and_nothing_on_what_trained_it():
    served = list_conditions("recording", ["a", "b"], [-0.05, 0.05])
    assert len(served) == len(set(served)) == 2 * 3 * 2
    assert {condition.rig for condition in served} == {"a", "b"}
    alone = list_conditions("simulation_only", ["a", "b"], [-0.05, 0.05])
    assert [condition for condition in alone if condition.rig != "cwru"] == [
        Condition("simulation_only", "a", 0, beside_baseline=False),
        Condition("simulation_only", "b", 0, beside_baseline=False),
    ]
    assert sum(condition.rig == "cwru" for condition in alone) == 3 * 2


def test_conditions_are_named_and_what_could_not_be_tried_is_left_out():
    entry = {"recordings": 1}
    results = {
        Condition("recording", "a", 0, beside_baseline=False): entry,
        Condition("recording", "a", -0.024, beside_baseline=False): entry,
        Condition("recording", "a", 0.05, beside_baseline=True): entry,
        Condition("recording", "a", 0, beside_baseline=True): {"recordings": 0},
    }
    assert collect(results) == {
        "recording": {"a": {"without baseline": {"stated": entry, "-2.4 %": entry}, "with baseline": {"+5 %": entry}}}
    }


@pytest.mark.parametrize(("healthy", "kept"), [(0, 0), (3, 3), (80, 80), (81, 41), (400, 80)])
def test_of_many_healthy_recordings_few_are_tried_but_every_fault(healthy, kept):
    recordings = [tried("Normal", f"{n}") for n in range(healthy)] + [tried("Ball", "ball")] * 100
    labels = [recordings[number].label for number in thin(recordings, 80)]
    assert (labels.count("Normal"), labels.count("Ball")) == (kept, 100)


def test_a_baseline_is_what_else_was_healthy_on_that_channel(diagnosis):
    recordings = [
        tried("Normal", "1", "x"),
        tried("Normal", "2", "x"),
        tried("Normal", "3", "y"),
        tried("Ball", "4", "x"),
    ]
    found = [Baselines(recordings, 20, diagnosis.thresholds).find(number) for number in range(4)]
    assert found == [[1], [0], [], [0, 1]]
    assert Baselines(recordings, 1, diagnosis.thresholds).find(3) == [0]


def test_baselines_that_share_recordings_are_those_that_are_described_apart(diagnosis):
    healthy = [machine("Normal", seconds=2, seed=seed) for seed in range(4)]
    recordings = [Tried("Normal", replace(each, name=str(number)), ELSEWHERE) for number, each in enumerate(healthy)]
    baselines = Baselines(recordings, 20, diagnosis.thresholds)
    for number in range(4):
        found = baselines.find(number)
        together = baselines.describe(found, ELSEWHERE)
        apart = describe_baseline([healthy[each] for each in found], ELSEWHERE, diagnosis.thresholds)
        for one, other in zip(together.features, apart.features, strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(together.excess, apart.excess)
        assert together.lines == apart.lines
        assert [each.rpm for each in together.levels] == [each.rpm for each in apart.levels]


def test_a_wrong_rate_is_wrong_by_that_share_and_the_speed_is_kept():
    wrong = misstate(tried("Normal", "1"), -0.05).recording
    assert (wrong.sampling_rate, wrong.rpm) == (pytest.approx(11_400), 1_500)


def test_to_networks_alone_no_spectrum_is_familiar_and_none_is_novel(diagnosis, noise):
    alone = forget_spectra(diagnosis)
    relative = relative_distance(alone.spectra, random_features(noise, windows=3))
    limits = diagnosis.thresholds.familiarity
    assert (spectral_share(relative, limits) == 0).all()
    assert (familiarity(alone.spectra, relative, np.zeros((3, 4)), limits) == 1).all()
    assert np.isfinite(diagnosis.spectra.novelties).all(), "the served one is left as it was"


@pytest.fixture
def simulated_rig(tmp_path, monkeypatch):
    """Two outer race faults and three healthy recordings of one machine, as the stage rig leaves them."""
    monkeypatch.setattr(rigs, "RIG", tmp_path)
    facts = []
    for number, label in enumerate(["OuterRace", "OuterRace", "Normal", "Normal", "Normal"]):
        recording = machine(label, seed=number)
        np.save(tmp_path / f"{number}.npy", recording.signal)
        facts.append(
            {"rig": "made", "name": str(number), "file": f"{number}.npy", "label": label, "channel": "",
             "sampling_rate": recording.sampling_rate, "rpm": recording.rpm, "bearing": asdict(ELSEWHERE)}
        )  # fmt: skip
    (tmp_path / "recordings.json").write_text(json.dumps(facts))


def test_a_rig_is_tried_with_the_diagnosis_that_is_served(simulated_rig):
    entries = try_on_rig("made", 0, **SETTINGS)
    assert list(entries) == [ALONE, BESIDE, SIMULATED], "what is asked of another rate and rig is not tried here"
    entry, beside = entries[ALONE], entries[BESIDE]
    assert (entry["recordings"], entry["healthy"], entry["race_faults"]) == (5, 3, 2)
    assert sum(sum(row.values()) for row in entry["confusion"].values()) == 5
    assert (beside["recordings"], beside["race_faults_right"], beside["healthy_called_faulty"]) == (4, 2, 0)
    assert entries[SIMULATED]["ece"] != entry["ece"], "each network answers for itself"


def test_a_rig_without_a_healthy_recording_has_no_trial_beside_a_baseline(simulated_rig, tmp_path):
    facts = [fact for fact in rigs.read_facts() if fact["label"] != "Normal"]
    (tmp_path / "recordings.json").write_text(json.dumps(facts))
    entries = try_on_rig("made", 0, **SETTINGS)
    assert entries[BESIDE] == {"recordings": 0}
    assert "macro_auroc" not in entries[ALONE], "there is no AUROC of a single class"


def test_a_baseline_that_is_refused_leaves_every_answer_uncertain(simulated_rig):
    for fact in rigs.read_facts():
        if fact["label"] == "Normal":
            path = rigs.RIG / fact["file"]
            np.save(path, np.zeros_like(np.load(path)))
    entry = try_on_rig("made", 0, **SETTINGS)[BESIDE]
    assert (entry["healthy_uncertain"], entry["confusion"]["OuterRace"]["Unknown"]) == (2, 2)
