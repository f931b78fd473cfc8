"""What README and docs tell a person to type runs, and what they tell to send is answered."""

import json
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT, environment, running
from tests.tools.docs import pages

EXAMPLE = json.loads((ROOT / "assets" / "example.json").read_text())
CURL = [line for page in ("README.md", "docs/window.md") for line in re.findall(r"^curl .+$", pages.read(page), re.M)]


def python_of(page: str) -> list[str]:
    """Return a page's blocks of Python."""
    return re.findall(r"^```python\n(.*?)^```", pages.read(page), re.DOTALL | re.MULTILINE)


CLIENTS = python_of("docs/window.md")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service")) as url:
        yield url


@pytest.mark.parametrize("command", CURL)
def test_a_command_of_curl_is_answered(service, command):
    words = shlex.split(command.replace("http://127.0.0.1:8000", service))
    ran = subprocess.run([words[0], "-sS", "--fail", *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["prediction"] == "OuterRace" if "diagnose" in command else len(answer["Analysis"]) == len(EXAMPLE)


@pytest.mark.parametrize("code", CLIENTS)
def test_a_client_in_python_is_answered(service, code, tmp_path):
    np.save(tmp_path / "records.npy", np.array([item["record"] for item in EXAMPLE], np.float32))
    host = service.removeprefix("http://")
    code = code.replace("127.0.0.1:8000", host).replace("localhost:8000", host)
    code = f"import numpy as np\nrecords = np.load({str(tmp_path / 'records.npy')!r})\n{code}"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("page", "printed"), [("README.md", "OuterRace"), ("docs/recording.md", ""), ("docs/machine.md", "")]
)
def test_an_example_that_needs_no_service_runs(page, printed):
    *_, code = python_of(page)
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(printed)


def test_both_ways_to_ask_are_on_the_page():
    assert len(CLIENTS) == 2
    assert len(CURL) >= 3
