import functools
import json
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from scipy.io import wavfile

from model.bearings import BEARINGS
from pipeline.service import free_port
from tests.conftest import ROOT, running
from tests.tools import browser as browsers

PAGE, EXAMPLES = ROOT / "api" / "page", ROOT / "assets" / "examples"
MOST_BYTES = 250_000
TIMES = "\u00d7"
OUTER = "Motor, outer race fault"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service")) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    executable = browsers.find()
    if not executable:
        pytest.skip(f"BROWSER TESTS SKIPPED: none of {', '.join(browsers.NAMES)} is here")
    with browsers.started(executable) as browser:
        yield browser


@pytest.fixture
def open_page(browser, url):
    """Return a function that opens the page; whatever it logs as an error fails the test."""
    contexts, errors = [], []

    def open_it(where=url, **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 860}} | options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(where)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(open_page):
    page = open_page()
    expect(page.get_by_role("button", name=OUTER)).to_be_visible()
    return page


@pytest.fixture
def answered(page):
    page.get_by_role("button", name=OUTER).click()
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    return page


def test_it_is_light_and_soon_there(open_page, url):
    asked = []
    page = open_page("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    expect(page.get_by_role("button", name=OUTER)).to_be_visible()
    ready = page.evaluate("performance.now()")
    entries = page.evaluate(
        "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
    )
    weight = sum(entry["decodedBodySize"] for entry in entries)
    assert ready < 1_000
    assert 60_000 < weight < MOST_BYTES
    assert all(request.startswith((url, "data:")) for request in asked)


def test_the_files_of_the_page_are_light_whatever_is_loaded():
    assert sum(path.stat().st_size for path in PAGE.iterdir()) < MOST_BYTES


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


def test_the_lines_are_drawn_where_the_geometry_says_and_the_fault_shows_there(answered):
    orders = BEARINGS["6205-2RS"].orders
    drawn = {line["name"]: line["order"] for line in answered.evaluate("document.getElementById('envelope').lines")}
    for harmonic in (1, 2, 3):
        for name, order in (("BPFO", orders.bpfo), ("BPFI", orders.bpfi)):
            assert drawn[name if harmonic == 1 else f"{harmonic}{TIMES}{name}"] == pytest.approx(harmonic * order)
        assert drawn[f"{2 * harmonic}{TIMES}BSF"] == pytest.approx(2 * harmonic * orders.bsf)
    assert drawn["FTF"] == pytest.approx(orders.ftf)
    assert drawn["shaft"] == 1
    x, present, healthy = answered.evaluate("document.getElementById('envelope').plot.data")
    height = np.array([value or 0 for value in present])
    assert abs(x[int(height.argmax())] - orders.bpfo) < 0.1
    assert height.max() > 3 * max(value or 0 for value in healthy)


def test_what_the_plots_show_is_what_the_service_answered(answered):
    data = answered.evaluate("[answer, document.getElementById('waveform').plot.data]")
    assert data[1][1:] == [data[0]["series"]["waveform"]["low"], data[0]["series"]["waveform"]["high"]]


def test_the_plots_can_be_zoomed(answered):
    for name in ("envelope", "spectrum", "waveform"):
        box = answered.locator(f"#{name} .u-over").bounding_box()
        answered.locator(f"#{name}").scroll_into_view_if_needed()
        box = answered.locator(f"#{name} .u-over").bounding_box()
        whole = answered.evaluate(f"document.getElementById('{name}').plot.scales.x.max")
        answered.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 50)
        answered.mouse.down()
        answered.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50, steps=4)
        answered.mouse.up()
        low, high = answered.evaluate(
            f"(({{min, max}}) => [min, max])(document.getElementById('{name}').plot.scales.x)"
        )
        assert low == pytest.approx(0.25 * whole, rel=0.05)
        assert high == pytest.approx(0.5 * whole, rel=0.05)


def test_where_the_networks_were_not_asked_no_bars_are_shown(page):
    page.get_by_role("button", name="Sensor overdriven").click()
    expect(page.get_by_role("heading", name="Unknown")).to_be_visible()
    expect(page.locator("#not_asked")).to_contain_text("The networks were not asked: the signal is clipped")
    expect(page.locator("#bars")).to_be_hidden()


def test_where_the_shaft_is_too_slow_the_rest_is_shown_and_the_reason(page):
    page.locator("#rpm").fill("10")
    page.locator("#file").set_input_files(EXAMPLES / "ball.wav")
    expect(page.locator("#because")).to_contain_text("too slow")
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
    assert (
        page.evaluate("(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.getElementById('strip'))")
        <= 0
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_window_can_be_looked_at(answered):
    answered.locator("#strip button").nth(3).click()
    start = answered.evaluate("answer.windows[3].start")
    expect(answered.locator("#window_says")).to_contain_text("Window 4 of")
    scale = answered.evaluate("(({min, max}) => [min, max])(document.getElementById('waveform').plot.scales.x)")
    assert scale == pytest.approx([start, start + 8_192 / 12_000])
    labels = answered.evaluate("document.getElementById('envelope').plot.series.map((each) => each.label)")
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
    assert page.evaluate("document.activeElement.id") == "results"
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
    assert page.evaluate("document.getElementById('envelope').plot.width") <= width
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


# --- files


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
    x, present = page.evaluate("document.getElementById('envelope').plot.data")
    assert abs(x[int(np.argmax(present))] - BEARINGS["6205-2RS"].orders.bpfi) < 0.1


def test_a_file_from_another_rig_is_diagnosed(page, rig):
    page.locator("#bearing").fill("NICE")
    page.locator("#file").set_input_files(rig / "OuterRaceFault_vload_7.mat")
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    drawn = {line["name"]: line["order"] for line in page.evaluate("document.getElementById('envelope').lines")}
    assert drawn["BPFO"] == pytest.approx(81.125 / 25, abs=1e-3)


def test_a_file_can_be_dropped(page):
    content = (EXAMPLES / "ball.wav").read_bytes()
    page.locator("#rpm").fill("1772")
    page.evaluate(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "dropped.wav"));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        list(content),
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


def test_an_old_answer_does_not_pass_for_one_to_what_stands_there_now(answered, tmp_path):
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
    page.locator("#rpm").fill("1772")
    page.evaluate(
        """() => {
          const file = (name) => new File([new Uint8Array(3e6)], name);
          choose(file("first.wav"));
          document.querySelector("#example_buttons button").click();
        }"""
    )
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    page.wait_for_timeout(500)
    assert "outer_race.wav" in page.locator("#subject").inner_text()
    expect(page.locator("#submit")).to_be_enabled()
    expect(page.locator("#error")).to_be_hidden()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("12000", "12000"), ("12,000", "12000"), ("12.000", "12000"), ("12 000", "12000"), ("12'000", "12000"),
     ("1797,5", "1797.5"), ("1797.5", "1797.5")],
)  # fmt: skip
def test_numbers_may_be_written_as_people_write_them(page, typed, meant):
    assert page.evaluate("(text) => plainNumber(text)", typed) == meant


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


def test_a_service_that_is_gone_is_told_in_words(open_page, browser, tmp_path):
    with running(tmp_path) as url:
        page = open_page(url)
        expect(page.get_by_role("button", name=OUTER)).to_be_visible()
    page.locator("#file").set_input_files(EXAMPLES / "ball.wav")
    expect(page.locator("#error")).to_contain_text("is the service running?")
    expect(page.locator("#submit")).to_be_enabled()


# --- the baseline


def test_a_baseline_is_kept_in_the_browser_until_it_is_forgotten(page):
    page.locator("summary").click()
    page.locator("#baseline").set_input_files(EXAMPLES / "healthy.wav")
    expect(page.locator("#baseline_state")).to_have_text("(healthy.wav)")
    page.reload()
    expect(page.locator("#baseline_state")).to_have_text("(healthy.wav)")
    page.locator("#rpm").fill("1772")
    page.locator("#bearing").fill("6205-2RS")
    page.locator("#file").set_input_files(EXAMPLES / "outer_race.wav")
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    assert len(page.evaluate("document.getElementById('envelope').plot.data")) == 3
    page.locator("summary").click()
    page.get_by_role("button", name="Forget the baseline").click()
    page.wait_for_function("async () => (await inStore('readonly', (store) => store.count())) === 0")
    page.reload()
    expect(page.locator("#baseline_state")).to_contain_text("none")


def test_a_baseline_that_is_too_short_is_refused_at_its_field(page):
    page.locator("summary").click()
    page.locator("#baseline").set_input_files(EXAMPLES / "ball.wav")
    page.locator("#rpm").fill("1772")
    page.locator("#file").set_input_files(EXAMPLES / "outer_race.wav")
    expect(page.locator("#baseline_error")).to_contain_text("expected 10 s or more")


# --- taking it along


def test_the_curl_command_asks_the_same(answered, url, tmp_path):
    command = answered.evaluate("asCurl()")
    for name in ("outer_race.wav", "healthy.wav"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    ran = subprocess.run(["bash", "-c", f"{command} -s"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["probabilities"] == answered.evaluate("answer.probabilities")
    answered.get_by_role("button", name="Copy as curl").click()
    expect(answered.locator("#copied")).not_to_be_empty()


def test_the_answer_can_be_saved(answered, tmp_path):
    with answered.expect_download() as download:
        answered.get_by_role("button", name="Save the answer").click()
    assert download.value.suggested_filename == "outer_race.wav.diagnosis.json"
    download.value.save_as(tmp_path / "answer.json")
    assert json.loads((tmp_path / "answer.json").read_text())["prediction"] == "OuterRace"


# --- a service with keys


def test_where_a_key_is_needed_the_page_asks_for_it(open_page, tmp_path):
    key = "a-key-for-the-page-tests"
    with running(tmp_path, API_KEYS=key) as url:
        page = open_page(url)
        expect(page.locator("#api_key_error")).to_contain_text("asks for a key")
        page.locator("#api_key").fill(key)
        page.keyboard.press("Tab")
        page.get_by_role("button", name=OUTER).click()
        expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
        assert key not in page.evaluate("asCurl()")


# --- hosted apart from the service


@pytest.fixture
def hosted(tmp_path):
    """The page on a static server of its own, told where the service is; yields its origin, port and folder."""
    for path in PAGE.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    handler.log_message = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", tmp_path
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("allowed", [True, False])
def test_the_page_may_be_hosted_apart_where_the_service_allows_it(open_page, hosted, tmp_path_factory, allowed):
    origin, folder = hosted
    with running(tmp_path_factory.mktemp("apart"), CORS_ORIGINS=origin if allowed else "") as service:
        index = folder / "index.html"
        text = index.read_text()
        assert '<meta name="service" content="">' in text
        index.write_text(text.replace('<meta name="service" content="">', f'<meta name="service" content="{service}">'))
        page = open_page(origin)
        if allowed:
            page.get_by_role("button", name=OUTER).click()
            expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
        else:
            expect(page.locator("#scores")).to_contain_text("is the service running?")
