"""The page of machines: the list, a point over time, and what a person says of it."""

import io
import json
import re
from datetime import UTC, datetime

import numpy as np
import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from api.machine.database import open_engine
from api.machine.store import Store, Taken
from api.machine.tables import Point
from model.machine.indicators import measure
from model.machine.thresholds import Thresholds
from model.recording.recording import Recording
from model.thresholds import read_thresholds
from tests.conftest import ROOT, running, wait_until
from tests.system.clients.helpers import RATE, RPM, machine
from tests.system.page.helpers import OUTER

HOURS, ONSET, HOUR = 60, 40, 3_600
BEGIN = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
POINT = {"bearing": "6205-2RS", "sampling_rate": float(RATE), "rpm": float(RPM), "channel": "", "unit": "g"}
MARKS = "document.getElementById('severity').marks"
PLOTS = ("severity", "parts", "rms", "waterfall")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A service with a machine on which something begins to knock, and a thousand others of which nothing is known."""
    folder = tmp_path_factory.mktemp("fleet")
    database = f"sqlite:///{folder}/machines.sqlite"
    limits = read_thresholds(Thresholds, json.loads((ROOT / "assets" / "machine.json").read_text()))
    store, noise = Store(open_engine(database), limits), np.random.default_rng(0)
    with store.session() as session, session.begin():  # one transaction, where put_point makes one each
        session.add_all(Point(machine=f"fan-{number:03d}", name="drive-end", **POINT) for number in range(1_000))
    store.put_point("pump-1", "drive-end", **POINT)
    for hour in range(HOURS):
        signal = noise.standard_normal(RATE // 5)
        if hour >= ONSET:
            signal[:: RATE // 105] += min(hour - ONSET + 2, 12) * 6.0  # 105 a second, an order of 3.6
        taken = Taken(BEGIN + hour * HOUR, hour.to_bytes(32), measure(Recording(signal, RATE, RPM), "g"))
        store.add_recording("pump-1", "drive-end", taken)
    store.engine.dispose()
    with running(folder, DATABASE_URL=database) as url:
        yield url


@pytest.fixture
def listed(open_page, fleet):
    page = open_page(f"{fleet}/machines.html")
    expect(page.locator("#fleet_note")).to_contain_text("200 of 1001 points")
    return page


@pytest.fixture
def point(open_page, fleet):
    page = open_page(f"{fleet}/machines.html#pump-1/drive-end", timezone_id="UTC")
    expect(page.locator("#waterfall canvas")).to_be_visible()
    return page


def test_the_worst_machine_comes_first_with_its_level_in_words(listed):
    first = listed.locator("#rows tr").first
    expect(first).to_contain_text("alarm")
    expect(first).to_contain_text("pump-1")
    expect(first.locator("svg")).to_have_attribute("aria-label", re.compile(r"highest of the last 48: \d"))
    listed.get_by_role("button", name="Show more").click()
    expect(listed.locator("#fleet_note")).to_contain_text("400 of 1001 points")


def test_machines_are_searched_and_filtered_by_level(listed):
    listed.get_by_label("Machine", exact=True).fill("fan-07")
    expect(listed.locator("#fleet_note")).to_have_text("10 of 10 points, the worst first.")
    listed.get_by_label("Machine", exact=True).fill("")
    listed.get_by_role("button", name="alarm 1").click()
    expect(listed.locator("#rows tr")).to_have_count(1)
    assert listed.get_by_role("button", name="alarm 1").get_attribute("aria-pressed") == "true"
    listed.get_by_label("Machine", exact=True).fill("fan")
    expect(listed.locator("#none")).to_contain_text("none is at this level")


def test_a_point_is_reached_and_left_by_keyboard(listed):
    listed.get_by_role("link", name="pump-1").focus()
    listed.keyboard.press("Enter")
    expect(listed.get_by_role("heading", name="pump-1, drive-end")).to_be_visible()
    assert listed.url.endswith("#pump-1/drive-end")
    listed.go_back()
    expect(listed.locator("#fleet")).to_be_visible()


def test_a_point_shows_its_trends_with_thresholds_and_alarms_as_marks(point):
    for plot in PLOTS:
        assert point.locator(f"#{plot} canvas").count() == 1
        assert point.locator(f"#{plot}").get_attribute("aria-label")
    marks = point.evaluate(MARKS)
    raised = [mark for mark in marks if mark["sign"] == "▼"]
    assert {mark["level"] for mark in raised} == {"warning", "alarm"}
    assert all(mark["at"] >= BEGIN + ONSET * HOUR for mark in raised)
    expect(point.locator("#alarms tr")).to_have_count(2)
    expect(point.locator("#reason")).to_contain_text("grew")


WIDTH = "(() => { const { min, max } = document.getElementById('rms').plot.scales.x; return max - min; })()"  # s


def drag(page, begin, end):
    """Drag over the plot of the severity, between two shares of its width."""
    over = page.locator("#severity .u-over").bounding_box()
    page.mouse.move(over["x"] + begin * over["width"], over["y"] + 40)
    page.mouse.down()
    page.mouse.move(over["x"] + end * over["width"], over["y"] + 40, steps=5)
    page.mouse.up()


def test_dragging_zooms_all_plots_and_a_button_shows_all_again(point):
    whole = point.evaluate(WIDTH)
    drag(point, 0.5, 0.7)
    expect(point.get_by_role("button", name="Show all of it")).to_be_visible()
    wait_until(lambda: point.evaluate(WIDTH) < 0.25 * whole)
    point.get_by_role("button", name="Show all of it").click()
    wait_until(lambda: point.evaluate(WIDTH) > 0.9 * whole)


def test_an_answer_that_comes_late_is_not_drawn_over_a_newer_one(point):
    whole, held = point.evaluate(WIDTH), []
    drag(point, 0.2, 0.8)
    wait_until(lambda: point.evaluate(WIDTH) < 0.7 * whole)
    point.route("**/trend?from=*", lambda route: held.append(route))  # Playwright wants a function of Python
    with point.expect_request("**/trend?from=*"):
        drag(point, 0.4, 0.6)
    point.get_by_role("button", name="Show all of it").click()
    wait_until(lambda: point.evaluate(WIDTH) > 0.9 * whole)
    with point.expect_response("**/trend?from=*"):
        held[0].continue_()
    point.evaluate("new Promise((resolve) => setTimeout(resolve, 200))")  # for what an answer would draw
    assert point.evaluate(WIDTH) > 0.9 * whole


def test_a_recording_is_shown_at_a_click_with_its_diagnosis_and_evidence(point, fleet):
    file = io.BytesIO()
    np.save(file, machine("OuterRace").astype(np.float32))
    moment = datetime.fromtimestamp(BEGIN + HOURS * HOUR, UTC)
    home, form = f"{fleet}/machines/pump-1/points/drive-end/recordings", {"taken_at": moment.isoformat()}
    sent = requests.post(home, data=form, files={"file": ("a.npy", file.getvalue())}, timeout=60).json()
    point.reload()
    expect(point.locator("#waterfall canvas")).to_be_visible()
    over = point.locator("#severity .u-over").bounding_box()
    point.locator("#severity .u-over").click(position={"x": over["width"] - 1, "y": 30})
    recorded = point.locator("#recorded")
    expect(recorded).to_contain_text("Recording of Jan 3, 2026, 12:00")
    expect(recorded).to_contain_text("Outer race fault")
    expect(recorded.locator("tbody tr")).to_have_count(3)
    requests.delete(f"{home}/{sent['id']}", timeout=60)


def test_an_alarm_is_acknowledged_a_note_written_and_the_past_learned_anew(point, fleet):
    point.get_by_role("button", name="Acknowledge the alarm").click()
    point.get_by_label("Your name or shift").fill("early shift")
    point.get_by_label("Note, may stay empty").fill("bearing ordered")
    point.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(point.locator("#alarms tr").first).to_contain_text("early shift")
    expect(point.get_by_role("button", name="Acknowledge the alarm")).to_be_hidden()
    point.get_by_role("button", name="Write a note").click()
    assert point.get_by_label("Your name or shift").input_value() == "early shift"
    point.get_by_label("Note", exact=True).fill("<b>greased</b>")
    point.get_by_label("Of what time").fill("2026-01-02T03:00")
    point.get_by_role("button", name="Keep the note").click()
    expect(point.locator("#notes li")).to_contain_text("<b>greased</b>")
    wait_until(lambda: "●" in [mark["sign"] for mark in point.evaluate(MARKS)])
    point.get_by_role("button", name="Learn anew").click()
    point.get_by_role("button", name="Cancel").click()
    expect(point.locator("#level")).to_have_text("alarm")
    told = requests.get(f"{fleet}/machines/pump-1/points/drive-end/notes", timeout=10).json()
    assert [(note["by"], note["written_at"]) for note in told] == [("early shift", "2026-01-02T03:00:00Z")]


def watch(page, name):
    page.get_by_role("button", name="Keep watching this machine").click()
    page.get_by_label("Machine", exact=True).fill(name)
    page.get_by_role("button", name="Watch it").click()
    expect(page.get_by_role("heading", name=f"{name}, drive-end")).to_be_visible()


def test_a_diagnosis_becomes_a_watched_machine(open_page, fleet):
    page = open_page(fleet)
    page.get_by_role("button", name=OUTER).click()
    watch(page, "mill-7")
    expect(page.locator("#level")).to_have_text("learning")
    requests.delete(f"{fleet}/machines/mill-7", timeout=10)


@pytest.mark.parametrize(("said", "stored", "kept"), [("g", None, "g"), ("g", "m/s2", "m/s2"), ("mV", None, "")])
def test_a_watched_point_keeps_its_unit_or_has_the_files(open_page, fleet, tmp_path, said, stored, kept):
    home = f"{fleet}/machines/mill-8/points/drive-end"
    if stored:
        requests.put(home, json=POINT | {"unit": stored}, timeout=10)
    np.savetxt(tmp_path / "a.csv", machine("OuterRace", 2.0), "%.4f", header=f"acceleration ({said})", comments="")
    page = open_page(fleet)
    for name, value in {"rpm": RPM, "sampling_rate": RATE}.items():
        page.locator(f"#{name}").fill(str(value))
    page.locator("#file").set_input_files(tmp_path / "a.csv")
    watch(page, "mill-8")
    assert requests.get(home, timeout=10).json()["unit"] == kept
    requests.delete(f"{fleet}/machines/mill-8", timeout=10)


def test_a_service_without_machines_says_so_and_offers_none(open_page, url):
    page = open_page(f"{url}/machines.html")
    expect(page.locator("#error")).to_contain_text("keeps no machines")
    page.goto(url)
    page.get_by_role("button", name=OUTER).click()
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    expect(page.get_by_role("button", name="Keep watching this machine")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_sticks_out_on_a_phone(open_page, fleet, width):
    page = open_page(f"{fleet}/machines.html", viewport={"width": width, "height": 800}, has_touch=True)
    expect(page.locator("#rows tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{fleet}/machines.html#pump-1/drive-end")
    expect(page.locator("#waterfall canvas")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["", "#pump-1/drive-end"])
def test_contrast_labels_and_structure_pass_the_accessibility_checks(open_page, fleet, scheme, view):
    page = open_page(f"{fleet}/machines.html{view}", color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator("#waterfall canvas" if view else "#rows tr").first).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    if view:
        page.get_by_role("button", name="Write a note").click()
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
