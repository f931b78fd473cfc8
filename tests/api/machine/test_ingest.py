"""From an upload over HTTP to a stored recording, its diagnosis and its file."""

import numpy as np
import pytest

from api.machine.keeping import Files
from tests.api.machine.sending import HOME, POINT, npy, send
from tests.model.recording.machines import machine as simulate_machine


def test_a_recording_is_stored_once_with_its_state(client, point):
    content = npy(np.random.default_rng(0).standard_normal(2_400))
    first, again = send(client, content), send(client, content)
    assert (first.status_code, again.status_code) == (201, 200)
    answer = first.json()
    assert answer == again.json()
    assert answer["taken_at"] == "2026-01-01T00:00:00Z"
    assert answer["state"]["level"] == "learning"
    assert answer["indicators"]["rms"] == pytest.approx(1, abs=0.05)
    assert answer["diagnosis"] is None


def test_a_recording_that_is_long_enough_is_diagnosed_too(client, point):
    content = npy(simulate_machine("OuterRace").signal)
    answer = send(client, content, diagnose="true").json()
    assert answer["diagnosis"]["prediction"] == "OuterRace"
    assert answer["diagnosis"]["recording"]["rpm"] == 1_750
    assert answer["diagnosis"]["agreement"]["lines"][0]["state"] == "clear"


def test_its_own_healthy_past_is_the_baseline_of_a_points_diagnosis(client, point):
    for hour in range(6):
        signal = simulate_machine("Normal", seed=hour).signal
        answer = send(client, npy(signal), hour, diagnose="true").json()["diagnosis"]
        assert answer["prediction"] == "Normal"
        alone = "no healthy baseline was given" in " ".join(answer["warnings"])
        assert alone == (hour == 0)  # its 5 s are a past for the next one
    louder = 4 * simulate_machine("Normal", seed=7).signal
    answer = send(client, npy(louder), 7, diagnose="true").json()["diagnosis"]
    assert answer["prediction"] == "Unknown"
    assert "level rose 12.0 dB" in answer["reason"]


def test_a_point_that_was_only_watched_gets_its_healthy_past_from_the_normal_recordings_that_follow(client, point):
    for hour in range(20):
        send(client, npy(simulate_machine("Normal", seed=hour).signal), hour)
    assert client.get(point).json()["state"]["level"] == "normal"
    warned = []
    for hour in (20, 21):
        answer = send(client, npy(simulate_machine("Normal", seed=hour).signal), hour, diagnose="true").json()
        warned.append("no healthy baseline was given" in " ".join(answer["diagnosis"]["warnings"]))
    assert warned == [True, False]


def test_files_are_kept_where_a_folder_is_named_and_go_with_their_recordings(client, point, tmp_path, monkeypatch):
    monkeypatch.setattr(client.app.state.store, "files", Files.open(str(tmp_path)))
    content = npy(np.random.default_rng(0).standard_normal(2_400))
    number = send(client, content).json()["id"]
    told = client.get(f"{point}/recordings/{number}/file")
    assert told.content == content
    assert told.headers["content-disposition"].endswith('.npy"')
    assert client.get(f"{point}/recordings/{number}").json()["has_file"] is True
    client.delete(f"{point}/recordings/{number}")
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []
    assert client.get(f"{point}/recordings/{number}/file").status_code == 404


def test_no_file_stays_of_a_recording_that_is_refused(client, point, tmp_path, monkeypatch):
    monkeypatch.setattr(client.app.state.store, "files", Files.open(str(tmp_path)))
    content = npy(np.random.default_rng(0).standard_normal(2_400))
    assert send(client, content, sampling_rate="13000").status_code == 422
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_of_a_recording_that_is_sent_under_two_names_one_file_stays(client, point, tmp_path, monkeypatch):
    monkeypatch.setattr(client.app.state.store, "files", Files.open(str(tmp_path)))
    content = npy(np.random.default_rng(0).standard_normal(2_400))
    first, again = send(client, content, name="a.npy"), send(client, content, name="a.NPY")
    assert (first.status_code, again.status_code) == (201, 200)
    assert [each.suffix for each in tmp_path.rglob("*") if each.is_file()] == [".npy"]


def test_a_recording_too_short_for_a_diagnosis_is_trended_and_says_why(client, point):
    answer = send(client, npy(np.random.default_rng(0).standard_normal(1_300)), diagnose="true").json()
    assert answer["diagnosis"] is None
    assert "lasts 0.108 s" in answer["why_no_diagnosis"]


def test_a_recording_of_a_low_rate_is_stored_with_its_levels(client):
    client.put(HOME, json=POINT | {"sampling_rate": 2_560})
    try:
        answer = send(client, npy(np.random.default_rng(0).standard_normal(5_120)))
        assert answer.status_code == 201
        assert answer.json()["indicators"]["rms"] == pytest.approx(1, abs=0.05)
        assert client.get(f"{HOME}/waterfall").status_code == 200
    finally:
        client.delete("/machines/pump")


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"taken_at": "2126-01-01T00:00:00Z"}, "taken_at", "lies in the future"),
        ({"taken_at": "2026-01-01T00:00:00"}, "taken_at", "expected a moment with a zone"),
        ({"taken_at": "yesterday"}, "taken_at", "expected a moment"),
        ({"taken_at": "0"}, "taken_at", "expected a moment"),
        ({"sampling_rate": "13000"}, "sampling_rate", "sampled at 13,000 Hz, its point at 12,000 Hz"),
        ({"bearing": "6205-2RS"}, "bearing", "the point's bearing is"),
        ({"what": "1"}, "what", "not permitted"),
        ({"diagnose": "perhaps"}, "diagnose", "expected true or false"),
    ],
)
def test_a_mistake_is_told_where_it_is(client, point, fields, field, words):
    answer = send(client, npy(np.random.default_rng(0).standard_normal(2_400)), **fields)
    assert answer.status_code == 422
    (mistake,) = answer.json()["detail"]
    assert mistake["loc"][-1] == field
    assert words in mistake["msg"]


def test_what_cannot_be_measured_is_told(client, point):
    answer = send(client, npy(np.zeros(100)))
    assert answer.status_code == 422
    assert "expected 0.1 s and 512 samples" in answer.json()["detail"][0]["msg"]
