"""What several tests of the page need to know."""

from typing import Any

from playwright.sync_api import Page

from tests.conftest import ROOT

FOLDER, EXAMPLES = ROOT / "api" / "page", ROOT / "assets" / "examples"
OUTER = "Motor, outer race fault"  # an example's button


def inside(page: Page, module: str, expression: str, given: Any = None) -> Any:
    """Return what an expression gives over `module`, one of the page's modules, and `given`."""
    return page.evaluate(
        f"async (given) => {{ const module = await import('/{module}'); return {expression}; }}", given
    )


def plotted(page: Page, plot: str, expression: str) -> Any:
    """Return what an expression gives over one of the plots: `envelope`, `spectrum` or `waveform`."""
    return page.evaluate(f"((plot) => {expression})(document.getElementById('{plot}').plot)")
