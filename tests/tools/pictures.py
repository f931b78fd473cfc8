"""The pictures of the pages in README and docs: `python -m tests.tools.pictures` takes them of simulated recordings."""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, expect

from pipeline import params
from tests.conftest import ROOT, running
from tests.tools import browser as browsers
from tests.tools import demo

PICTURES = (  # name, colours, width and height in CSS pixels
    ("page", "light", 1280, 1190),
    ("page_phone", "dark", 390, 844),
)

MACHINE = "feed-pump-1"  # of the demonstration fleet
END = datetime(2026, 6, 1, tzinfo=UTC)  # of its past, so that the picture is the same on any day

DRAWN = """async () => {
  await document.fonts.ready;
  for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
}"""


def main() -> None:
    executable = browsers.find()
    if not executable:
        sys.exit(f"none of {', '.join(browsers.NAMES)} is here: python -m tests.tools.browser")
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as url,
        browsers.started(executable) as browser,
    ):
        for name, scheme, width, height in PICTURES:
            take(browser, url, ROOT / "assets" / f"{name}.png", scheme, width, height)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), DATABASE_URL=f"sqlite:///{folder}/machines.sqlite") as url,
        browsers.started(executable) as browser,
    ):
        number = [plan.name for plan in demo.FLEET].index(MACHINE)
        population = params.load("simulate")["population"]
        demo.fill(url, number, end=END, population=population, advance=lambda: None)
        take_machine(browser, url, ROOT / "assets" / "machine.png")


def take(browser: Browser, url: str, path: Path, scheme: str, width: int, height: int) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.goto(url)
    page.get_by_role("button", name="Motor, outer race fault").click()
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    page.evaluate(DRAWN)
    page.screenshot(path=path)
    page.close()


def take_machine(browser: Browser, url: str, path: Path) -> None:
    page = browser.new_page(
        color_scheme="light", viewport={"width": 1280, "height": 1040}, reduced_motion="reduce", timezone_id="UTC"
    )
    page.goto(f"{url}/machines.html#{MACHINE}/drive-end")
    expect(page.locator("#waterfall canvas")).to_be_visible()
    page.evaluate(DRAWN)
    page.screenshot(path=path)
    page.close()


if __name__ == "__main__":
    main()
