"""What the page shows of an answer, and how a person moves through it."""

import json
import subprocess

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from scipy.io import wavfile

from model.bearings import BEARINGS
from tests.system.page.helpers import EXAMPLES, OUTER, inside, plotted

TIMES = "\u00d7"
LINES = "document.getElementById('envelope').lines"


def test_an_example_gives_verdict_bars_lines_and_plots(answered):
    assert "simulated" in answered.locator("#subject").inner_text()
    assert "% sure" in answered.locator("#because").inner_text()
    assert "plan the repair" in answered.locator("#next").inner_text()
    assert "compared with healthy.wav, 11 s at 12,000 Hz" in answered.locator("#subject").inner_text()
    bars = answered.locator("#bars .bar")
    assert bars.count() == 5
    assert bars.first.inner_text().startswith("Outer race fault")
    assert bars.last.inner_text().startswith("Unknown")
    expect(answered.locator("#agreement")).to_have_text("supports")
    assert answered.locator("#lines tr").count() == 3
    for plot in ("envelope", "waveform", "spectrum"):
        assert answered.locator(f"#{plot} canvas").count() == 1
        assert answered.locator(f"#{plot}").get_attribute("aria-label")
    assert "bearings it was not trained on" in answered.locator("#scores").inner_text()
    assert "Model " in answered.locator("#provenance").inner_text()


def test_familiarity_is_explained_as_a_share_of_windows(answered):
    share = inside(answered, "answer.js", "Math.floor(100 * (1 - module.answer.familiarity))")
    words = f"each bearing left out in turn, {share} were less unlike the other bearings"
    expect(answered.locator("#bars_note")).to_contain_text("Of 100 windows of training")
    expect(answered.locator("#bars_note")).to_contain_text(words)


def test_the_lines_are_drawn_where_the_geometry_says_and_the_fault_shows_there(answered):
    orders = BEARINGS["6205-2RS"].orders
    drawn = {line["name"]: line["order"] for line in answered.evaluate(LINES)}
    for harmonic in (1, 2, 3):
        for name, order in (("BPFO", orders.bpfo), ("BPFI", orders.bpfi)):
            assert drawn[name if harmonic == 1 else f"{harmonic}{TIMES}{name}"] == pytest.approx(harmonic * order)
        assert drawn[f"{2 * harmonic}{TIMES}BSF"] == pytest.approx(2 * harmonic * orders.bsf)
    assert drawn["FTF"] == pytest.approx(orders.ftf)
    assert drawn["shaft"] == 1
    x, present, healthy = plotted(answered, "envelope", "plot.data")
    height = np.array([value or 0 for value in present])
    assert abs(x[int(height.argmax())] - orders.bpfo) < 0.1
    at_line = np.abs(np.array(x) - orders.bpfo) < 0.1
    assert height.max() > 3 * max(value or 0 for value in np.array(healthy)[at_line])


def test_what_the_plots_show_is_what_the_service_answered(answered):
    waveform = inside(answered, "answer.js", "module.answer.series.waveform")
    assert plotted(answered, "waveform", "plot.data")[1:] == [waveform["low"], waveform["high"]]


def test_each_plot_can_be_zoomed(answered):
    for name in ("envelope", "spectrum", "waveform"):
        answered.locator(f"#{name}").scroll_into_view_if_needed()
        box = answered.locator(f"#{name} .u-over").bounding_box()
        whole = plotted(answered, name, "plot.scales.x.max")
        answered.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 50)
        answered.mouse.down()
        answered.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50, steps=4)
        answered.mouse.up()
        low, high = plotted(answered, name, "[plot.scales.x.min, plot.scales.x.max]")
        assert low == pytest.approx(0.25 * whole, rel=0.05), name
        assert high == pytest.approx(0.5 * whole, rel=0.05), name


def test_where_the_networks_were_not_asked_no_bars_are_shown(page):
    page.get_by_role("button", name="Sensor overdriven").click()
    expect(page.get_by_role("heading", name="Unknown")).to_be_visible()
    expect(page.locator("#not_asked")).to_contain_text("The networks were not asked: the signal is clipped")
    expect(page.locator("#bars")).to_be_hidden()


def test_where_the_shaft_is_too_slow_the_rest_is_shown_and_the_reason(page):
    page.locator("#rpm").fill("10")
    page.locator("#file").set_input_files(EXAMPLES / "ball.wav")
    expect(page.locator("#because")).to_contain_text("from 300 to 8,000 rpm")
    expect(page.locator("#envelope")).to_be_hidden()
    expect(page.locator("#spectrum canvas")).to_be_visible()
    expect(page.locator("#waveform canvas")).to_be_visible()


def test_a_long_recording_has_a_strip_that_fits(open_page, tmp_path):
    page = open_page(viewport={"width": 1280, "height": 800})
    samples = np.tile(wavfile.read(EXAMPLES / "outer_race.wav")[1], 24)
    wavfile.write(tmp_path / f"{'long name ' * 12}.wav", 12_000, samples)
    page.locator("#rpm").fill("1772")
    page.locator("#file").set_input_files(tmp_path / f"{'long name ' * 12}.wav")
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    assert page.locator("#strip button").count() > 300
    assert page.locator("#strip").evaluate("(strip) => strip.scrollWidth - strip.clientWidth") <= 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_window_can_be_looked_at(answered):
    answered.locator("#strip button").nth(3).click()
    start = inside(answered, "answer.js", "module.answer.windows[3].start")
    expect(answered.locator("#window_says")).to_contain_text("Window 4 of")
    scale = plotted(answered, "waveform", "[plot.scales.x.min, plot.scales.x.max]")
    assert scale == pytest.approx([start, start + 8_192 / 12_000])
    labels = plotted(answered, "envelope", "plot.series.map((each) => each.label)")
    assert labels == ["order", "this recording", "the chosen window", "healthy"]
    answered.get_by_role("button", name="Back to the whole recording").click()
    expect(answered.locator("#window_says")).to_be_empty()


def test_the_keyboard_is_enough(page):
    page.locator("#file").focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == OUTER:
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    expect(page.locator("#results")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.role") == "option":
            break
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#window_says")).to_contain_text("Window 3 of")
    page.keyboard.press("End")
    expect(page.locator("#strip button").last).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#window_says")).to_be_empty()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_sticks_out_on_a_phone(open_page, width):
    page = open_page(viewport={"width": width, "height": 800}, has_touch=True)
    page.get_by_role("button", name=OUTER).click()
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert plotted(page, "envelope", "plot.width") <= width
    page.set_viewport_size({"width": 800, "height": 400})  # turned
    page.wait_for_function("document.getElementById('envelope').plot.width > 500")
    assert page.evaluate("document.documentElement.scrollWidth") <= 800


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("example", [None, OUTER, "Sensor overdriven"])
def test_contrast_labels_and_structure_pass_the_accessibility_checks(open_page, scheme, example):
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    expect(page.get_by_role("button", name=OUTER)).to_be_visible()
    if example:
        page.get_by_role("button", name=example).click()
        expect(page.locator("#results")).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def run_curl(page, folder):
    """Return the service's answer to the page's curl command, and the one that the page shows, but for their times."""
    command = inside(page, "export.js", "module.asCurl()")
    ran = subprocess.run(["bash", "-c", f"{command} -s"], cwd=folder, capture_output=True, text=True, check=True)
    answers = json.loads(ran.stdout), inside(page, "answer.js", "module.answer")
    return [{name: value for name, value in each.items() if name != "execution_time_ms"} for each in answers]


def test_the_curl_command_asks_the_same(answered, tmp_path):
    for name in ("outer_race.wav", "healthy.wav"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    given, shown = run_curl(answered, tmp_path)
    assert given == shown
    answered.get_by_role("button", name="Copy as curl").click()
    expect(answered.locator("#copied")).not_to_be_empty()


def test_the_curl_command_keeps_what_curl_and_the_shell_take_for_marks(page, tmp_path):
    names = [r"a, b; 'c' \d.wav", 'healthy, "e"; $f.wav']
    for name, example in zip(names, ("outer_race.wav", "healthy.wav"), strict=True):
        (tmp_path / name).write_bytes((EXAMPLES / example).read_bytes())
    page.locator("#bearing").fill("9; 7,94; 39,04")
    page.locator("#rpm").fill("1772")
    page.locator("#baseline").set_input_files(tmp_path / names[1])
    page.locator("#file").set_input_files(tmp_path / names[0])
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    given, shown = run_curl(page, tmp_path)
    assert given == shown
    assert shown["recording"]["bearing"] == "9; 7,94; 39,04"


def test_a_report_can_be_saved(answered, tmp_path):
    with answered.expect_download() as download:
        answered.get_by_role("button", name="Save a report").click()
    assert download.value.suggested_filename == "outer_race.wav.report.html"
    download.value.save_as(tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text()
    assert "Outer race fault" in report
    assert "healthy.wav, 11 s" in report


def test_the_answer_can_be_saved(answered, tmp_path):
    with answered.expect_download() as download:
        answered.get_by_role("button", name="Save the answer").click()
    assert download.value.suggested_filename == "outer_race.wav.diagnosis.json"
    download.value.save_as(tmp_path / "answer.json")
    assert json.loads((tmp_path / "answer.json").read_text())["prediction"] == "OuterRace"
