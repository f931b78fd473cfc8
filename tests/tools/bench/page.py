"""How soon the page is ready in a browser, how soon a recording is answered there, and how much the page weighs.

Medians over loopback: `python -m tests.tools.bench.page`.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, expect

from tests.conftest import running
from tests.tools import browser as browsers

ROUNDS = 10
EXAMPLE = "Motor, outer race fault"
WEIGHT = """[...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")]
  .reduce((sum, entry) => sum + entry.decodedBodySize, 0)"""
ANSWER = """() => new Promise((resolve) => {
  const start = performance.now();
  const results = document.getElementById("results");
  const look = () => results.hidden || resolve(performance.now() - start);
  new MutationObserver(look).observe(results, { attributes: true });
  document.querySelector("#example_buttons button").click();
})"""


def main() -> None:
    executable = browsers.find()
    if not executable:
        sys.exit(f"none of {', '.join(browsers.NAMES)} is here: python -m tests.tools.browser")
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as url,
        browsers.started(executable) as browser,
    ):
        ready, answered, weights = zip(*(measure(browser, url) for _ in range(ROUNDS)), strict=True)
    print(f"the page is ready after {median(ready):.0f} ms and weighs {max(weights) / 1000:.0f} kB")
    print(f"an example of 5 s with its baseline is answered and drawn after {median(answered):.0f} ms")


def measure(browser: Browser, url: str) -> tuple[float, float, int]:
    """Return ms until the page is ready with an empty cache, ms until an example is drawn, and bytes."""
    page = browser.new_page()
    page.goto(url)
    expect(page.get_by_role("button", name=EXAMPLE)).to_be_visible()
    expect(page.locator("#provenance")).not_to_be_empty()
    found = page.evaluate("performance.now()"), page.evaluate(WEIGHT), page.evaluate(ANSWER)
    page.close()
    return found[0], found[2], found[1]


if __name__ == "__main__":
    main()
