"""`/machines/` over HTTP, on SQLite: the contract, with its errors."""

import io
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import update

from api.machine.keeping import Files
from api.machine.tables import Point
from tests.model.recording.machines import ELSEWHERE
from tests.model.recording.machines import machine as simulate_machine

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOME = "/machines/pump/points/drive-end"
POINT = {"bearing": "11, 0.21, 1, 8", "sampling_rate": 12_000, "rpm": 1_750, "unit": "g"}


@pytest.fixture
def point(client):
    assert client.put(HOME, json=POINT).status_code == 201
    yield HOME
    client.delete("/machines/pump")


def npy(signal) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(signal, np.float32))
    return file.getvalue()


def send(client, content: bytes, hour: int = 0, name: str = "a.npy", **fields: str):
    form = {"taken_at": (BEGIN + timedelta(hours=hour)).isoformat(), "diagnose": "false"} | fields
    return client.post(f"{HOME}/recordings", data=form, files={"file": (name, content)})


def test_a_point_is_created_changed_and_told(client, point):
    answer = client.put(point, json=POINT | {"rpm": 1_500})
    assert answer.status_code == 200
    told = client.get(point).json()
    assert (told["machine"], told["point"], told["rpm"], told["unit"]) == ("pump", "drive-end", 1_500, "g")
    assert told["state"] == {"level": "learning", "since": None, "reason": "", "severity": 0.0}
    assert {"orders", "thresholds"} <= set(told)
    listed = {name: value for name, value in told.items() if name not in ("orders", "thresholds")}
    assert client.get("/machines/", params={"q": "pum"}).json() == [listed]
    assert client.get("/machines/", params={"level": "alarm"}).json() == []


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


def test_a_recording_can_be_found_and_read_again(client, point):
    sent = send(client, npy(simulate_machine("OuterRace").signal), diagnose="true").json()
    send(client, npy(np.random.default_rng(0).standard_normal(2_400)), 1)
    listed = client.get(f"{point}/recordings").json()
    assert [each["prediction"] for each in listed] == [None, "OuterRace"]
    until = {"until": (BEGIN + timedelta(minutes=30)).isoformat(), "limit": 1}
    assert [each["id"] for each in client.get(f"{point}/recordings", params=until).json()] == [sent["id"]]
    told = client.get(f"{point}/recordings/{sent['id']}").json()
    assert told["diagnosis"] == sent["diagnosis"]
    assert told["indicators"] == sent["indicators"]
    assert told["has_file"] is False


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


def test_a_waterfall_shows_the_line_where_the_fault_is(client, point):
    for hour in range(3):
        send(client, npy(simulate_machine("OuterRace", seed=hour).signal), hour)
    told = client.get(f"{point}/waterfall").json()
    heights = np.frombuffer(b64decode(told["heights"]), np.uint8).reshape(3, -1)
    highest = np.array(told["orders"])[heights.argmax(axis=1)]
    np.testing.assert_allclose(highest, ELSEWHERE.orders.bpfo, rtol=0.02)
    assert len(told["taken_at"]) == 3


def test_points_are_counted_by_level_whatever_the_page(client, point):
    for number in range(3):
        client.put(f"/machines/fan-{number}/points/p", json=POINT)
    answer = client.get("/machines/", params={"limit": 2, "q": "fan"})
    assert len(answer.json()) == 2
    assert (answer.headers["x-total-count"], answer.headers["x-levels"]) == ("3", "learning=3")
    assert client.get("/machines/", params={"level": "alarm", "q": "fan"}).headers["x-total-count"] == "0"
    for number in range(3):
        client.delete(f"/machines/fan-{number}")


def test_what_happened_is_told_and_outlives_the_point(client, point):
    client.post(f"{point}/notes", json={"by": "workshop", "text": "greased", "at": "2026-01-02T00:00:00Z"})
    assert [(each["text"], each["written_at"]) for each in client.get(f"{point}/notes").json()] == [
        ("greased", "2026-01-02T00:00:00Z")
    ]
    client.post(f"{point}/baseline", json={"by": "workshop"})
    client.delete("/machines/pump")
    assert client.get(f"{point}/changes").json()[0]["kind"] == "learned anew"


def test_the_past_may_be_named_from_and_until(client, point):
    span = {"from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
    told = client.post(f"{point}/baseline", json=span).json()
    assert (told["learned_from"], told["learned_until"]) == tuple(span.values())
    turned = client.post(f"{point}/baseline", json={"from": span["until"], "until": span["from"]})
    assert turned.status_code == 422
    assert "expected a moment after that of from" in turned.json()["detail"][0]["msg"]


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


def test_a_life_ends_in_an_alarm_that_a_person_acknowledges_and_repairs(client, point):
    noise = np.random.default_rng(0)
    for hour in range(45):
        signal = noise.standard_normal(2_400)
        if hour >= 25:
            signal[:: 2_400 // 21] += 40
        answer = send(client, npy(signal), hour)
        assert answer.status_code == 201
    assert answer.json()["state"]["level"] == "alarm"
    assert answer.json()["state"]["reason"]
    alarm = client.get(f"{point}/alarms").json()[0]
    assert (alarm["level"], alarm["cleared_at"]) == ("alarm", None)
    by = {"by": "early shift", "note": "ordered"}
    seen = client.post(f"{point}/alarms/{alarm['id']}/acknowledge", json=by).json()
    assert (seen["acknowledged_by"], seen["note"]) == ("early shift", "ordered")
    trend = client.get(f"{point}/trend", params={"points": 10}).json()
    assert sum(row["recordings"] for row in trend) == 45
    assert trend[-1]["severity_high"] > 1.5 > trend[0]["severity_high"]
    assert client.post(f"{point}/notes", json={"by": "workshop", "text": "new bearing"}).status_code == 201
    assert client.post(f"{point}/baseline", json={"by": "workshop"}).json()["state"]["level"] == "learning"
    assert client.get(f"{point}/alarms").json()[0]["cleared_at"]


@pytest.mark.parametrize("number", [0, 2**31, 2**64])
@pytest.mark.parametrize("ask", ["GET recordings/{}", "GET recordings/{}/file", "DELETE recordings/{}",
                                 "POST alarms/{}/acknowledge"])  # fmt: skip
def test_a_number_that_no_store_holds_is_refused(client, point, ask, number):
    method, path = ask.format(number).split()
    answer = client.request(method, f"{point}/{path}", json={"by": "early shift"} if method == "POST" else None)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["path", "number"]


def test_a_deleted_recording_is_gone(client, point):
    number = send(client, npy(np.random.default_rng(0).standard_normal(2_400))).json()["id"]
    assert client.delete(f"{point}/recordings/{number}").status_code == 204
    assert client.get(f"{point}/trend").json() == []
    assert client.delete(f"{point}/recordings/{number}").status_code == 404


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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/machines/pump/points/x"),
        ("get", "/machines/x/points/x/trend"),
        ("get", "/machines/x/points/x/alarms"),
        ("delete", "/machines/x"),
        ("delete", "/machines/x/points/x"),
        ("post", "/machines/x/points/x/recordings"),
    ],
)
def test_what_is_unknown_is_a_404(client, point, method, path):
    form = {"files": {"file": ("a.npy", npy(np.ones(2_000)))}} if method == "post" else {}
    answer = getattr(client, method)(path, **form)
    assert answer.status_code == 404
    assert "no" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/machines/a%20b/points/c", f"/machines/{'a' * 65}/points/c", "/machines/a/points/$"])
def test_a_name_of_other_characters_is_refused(client, path):
    assert client.put(path, json=POINT).status_code == 422


@pytest.mark.parametrize("change", [{"bearing": "what"}, {"rpm": -1}, {"unit": "furlong"}, {"colour": "red"}])
def test_a_point_that_cannot_be_is_refused(client, change):
    assert client.put(HOME, json=POINT | change).status_code == 422


def test_the_document_tells_every_path(client):
    paths = client.get("/openapi.json").json()["paths"]
    told = {path: sorted(operations) for path, operations in paths.items() if path.startswith("/machines/")}
    assert told["/machines/{machine}/points/{point}"] == ["delete", "get", "put"]
    form = paths["/machines/{machine}/points/{point}/recordings"]["post"]["requestBody"]["content"]
    properties = form["multipart/form-data"]["schema"]["properties"]
    assert {"file", "taken_at", "diagnose", "sampling_rate", "rpm", "channel", "unit"} == set(properties)


def test_a_point_may_have_a_bearing_that_is_known_by_its_size_alone(client):
    """Its lines are watched wherever they grow; which part's they are is not known."""
    try:
        assert client.put(HOME, json=POINT | {"bearing": "6309"}).status_code == 201
        assert client.get(HOME).json()["orders"] == {}
        answer = send(client, npy(simulate_machine("Normal").signal), diagnose="true").json()
        assert answer["diagnosis"]["recording"]["order_ranges"]["bpfo"][0] > 2
    finally:
        client.delete("/machines/pump")


def test_a_point_whose_bearing_no_table_has_any_more_is_shown_and_takes_no_recording(client, point):
    number = send(client, npy(np.random.default_rng(0).standard_normal(2_400))).json()["id"]
    with client.app.state.store.session() as session, session.begin():
        session.execute(update(Point).values(bearing="SPINDLE-1"))
    assert [each["bearing"] for each in client.get("/machines/", params={"q": "pump"}).json()] == ["SPINDLE-1"]
    assert client.get(point).json()["orders"] == {}
    assert client.get(f"{point}/waterfall").status_code == 200
    for answer in (send(client, npy(np.ones(2_400)), 1), client.delete(f"{point}/recordings/{number}")):
        (mistake,) = answer.json()["detail"]
        assert (answer.status_code, mistake["loc"][-1]) == (422, "bearing")
        assert "name a table in BEARINGS: bearing is 'SPINDLE-1', which is not in the table" in mistake["msg"]
    assert len(client.get(f"{point}/recordings").json()) == 1
    assert client.put(point, json=POINT).status_code == 200


def test_a_point_that_was_only_watched_gets_its_healthy_past_from_the_normal_recordings_that_follow(client, point):
    for hour in range(20):
        send(client, npy(simulate_machine("Normal", seed=hour).signal), hour)
    assert client.get(point).json()["state"]["level"] == "normal"
    warned = []
    for hour in (20, 21):
        answer = send(client, npy(simulate_machine("Normal", seed=hour).signal), hour, diagnose="true").json()
        warned.append("no healthy baseline was given" in " ".join(answer["diagnosis"]["warnings"]))
    assert warned == [True, False]


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
