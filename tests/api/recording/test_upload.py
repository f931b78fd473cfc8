import tempfile

import numpy as np
import pytest
import requests
from starlette.formparsers import MultiPartParser

from api.recording.models import DiagnosisAnswer
from pipeline.simulator import DEFAULT
from tests.api.recording.uploads import FORMATS, STATED, machine, mistakes, npy, post


@pytest.fixture(scope="module")
def outer(client):
    answer = post(client, npy(machine("OuterRace")))
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_answered_alike(client, outer, name):
    answer = post(client, FORMATS[name](machine("OuterRace")), name)
    assert answer.status_code == 200
    assert answer.json()["prediction"] == "OuterRace"
    assert answer.json()["probabilities"] == pytest.approx(outer["probabilities"], abs=1e-3)


def test_the_answer_is_what_the_document_says(client, outer):
    DiagnosisAnswer.model_validate(outer)
    assert set(outer) == set(DiagnosisAnswer.model_fields) - {"all_channels"}  # only where channel=all asked for it
    assert sum(outer["probabilities"].values()) == pytest.approx(1)
    operation = client.get("/openapi.json").json()["paths"]["/diagnose/"]["post"]
    assert set(operation["requestBody"]["content"]) == {"multipart/form-data", "application/x-npy"}
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert {"file", "baseline", "sampling_rate", "rpm", "bearing", "channel"} <= set(form)


def test_the_windows_cover_the_recording_and_carry_their_spectra(outer):
    starts = [window["start"] for window in outer["windows"]]
    assert np.diff(starts) == pytest.approx(outer["window_seconds"] / 2, rel=1e-3)
    assert starts[-1] + outer["window_seconds"] <= outer["recording"]["seconds"]
    points = len(outer["series"]["envelope_spectrum"]["amplitude"])
    assert {len(window["envelope_spectrum"]) for window in outer["windows"]} == {points}
    mean = np.mean([window["envelope_spectrum"] for window in outer["windows"]], axis=0)
    assert mean == pytest.approx(outer["series"]["envelope_spectrum"]["amplitude"], rel=0.01, abs=1e-4)


def test_the_highest_point_of_the_envelope_spectrum_is_the_faults_line(outer):
    series = outer["series"]["envelope_spectrum"]
    order = np.argmax(series["amplitude"]) * series["orders_per_point"]
    assert min(abs(order - harmonic * DEFAULT.orders.bpfo) for harmonic in (1, 2, 3)) < 2 * series["orders_per_point"]
    assert outer["agreement"]["verdict"] == "supports"


def test_the_body_may_be_the_array_itself(client, outer):
    answer = client.post(
        "/diagnose/", params=STATED, content=npy(machine("OuterRace")), headers={"Content-Type": "application/x-npy"}
    )
    assert answer.status_code == 200
    assert answer.json()["probabilities"] == outer["probabilities"]


def test_without_plots_there_is_less_to_send(client, outer):
    answer = post(client, npy(machine("OuterRace")), fields=STATED | {"series": "false"})
    assert answer.json()["series"] == {}
    assert len(answer.content) < 12_000
    assert answer.json()["probabilities"] == outer["probabilities"]


def test_a_form_without_a_recording_is_refused(client):
    assert "0 files came as file" in mistakes(client.post("/diagnose/", files={"baseline": b"1"}, data=STATED))["file"]
    twice = [("file", ("a", b"1")), ("file", ("b", b"2"))]
    assert "2 files came as file" in mistakes(client.post("/diagnose/", files=twice, data=STATED))["file"]
    assert "expected the files" in mistakes(client.post("/diagnose/", files={"rpm": b"1"}))["rpm"]


def test_a_form_that_is_cut_short_is_refused(client):
    files = {"file": ("a.npy", npy(machine("OuterRace")))}
    form = requests.Request("POST", "http://here/diagnose/", files=files, data=STATED).prepare()
    boundary = form.headers["Content-Type"].partition("boundary=")[2].encode()
    cut = form.body[: form.body.rindex(b"--" + boundary)]
    answer = client.post("/diagnose/", content=cut, headers={"Content-Type": form.headers["Content-Type"]})
    assert "cut short" in mistakes(answer)["file"]


def test_other_bodies_are_refused(client):
    assert "content-type" in mistakes(client.post("/diagnose/", json={"rpm": 5}))
    broken = client.post("/diagnose/", content=b"abc", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert broken.status_code == 422
    assert client.get("/diagnose/").status_code == 405


def test_without_the_model_it_says_what_to_do(client, monkeypatch):
    monkeypatch.setitem(client.app.state._state, "recording_workers", None)
    answer = post(client, npy(machine("OuterRace")))
    assert answer.status_code == 503
    assert "dvc repro diagnosis" in answer.json()["detail"]


def test_nothing_of_an_upload_is_written_down(client, monkeypatch):
    def write(*_):
        raise AssertionError("an upload goes to a disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", write)
    content = npy(machine("OuterRace", 30))
    assert len(content) > MultiPartParser.spool_max_size
    assert post(client, content).status_code == 200
