"""`/machines/` over HTTP, on SQLite: the contract, with its errors."""

from base64 import b64decode
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import update

from api.machine.tables import Point
from tests.api.machine.sending import BEGIN, HOME, POINT, npy, send
from tests.model.recording.machines import ELSEWHERE
from tests.model.recording.machines import machine as simulate_machine


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
