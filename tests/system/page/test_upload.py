"""How a recording gets from a person to the service, and what the page says where that fails."""

import base64
import io
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from nptdms import ChannelObject, TdmsWriter
from playwright.sync_api import expect
from scipy.io import wavfile

from model.bearings import BEARINGS
from pipeline.simulator import Fault, Resonance, Surroundings, simulate
from tests.conftest import running
from tests.system.page.helpers import EXAMPLES, OUTER, inside, plotted

QUIET = Surroundings(coloured=(Resonance(1_200, 0.1), Resonance(3_000, 0.15, 0.7)), shaft=(0.3, 0.2, 0.3, 0.2))


def test_the_page_names_the_limits_that_the_service_told(page):
    limits = re.compile(r"\.mat, \.csv, \.txt, \.wav, \.npy, \.gz, \.tdms.* or \.caf, up to 32 MB, 11,000 Hz or more")
    expect(page.locator("#limits")).to_have_text(limits)
    for name in ("file", "baseline"):
        expect(page.locator(f"#{name}")).to_have_attribute("accept", re.compile(r"\.mat,.*,\.tdms,.*\.caf"))


def test_who_has_a_6309_and_a_tdms_file_gets_to_a_verdict(page):
    bearing = BEARINGS["309K"]
    faults = (Fault("OuterRace", jitter=0.003, zone_floor=0.2, resonances=(Resonance(3_200, 0.05),)),)
    damaged = simulate(bearing, 1_480, 25_600, 6, 0, faults, QUIET)
    healthy = simulate(bearing, 1_480, 25_600, 6, 1, (), QUIET)
    said, content = {"wf_increment": 1 / 25_600, "unit_string": "g"}, io.BytesIO()
    with TdmsWriter(content) as writer:
        channels = (("DE", healthy), ("NDE", damaged), ("dead", np.zeros(len(healthy))))
        writer.write_segment([ChannelObject("Motor", name, samples, said) for name, samples in channels])
    file = {"name": "motor.tdms", "mimeType": "application/octet-stream", "buffer": content.getvalue()}
    page.locator("#bearing").fill("6309")
    expect(page.locator("#bearing_hint")).to_contain_text("of the same: 309K (Timken, wide inner ring)")
    page.locator("#bearing").fill("309K")
    expect(page.locator("#bearing_hint")).to_contain_text("BPFO 3.037")
    page.locator("#rpm").fill("1480")
    page.locator("#file").set_input_files(file)
    rows = page.locator("#channel_rows tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(2)).to_contain_text("Not diagnosed")
    expect(rows.nth(0)).to_contain_text("NDE")
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    page.get_by_role("button", name="DE", exact=True).click()
    expect(page.locator("#subject")).to_contain_text("motor.tdms · DE")
    expect(rows).to_have_count(3)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_a_file_is_asked_about_and_then_diagnosed(page, mirror):
    page.locator("#file").set_input_files(mirror / "105.mat")
    expect(page.locator("#sampling_rate_error")).to_contain_text("give sampling_rate in Hz")
    expect(page.locator("#sampling_rate")).to_be_focused()
    assert page.locator("#sampling_rate").get_attribute("aria-invalid") == "true"
    assert page.locator("#rpm").get_attribute("placeholder") == "1,797, says the file"
    page.locator("#sampling_rate").fill("12 000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Inner race fault")).to_be_visible()
    expect(page.locator("#sampling_rate_error")).to_be_hidden()
    assert "105.mat · drive_end" in page.locator("#subject").inner_text()
    assert "no bearing was given" in page.locator("#warnings").inner_text()
    x, present = plotted(page, "envelope", "plot.data")
    assert abs(x[int(np.argmax(present))] - BEARINGS["6205-2RS"].orders.bpfi) < 0.1


def test_a_file_from_another_rig_is_diagnosed(page, rig):
    page.locator("#bearing").fill("NICE")
    page.locator("#file").set_input_files(rig / "OuterRaceFault_vload_7.mat")
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    lines = page.evaluate("document.getElementById('envelope').lines")
    drawn = {line["name"]: line["order"] for line in lines}
    assert drawn["BPFO"] == pytest.approx(81.125 / 25, abs=1e-3)


def test_a_file_can_be_dropped(page):
    content = base64.b64encode((EXAMPLES / "ball.wav").read_bytes()).decode()
    page.locator("#rpm").fill("1772")
    page.evaluate(
        """(content) => {
          const data = new DataTransfer(), bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
          data.items.add(new File([bytes], "dropped.wav"));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        content,
    )
    expect(page.get_by_role("heading", name="Rolling element fault")).to_be_visible()
    assert "dropped.wav" in page.locator("#subject").inner_text()


def test_a_file_that_is_no_recording_is_refused_in_words(page, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear customer,\n" * 80)
    page.locator("#file").set_input_files(tmp_path / "letter.txt")
    expect(page.locator("#file_error")).to_contain_text("letter.txt: the file starts with 'Dear customer,'")
    expect(page.locator("#results")).to_be_hidden()


def test_a_file_name_is_shown_and_not_run(page, tmp_path):
    name = "<img src=x onerror=document.title='run'>.wav"
    (tmp_path / name).write_bytes((EXAMPLES / "ball.wav").read_bytes())
    page.locator("#rpm").fill("1772")
    page.locator("#file").set_input_files(tmp_path / name)
    expect(page.locator("#subject")).to_contain_text(name)
    assert page.title() == "Bearing diagnosis"


def test_what_an_example_filled_in_is_not_said_of_the_next_file(answered):
    answered.locator("#file").set_input_files(EXAMPLES / "ball.wav")
    expect(answered.locator("#rpm_error")).to_contain_text("give rpm")
    assert answered.locator("#bearing").input_value() == ""


def test_an_answer_is_marked_as_old_once_the_form_has_changed(answered, tmp_path):
    expect(answered.locator("#stale")).to_be_hidden()
    answered.locator("#rpm").fill("1000")
    expect(answered.locator("#stale")).to_contain_text("before your changes")
    answered.locator("#submit").click()
    expect(answered.locator("#stale")).to_be_hidden()
    (tmp_path / "letter.txt").write_text("Dear customer,\n" * 80)
    answered.locator("#file").set_input_files(tmp_path / "letter.txt")
    expect(answered.locator("#file_error")).to_be_visible()
    expect(answered.locator("#stale")).to_have_text("The answer to outer_race.wav, before your changes.")


def test_of_two_questions_the_later_is_answered(page):
    """The first request is held back until the answer to the second has come, and is answered then."""
    held = []

    def hold_the_first(route):
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/diagnose/", hold_the_first)
    page.locator("#rpm").fill("1772")
    with page.expect_request("**/diagnose/"):
        inside(page, "upload.js", "void module.choose(new File([new Uint8Array(1e4)], 'first.wav'))")
    page.get_by_role("button", name=OUTER).click()
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    held[0].fulfill(status=422, json={"detail": "the answer to the first question"})
    expect(page.locator("#submit")).to_be_enabled()
    assert "outer_race.wav" in page.locator("#subject").inner_text()
    expect(page.locator("#error")).to_be_hidden()


def test_numbers_may_be_written_as_people_write_them(page):
    meant = {"12000": "12000", "12,000": "12000", "12.000": "12000", "12 000": "12000", "12'000": "12000",
             "1797,5": "1797.5", "1797.5": "1797.5"}  # fmt: skip
    assert inside(page, "form.js", "given.map(module.plainNumber)", list(meant)) == list(meant.values())


def test_the_upload_shows_its_progress(page, tmp_path):
    wavfile.write(tmp_path / "long.wav", 48_000, np.random.default_rng(0).standard_normal(1_000_000).astype(np.float32))
    session = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 4_000_000}
    session.send("Network.emulateNetworkConditions", slow)
    page.locator("#rpm").fill("1772")
    seen = """() => { const bar = document.getElementById("progress"), values = (window.seen ??= new Set());
      new MutationObserver(() => values.add(bar.value)).observe(bar, { attributes: true }); }"""
    page.evaluate(seen)
    page.locator("#file").set_input_files(tmp_path / "long.wav")
    expect(page.locator("#verdict")).to_have_text("Unknown", timeout=20_000)
    expect(page.locator("#waiting")).to_be_hidden()
    values = page.evaluate("[...window.seen]")
    assert any(0 < value < 1 for value in values)


def test_a_service_that_does_not_answer_in_its_own_time_is_given_up(open_page, url):
    """The upload is complete at once, and nothing follows; the service promises an answer within 30 s."""
    page = open_page("about:blank")
    page.clock.install()
    page.add_init_script(
        "XMLHttpRequest.prototype.send = function () { this.upload.dispatchEvent(new Event('load')); }"
    )
    page.goto(url)
    expect(page.locator("#limits")).not_to_be_empty()
    page.locator("#file").set_input_files(EXAMPLES / "ball.wav")
    expect(page.locator("#waiting_label")).to_have_text("Diagnosing")
    page.clock.fast_forward(39_000)
    expect(page.locator("#waiting")).to_be_visible()
    page.clock.fast_forward(2_000)
    expect(page.locator("#error")).to_have_text(f"No answer from {url} within 40 seconds.")
    expect(page.locator("#submit")).to_be_enabled()


def test_a_service_that_is_gone_is_told_in_words(open_page, tmp_path):
    with running(tmp_path) as url:
        page = open_page(url)
        expect(page.get_by_role("button", name=OUTER)).to_be_visible()
    page.locator("#file").set_input_files(EXAMPLES / "ball.wav")
    expect(page.locator("#error")).to_contain_text("is the service running?")
    expect(page.locator("#submit")).to_be_enabled()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"status": 503, "headers": {"Retry-After": "7"}, "json": {"detail": "full"}},
            "The service is busy: try again in 7 s.",
        ),
        ({"status": 500, "json": {"detail": "failed"}}, "The service failed (500); its log says why."),
        ({"status": 413, "json": {"detail": "the body is too large"}}, "the body is too large"),
        ({"status": 200, "body": "<html>"}, re.compile("answered something else than a diagnosis")),
    ],
)
def test_a_refusal_is_told_in_words(page, answer, words):
    page.route("**/diagnose/", lambda route: route.fulfill(**answer))
    page.locator("#file").set_input_files(EXAMPLES / "ball.wav")
    expect(page.locator("#error")).to_have_text(words)
    expect(page.locator("#submit")).to_be_enabled()
