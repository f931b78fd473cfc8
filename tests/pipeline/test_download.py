import hashlib
import json
import re
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from pipeline.catalogue import read_catalogue
from pipeline.download import download
from pipeline.params import InputError

CONTENT = {"1.mat": b"one" * 1000, "2.mat": b"two" * 1000, "excerpts/2.mat": b"tw" * 500}


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; a file named *.truncated is announced longer than it is."""

    def do_GET(self):
        self.server.requested.append(self.path)
        if Path(f"{self.directory}{self.path}.truncated").exists():
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"one")
        elif Path(f"{self.directory}{self.path}.reset").exists():
            self.close_connection = True
        else:
            super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def site(tmp_path):
    """Return (URL, folder, requested paths) of a site on loopback."""
    folder = tmp_path / "site"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        server.requested = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{{file}}", folder, server.requested
        server.shutdown()


@pytest.fixture
def catalogue(tmp_path) -> pd.DataFrame:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    path = tmp_path / "catalogue.csv"
    path.write_text(
        "recording,file,label,sampling_rate,sha256,samples,excerpt_file,excerpt_sha256,excerpt_samples\n"
        f"1,1.mat,Worn,12000,{hashes['1.mat']},10,,,\n"
        f"2,2.mat,Good,12000,{hashes['2.mat']},20,excerpts/2.mat,{hashes['excerpts/2.mat']},5\n"
    )
    return read_catalogue(path)


def fill(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(CONTENT[name])
    return str(folder)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_is_copied_and_the_manifest_says_so(catalogue, tmp_path):
    target = tmp_path / "recordings"
    manifest = download(catalogue, target, [fill(tmp_path / "mirror", "1.mat", "2.mat")])
    assert files(target) == ["1.mat", "2.mat", "manifest.json"]
    assert (target / "1.mat").read_bytes() == CONTENT["1.mat"]
    assert json.loads((target / "manifest.json").read_text()) == manifest
    assert manifest["2"] == {
        "file": "2.mat", "sha256": catalogue.sha256[1], "samples": 20, "variant": "original",
    }  # fmt: skip


def test_the_mirror_that_the_environment_names_comes_first(catalogue, tmp_path, site, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "mirror", "1.mat", "2.mat")
    monkeypatch.setenv("MIRROR", "mirror")
    download(catalogue, tmp_path / "recordings", [site[0]], mirror="MIRROR")
    assert site[2] == []


def test_a_url_is_downloaded(catalogue, tmp_path, site):
    fill(site[1], "1.mat", "2.mat")
    download(catalogue, tmp_path / "recordings", [site[0]])
    assert (tmp_path / "recordings" / "2.mat").read_bytes() == CONTENT["2.mat"]


def test_an_excerpt_stands_in_only_where_no_source_has_the_original(catalogue, tmp_path, site):
    mirror = fill(tmp_path / "mirror", "1.mat", "excerpts/2.mat")
    manifest = download(catalogue, tmp_path / "recordings", [mirror, site[0]])
    assert (manifest["2"]["variant"], manifest["2"]["samples"]) == ("excerpt", 5)

    fill(site[1], "2.mat")
    manifest = download(catalogue, tmp_path / "recordings", [mirror, site[0]])
    assert manifest["2"]["variant"] == "original"
    assert files(tmp_path / "recordings") == ["1.mat", "2.mat", "manifest.json"]


@pytest.mark.parametrize("fault", ["page", "truncated", "other"])
def test_what_is_not_the_recording_is_refused_and_the_next_source_is_tried(catalogue, tmp_path, site, fault):
    fill(site[1], "2.mat")
    if fault == "page":
        (site[1] / "1.mat").write_text("<!DOCTYPE html><title>Not here any more</title>")
    elif fault == "truncated":
        (site[1] / "1.mat.truncated").touch()
    else:
        (site[1] / "1.mat").write_bytes(b"one" * 999)
    target = tmp_path / "recordings"
    with pytest.raises(InputError, match=r"1 of 2 recordings could not be had"):
        download(catalogue, target, [site[0]])
    assert files(target) == ["2.mat"]

    download(catalogue, target, [site[0], fill(tmp_path / "next", "1.mat")])
    assert (target / "1.mat").read_bytes() == CONTENT["1.mat"]


def test_one_error_lists_every_missing_file_and_says_what_to_do(catalogue, tmp_path):
    with pytest.raises(InputError) as error:
        download(catalogue, tmp_path / "recordings", [str(tmp_path / "nowhere")], mirror="MIRROR")
    message = str(error.value)
    assert "2 of 2 recordings could not be had" in message
    assert re.search(r"1\.mat, 2\.mat: not in .*nowhere", message)
    assert "Set MIRROR to a folder or URL that holds them" in message


def test_what_arrived_is_not_fetched_again(catalogue, tmp_path, site):
    fill(site[1], "1.mat")
    target = tmp_path / "recordings"
    with pytest.raises(InputError):
        download(catalogue, target, [site[0]])
    fill(site[1], "2.mat")
    site[2].clear()
    download(catalogue, target, [site[0]])
    assert site[2] == ["/2.mat"]


def test_a_damaged_and_a_stale_file_are_replaced_and_removed(catalogue, tmp_path):
    target = tmp_path / "recordings"
    fill(target, "1.mat", "2.mat")
    (target / "1.mat").write_bytes(b"damaged")
    (target / "left-over.tmp").write_bytes(b"half a file")
    download(catalogue, target, [fill(tmp_path / "mirror", "1.mat", "2.mat")])
    assert (target / "1.mat").read_bytes() == CONTENT["1.mat"]
    assert files(target) == ["1.mat", "2.mat", "manifest.json"]


def test_a_host_that_does_not_answer_is_tried_once(catalogue, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.listen()
        source = f"http://127.0.0.1:{silent.getsockname()[1]}/{{file}}"
        with pytest.raises(InputError, match="does not answer"):
            download(catalogue, tmp_path / "recordings", [source], timeout=0.2)
        silent.settimeout(0.2)
        accepted = 0
        while True:
            try:
                silent.accept()[0].close()
            except TimeoutError:
                break
            accepted += 1
    assert accepted == 1


def test_a_file_without_a_hash_follows_the_folder_it_comes_from(catalogue, tmp_path):
    catalogue = catalogue.assign(sha256="")
    mirror = fill(tmp_path / "mirror", "1.mat", "2.mat")
    download(catalogue, tmp_path / "recordings", [mirror])
    (tmp_path / "mirror" / "1.mat").write_bytes(b"measured again")
    manifest = download(catalogue, tmp_path / "recordings", [mirror])
    assert (tmp_path / "recordings" / "1.mat").read_bytes() == b"measured again"
    assert manifest["1"]["sha256"] == hashlib.sha256(b"measured again").hexdigest()


def test_a_page_is_refused_also_where_no_hash_is_known(catalogue, tmp_path, site):
    fill(site[1], "1.mat", "2.mat")
    (site[1] / "1.mat").write_text("<!DOCTYPE html><title>Not here any more</title>")
    with pytest.raises(InputError, match="is a page, not a recording"):
        download(catalogue.assign(sha256=""), tmp_path / "recordings", [site[0]])
    assert files(tmp_path / "recordings") == ["2.mat"]


def test_a_folder_is_never_its_own_source(catalogue, tmp_path):
    source = fill(tmp_path / "recordings", "1.mat", "2.mat")
    with pytest.raises(InputError, match="cannot be its own source"):
        download(catalogue.assign(sha256=""), tmp_path / "recordings", [source])
    assert files(tmp_path / "recordings") == ["1.mat", "2.mat"]


def test_a_host_that_slipped_once_is_asked_for_the_next_file(catalogue, tmp_path, site):
    fill(site[1], "1.mat", "2.mat")
    (site[1] / "slip.mat.reset").touch()
    rows = pd.concat([catalogue[1:], catalogue[:1].assign(recording="s", file="slip.mat"), catalogue[:1]])
    with pytest.raises(InputError, match=r"1 of 3 recordings could not be had:\n  slip\.mat"):
        download(rows, tmp_path / "recordings", [site[0]])
    assert files(tmp_path / "recordings") == ["1.mat", "2.mat"]
