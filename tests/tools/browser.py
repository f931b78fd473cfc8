"""The browser of the page's tests: `python -m tests.tools.browser` installs Chromium where no browser is found."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
INSTALL = (["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"])


def find() -> str | None:
    """Return the path of a browser that is installed here, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def started(executable: str) -> Iterator[Browser]:
    """Start a browser and yield it."""
    with sync_playwright() as playwright:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium has no sandbox for root
        browser = playwright.chromium.launch(executable_path=executable, args=[*QUIET, "--disable-gpu", *sandbox])
        yield browser
        browser.close()


def main() -> None:
    if find():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("There is no browser here: Debian's chromium is installed for the page's tests.")
        for command in INSTALL:
            subprocess.run(command, check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    if not find():
        print(f"NO BROWSER: {', '.join(NAMES)} are not here and cannot be installed: the page's tests will be skipped.")


if __name__ == "__main__":
    main()
