"""Where the page comes from: its weight, a service with keys, and a server of its own."""

import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.conftest import running
from tests.system.page.helpers import FOLDER, OUTER, inside

MOST_BYTES = 250_000
KEY = "a-key-for-the-page-tests"


def test_the_page_is_light_and_loads_from_the_service_alone(open_page, url):
    asked = []
    page = open_page("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    expect(page.get_by_role("button", name=OUTER)).to_be_visible()
    expect(page.locator("#provenance")).not_to_be_empty()
    weight = page.evaluate(
        "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
        ".reduce((sum, entry) => sum + entry.decodedBodySize, 0)"
    )
    assert 60_000 < weight < MOST_BYTES
    assert all(request.startswith((url, "data:")) for request in asked)


def test_every_file_of_the_page_is_used_and_light(open_page, url):
    asked = set()
    page = open_page("about:blank")
    page.on("request", lambda request: asked.add(request.url.rsplit("/", 1)[1] or "index.html"))
    page.goto(url)
    expect(page.get_by_role("button", name=OUTER)).to_be_visible()
    page.goto(f"{url}/machines.html")
    expect(page.locator("#error")).to_be_visible()
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert {path.name for path in files} - asked == {"uPlot.LICENSE.txt"}
    assert sum(path.stat().st_size for path in files) < MOST_BYTES


def test_opened_as_a_file_the_page_says_how_to_open_it(open_page):
    page = open_page((FOLDER / "index.html").as_uri())
    expect(page.locator("#opened_as_file")).to_be_visible()
    expect(page.locator("#opened_as_file")).to_contain_text("start the service with “python -m api”")


def test_opened_through_the_service_the_page_says_nothing_of_files(page):
    expect(page.locator("#opened_as_file")).to_be_hidden()


def test_where_a_key_is_needed_the_page_asks_for_it(open_page, tmp_path):
    with running(tmp_path, API_KEYS=KEY) as url:
        page = open_page(url)
        expect(page.locator("#api_key_error")).to_contain_text("asks for a key")
        page.locator("#api_key").fill(KEY)
        page.keyboard.press("Tab")
        page.get_by_role("button", name=OUTER).click()
        expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
        expect(page.locator("#scores")).to_contain_text("bearings it was not trained on")
        assert KEY not in inside(page, "export.js", "module.asCurl()")


@pytest.fixture
def hosted(tmp_path):
    """The page on a static server of its own, which names the service; yields its origin and folder."""
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    handler.log_message = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", tmp_path
    server.shutdown()
    thread.join()
    server.server_close()


def name_service(folder, service):
    """Write a service's address into the pages that are hosted in a folder."""
    nowhere = '<meta name="service" content="">'
    for page in folder.glob("*.html"):
        text = page.read_text()
        assert nowhere in text
        page.write_text(text.replace(nowhere, f'<meta name="service" content="{service}">'))


def test_the_page_may_be_hosted_apart_where_the_service_allows_it(open_page, hosted, tmp_path_factory):
    origin, folder = hosted
    with running(tmp_path_factory.mktemp("apart"), CORS_ORIGINS=origin) as service:
        name_service(folder, service)
        page = open_page(origin)
        page.get_by_role("button", name=OUTER).click()
        expect(page.get_by_role("heading", name="Outer race fault")).to_be_visible()
        page.goto(f"{origin}/machines.html")
        expect(page.locator("#error")).to_contain_text("keeps no machines")


def test_hosted_apart_where_the_service_does_not_allow_it_the_page_says_so(open_page, hosted, url):
    origin, folder = hosted
    name_service(folder, url)
    page = open_page(origin)
    expect(page.locator("#scores")).to_contain_text("is the service running?")
