"""One browser and one service for all tests of the page that run one after the other in a process."""

import pytest
from playwright.sync_api import expect

from tests.conftest import running
from tests.system.page.helpers import OUTER
from tests.tools import browser as browsers


@pytest.fixture(scope="session")
def url(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service")) as url:
        yield url


@pytest.fixture(scope="package")  # Playwright runs an event loop, beside which other tests could start none of theirs
def browser():
    executable = browsers.find()
    if not executable:
        pytest.skip(f"BROWSER TESTS SKIPPED: none of {', '.join(browsers.NAMES)} is here")
    with browsers.started(executable) as browser:
        yield browser


@pytest.fixture
def open_page(browser, url):
    """Return a function that opens the page; an error that the page logs fails the test."""
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
