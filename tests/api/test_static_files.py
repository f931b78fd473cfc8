import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.static_files import list_files, make_routes


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "index.html").write_text("<p>page</p>")
    (tmp_path / "page.js").write_text("export const one = 1;")
    (tmp_path / "deeper" / "data.json").write_text("{}")
    return tmp_path


@pytest.fixture
def browser(folder):
    return TestClient(FastAPI(routes=make_routes(list_files(folder))), raise_server_exceptions=False)


def test_each_file_has_a_path_of_its_own_and_the_index_that_of_the_folder(folder):
    assert set(list_files(folder)) == {"/", "/page.js", "/deeper/data.json"}


def test_a_file_is_sent_with_its_type(browser):
    assert browser.get("/").headers["Content-Type"].startswith("text/html")
    answer = browser.get("/page.js")
    assert (answer.status_code, answer.text) == (200, "export const one = 1;")
    assert answer.headers["Content-Type"].startswith("text/javascript")


def test_a_browser_asks_again_each_time_and_is_sent_only_what_has_changed(browser, folder):
    first = browser.get("/page.js")
    assert first.headers["Cache-Control"] == "no-cache"
    same = browser.get("/page.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    (folder / "page.js").write_text("export const two = 22;")
    changed = browser.get("/page.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.text) == (200, "export const two = 22;")


def test_other_paths_are_not_found(browser):
    assert browser.get("/deeper").status_code == 404
