import wave

import pytest
from playwright.sync_api import expect

from tests.system.page.helpers import EXAMPLES

# A transaction that asks again and again keeps every later one of the same store waiting.
HOLD = """() => new Promise((resolve) => {
  indexedDB.open("bearing-diagnosis", 1).onsuccess = ({ target }) => {
    const store = target.result.transaction("baseline", "readwrite").objectStore("baseline");
    const ask = () => { if (!window.released) store.count().onsuccess = ask; };
    store.count().onsuccess = () => { ask(); resolve(); };
  };
})"""
HEALTHY = "(healthy.wav)"


@pytest.fixture
def kept(page):
    """The page with a baseline that the browser has stored."""
    page.locator("summary").click()
    page.locator("#baseline").set_input_files(EXAMPLES / "healthy.wav")
    expect(page.locator("#baseline_state")).to_have_text(HEALTHY)
    return page


def test_a_baseline_is_kept_in_the_browser_until_it_is_forgotten(kept):
    kept.reload()
    expect(kept.locator("#baseline_state")).to_have_text(HEALTHY)
    kept.locator("#rpm").fill("1772")
    kept.locator("#bearing").fill("6205-2RS")
    kept.locator("#file").set_input_files(EXAMPLES / "outer_race.wav")
    expect(kept.get_by_role("heading", name="Outer race fault")).to_be_visible()
    assert len(kept.evaluate("document.getElementById('envelope').plot.data")) == 3
    kept.locator("summary").click()
    kept.get_by_role("button", name="Forget the baseline").click()
    expect(kept.locator("#baseline_state")).to_contain_text("none")
    kept.reload()
    expect(kept.locator("#baseline_state")).to_contain_text("none")


def test_the_page_says_that_a_baseline_is_kept_only_when_the_store_has_it(page):
    page.evaluate(HOLD)
    page.locator("summary").click()
    page.locator("#baseline").set_input_files(EXAMPLES / "healthy.wav")
    expect(page.locator("#baseline_state")).to_contain_text("healthy.wav")
    assert page.locator("#baseline_state").inner_text() == "(keeping healthy.wav …)"
    page.evaluate("window.released = true")
    expect(page.locator("#baseline_state")).to_have_text(HEALTHY)


def test_the_page_says_that_a_baseline_is_forgotten_only_when_the_store_has_forgotten_it(kept):
    kept.evaluate(HOLD)
    kept.get_by_role("button", name="Forget the baseline").click()
    expect(kept.locator("#forget")).to_be_hidden()
    assert kept.locator("#baseline_state").inner_text() == "(forgetting it …)"
    kept.evaluate("window.released = true")
    expect(kept.locator("#baseline_state")).to_contain_text("none")


def test_a_browser_that_cannot_keep_a_baseline_says_so(open_page, url):
    page = open_page("about:blank")
    page.add_init_script("indexedDB.open = () => { throw new DOMException('switched off', 'SecurityError'); };")
    page.goto(url)
    page.locator("summary").click()
    page.locator("#baseline").set_input_files(EXAMPLES / "healthy.wav")
    words = "(healthy.wav; this browser cannot keep it: choose it again next time)"
    expect(page.locator("#baseline_state")).to_have_text(words)


def test_a_baseline_that_is_too_short_is_refused_at_its_field(page, tmp_path):
    with wave.open(str(EXAMPLES / "ball.wav")) as example, wave.open(str(tmp_path / "short.wav"), "wb") as short:
        short.setparams(example.getparams())
        short.writeframes(example.readframes(4 * example.getframerate()))
    page.locator("summary").click()
    page.locator("#baseline").set_input_files(tmp_path / "short.wav")
    page.locator("#rpm").fill("1772")
    page.locator("#file").set_input_files(EXAMPLES / "outer_race.wav")
    expect(page.locator("#baseline_error")).to_contain_text("expected 5 s or more")
