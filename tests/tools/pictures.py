"""The pictures of the page in README and docs: `python -m tests.tools.pictures` takes them of a simulated recording."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.conftest import ROOT, running
from tests.tools import browser as browsers

PICTURES = (  # name, colours, width and height in CSS pixels
    ("page", "light", 1280, 1190),
    ("page_phone", "dark", 390, 844),
)

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


def take(browser: Browser, url: str, path: Path, scheme: str, width: int, height: int) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.goto(url)
    page.get_by_role("button", name="Motor, outer race fault").click()
    expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
    page.evaluate(DRAWN)
    page.screenshot(path=path)
    page.close()


if __name__ == "__main__":
    main()
