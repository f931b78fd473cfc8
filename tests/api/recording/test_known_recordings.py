"""Recordings whose answer is known."""

import json
from types import SimpleNamespace

import pytest

from tests.api.recording.uploads import post
from tests.conftest import ROOT

EXAMPLES = json.loads((ROOT / "assets" / "examples" / "index.json").read_text())


@pytest.mark.parametrize("example", [SimpleNamespace(**example) for example in EXAMPLES], ids=lambda each: each.file)
def test_the_simulated_examples_are_answered_as_made(client, example):
    content = (ROOT / "assets" / "examples" / example.file).read_bytes()
    answer = post(client, content, example.file, {"rpm": str(example.rpm), "bearing": example.bearing}).json()
    assert answer["prediction"] == example.label
    assert bool(answer["reason"]) is (example.label == "Unknown")
    assert answer["agreement"]["verdict"] == ("inconclusive" if example.label == "Unknown" else "supports")


def test_all_published_recordings_are_answered(client, mirror, catalogue):
    answers = {}
    for row in catalogue.itertuples():
        if (mirror / row.file).is_file():
            fields = {"sampling_rate": str(row.sampling_rate), "rpm": str(row.rpm), "bearing": "6205-2RS"}
            answer = post(client, (mirror / row.file).read_bytes(), row.file, fields)
            assert answer.status_code == 200, f"{row.file}: {answer.text[:300]}"
            answers[row.recording] = (answer.json()["prediction"], row.label)
    assert len(answers) >= 61
    assert {name for name, (said, true) in answers.items() if said != true} <= {"3001", "3002", "3003", "3004"}


def test_all_recordings_of_another_rig_are_answered(client, rig):
    predictions = []
    for path in sorted([*rig.glob("*.mat"), *rig.glob("*.gz")]):
        fields = {"bearing": "NICE"} | ({} if path.suffix == ".mat" else {"sampling_rate": "48828", "rpm": "1500"})
        answer = post(client, path.read_bytes(), path.name, fields)
        assert answer.status_code == 200, f"{path.name}: {answer.text[:300]}"
        predictions.append(answer.json()["prediction"])
    assert predictions == ["InnerRace"] * 7 + ["OuterRace"] * 7 + ["Normal"] * 3
