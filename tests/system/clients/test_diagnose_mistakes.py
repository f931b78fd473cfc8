"""What the client says where something is wrong, and that it asks a full service again."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from api.files.extras.libraries import list_suffixes
from tests.system.clients.helpers import MOST_BYTES, NOWHERE, STATED, run

POINT = ("--machine", "pump", "--point", "drive-end")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("outer.npy", "--sampling-rate", "12000"), "rpm: .* not clear enough: give rpm"),
        (("outer.npy", *STATED, "--bearing", "9999"), "bearing: .*what came: 9999"),
        (("outer.npy", *STATED, "--channel", "nowhere"), "channel: .*nowhere"),
        (("broken.mat",), "^broken.mat: the file does not start as a MATLAB file does"),
        (("nowhere.npy",), "nowhere.npy cannot be read: No such file or directory\n$"),
        (("outer.npy", *STATED, "--baseline", "nowhere.npy"), "nowhere.npy cannot be read"),
        (("outer.npy", *STATED, "--baseline", "outer.npy", "--baseline", "outer.npy"),
         f"outer.npy: 2,880,384 bytes to send, the service takes {MOST_BYTES:,} at most"),
        (("outer.npy", *STATED, "--csv", "nowhere/table.csv"), "No such file or directory: 'nowhere/table.csv'"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_words(url, folder, arguments, words):
    answer = run(url, *arguments, cwd=folder)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Traceback" not in answer.stderr
    assert re.search(words, answer.stderr, re.DOTALL)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("outer.npy", "--rpm", "fast"), "argument --rpm: invalid float value: 'fast'"),
        (("outer.npy", "--speed", "3"), "unrecognized arguments: --speed 3"),
        ((), "required: PATH"),
        (("outer.npy", "--csv", "outer.npy"), "outer.npy is a recording and would be overwritten"),
        (("outer.npy", *POINT, "--json"), "--json and --csv are of diagnoses: leave them out with --machine"),
        (("outer.npy", *POINT, "--csv", "table.csv"), "--json and --csv are of diagnoses"),
    ],
)
def test_wrong_arguments_are_refused(folder, arguments, words):
    answer = run(NOWHERE, *arguments, cwd=folder)
    assert answer.returncode == 2
    assert words in answer.stderr


def test_a_folder_without_recordings_is_refused(url, tmp_path):
    (tmp_path / "notes.md").write_text("no recording")
    answer = run(url, tmp_path, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == f"no {', '.join(list_suffixes())} in {tmp_path}\n"
    assert not (tmp_path / "diagnoses.csv").exists()


def test_without_a_service_it_says_what_to_start(folder, tmp_path):
    (tmp_path / "diagnoses.csv").write_text("of yesterday")
    answer = run(NOWHERE, folder, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "no service at http://127.0.0.1:9: start it with `python -m api`\n"
    assert (tmp_path / "diagnoses.csv").read_text() == "of yesterday"


def test_any_other_answer_is_shown_as_it_came(url, folder):
    answer = run(f"{url}/model/", folder / "outer.npy", *STATED)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"404 from {url}/model/diagnose/: ")


ANSWER = {
    "prediction": "OuterRace", "familiarity": 0.5, "probabilities": {"OuterRace": 1}, "warnings": [],
    "agreement": {"verdict": "supports"}, "recording": {"rpm": 1750, "sampling_rate": 12_000, "seconds": 10},
}  # fmt: skip


@contextmanager
def full_service(answers_full):
    """A stand-in that says to every upload that it is full, so many times, and then answers; yields URL and count."""
    count = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(404, {"detail": "Not Found"})

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            count.append(self.path)
            if len(count) <= answers_full:
                self.answer(503, {"detail": "too many recordings at once"}, retry="0")
            else:
                self.answer(200, ANSWER)

        def answer(self, status, content, retry=""):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if retry:
                self.send_header("Retry-After", retry)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", count
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_full_service_is_asked_again_when_it_says_so(folder):
    with full_service(3) as (url, count):
        answer = run(url, folder / "outer.npy", *STATED, "--json")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout) == ANSWER
    assert count == ["/diagnose/"] * 4


def test_a_service_that_stays_full_is_given_up(folder):
    with full_service(100) as (url, count):
        answer = run(url, folder / "outer.npy", *STATED)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "503 from" in answer.stderr
    assert "too many recordings at once" in answer.stderr
    assert count == ["/diagnose/"] * 5
