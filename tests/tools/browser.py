"""The browser of the page's tests: `python -m tests.tools.browser` installs Chromium where no browser is found."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

SHELL = "chromium-headless-shell"  # Chromium's engine without its windows, in Debian's package of this name
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")

# The list below the address bar is a page of its own, which each window loads in a process of its own, and beside each
# page a process waits for a next one. No test needs them, and they cost half of what Chromium does.
UNUSED = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess")
# Chromium takes the last list of features alone, so this names what Playwright's own list names for Linux and macOS.
PLAYWRIGHTS = (
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
)  # fmt: skip
FEATURES = f"--disable-features={','.join((*PLAYWRIGHTS, *UNUSED))}"

UPDATE = ("apt-get", "update", "-qq")
INSTALL = ("apt-get", "install", "-qq", "-y", "--no-install-recommends")


def find() -> str | None:
    """Return the path of a browser that is installed here, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def started(executable: str) -> Iterator[Browser]:
    """Start a browser and yield it."""
    with sync_playwright() as playwright:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium has no sandbox for root
        args = [*QUIET, FEATURES, "--disable-gpu", *sandbox]
        browser = playwright.chromium.launch(executable_path=executable, args=args)
        yield browser
        browser.close()


def main() -> None:
    if find():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("There is no browser here: Chromium is installed from Debian for the page's tests.")
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(UPDATE, check=False, env=quiet)
        for package in (SHELL, "chromium"):  # some distributions have no package of the former
            if not find():
                subprocess.run([*INSTALL, package], check=False, env=quiet)
    if not find():
        print(f"NO BROWSER: {', '.join(NAMES)} are not here and cannot be installed: the page's tests will be skipped.")


if __name__ == "__main__":
    main()
