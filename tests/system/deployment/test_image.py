"""The image that the Dockerfile describes, run with the memory of the smallest plan."""

import json
import signal
import subprocess
import sys

import pytest
import requests

from api.serving.provenance import hash_file
from pipeline.service import LATER, SERVED
from tests.conftest import ROOT
from tests.tools.deployment.container import (
    MOST_MEMORY,
    can_be_another,
    files_below,
    limited,
    named_lock,
    started,
)  # fmt: skip
from tests.tools.deployment.dockerfile import read_steps

IN_NO_IMAGE = {"torch", "dvc", "pandas", "scikit-learn", "matplotlib"}


def test_every_step_but_apt_get_was_executed(image):
    steps = read_steps((ROOT / "Dockerfile").read_text())
    assert [rest for word, rest in steps if word == "RUN" and "apt-get" in rest] == [
        "apt-get update && apt-get install -y --no-install-recommends g++"
    ]
    assert image.command == ["python", "-m", "api"]
    assert int(image.user.split(":")[0]) > 0  # a number, so that an orchestrator sees that it is not root


def test_the_image_holds_no_more_than_serving_takes(image):
    names = {path.name.split("-")[0].replace("_", "-") for path in image.root.rglob("*.dist-info")}
    assert {"fastapi", "onnxruntime", "fast-records"} <= names
    assert not names & IN_NO_IMAGE


def test_dockerfile_and_pipeline_assemble_the_same_folder(image, built):
    assert files_below(image.path(".")) == files_below(built) | {"dvc.lock"}  # which DVC writes after that stage
    assert {path.name for path in image.path("assets").iterdir()} == {*SERVED, *LATER}


def test_it_serves_within_512_mb(container):
    after_start = container.memory.now()
    example = json.loads((ROOT / "assets" / "example.json").read_text())
    golden = json.loads((ROOT / "assets" / "example_answer.json").read_text())["Analysis"]
    answer = requests.post(f"{container.url}/batch_predict/", json=example, timeout=60)
    assert [item["Prediction"] for item in answer.json()["Analysis"]] == [item["Prediction"] for item in golden]
    with (ROOT / "assets" / "examples" / "outer_race.wav").open("rb") as file:
        diagnosis = requests.post(f"{container.url}/diagnose/", files={"file": file}, data={"rpm": 1772}, timeout=60)
    assert diagnosis.json()["prediction"] == "OuterRace"
    large = requests.post(f"{container.url}/batch_predict/", json=(example * 50)[:200], timeout=60)
    assert large.status_code == 200
    print(
        f"\nready after {container.seconds:.2f} s; MB: {after_start / 1e6:.0f} after start, "
        f"{container.memory.now() / 1e6:.0f} after the requests, {container.memory.peak / 1e6:.0f} at most"
    )
    assert not container.memory.over
    assert 0 < container.memory.peak < MOST_MEMORY


def test_it_serves_the_page_and_its_examples(container):
    assert '<meta name="service" content="">' in requests.get(container.url, timeout=60).text
    for example in requests.get(f"{container.url}/examples/index.json", timeout=60).json():
        assert requests.get(f"{container.url}/examples/{example['file']}", timeout=60).ok


def test_it_says_what_it_is(container):
    versions = requests.get(f"{container.url}/model/", timeout=60).json()["versions"]
    assert versions["git_commit"] == "0123abc"
    assert versions["json_reader"] == "compiled"


def test_every_answer_names_the_lock_file_it_comes_from(container):
    assert named_lock(container.url) == hash_file(ROOT / "dvc.lock")[:12]


def test_it_runs_as_a_user_that_may_read_it_and_write_nothing(image, container):
    assert {path.stat().st_mode & 0o006 for path in image.path(".").rglob("*")} == {0o004}
    if not can_be_another():
        pytest.skip("USER SKIPPED: only root can start a process as somebody else, with setpriv")
    processes = container.memory.processes()
    assert len(processes) == 2
    assert {process.stat().st_uid for process in processes} == {int(image.user.split(":")[0])}


def test_the_health_check_tells_a_running_service_from_a_stopped_one(image):
    with started(image) as container:
        check = {"cwd": image.path("."), "env": container.environment, "capture_output": True, "timeout": 60}
        assert subprocess.run(image.health_check, **check).returncode == 0
        proxied = check | {"env": container.environment | {"http_proxy": "http://127.0.0.1:9"}}
        assert subprocess.run(image.health_check, **proxied).returncode == 0
        container.process.send_signal(signal.Signals[image.stop_signal])
        assert container.process.wait(timeout=60) == 0
        assert subprocess.run(image.health_check, **check).returncode == 1


def test_a_process_over_the_memory_limit_is_killed():
    """Its children count too."""
    child = "import time; taken = b'x' * 100_000_000; time.sleep(30)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with limited(80_000_000, [sys.executable, "-c", parent]) as (process, memory):
        assert process.wait(timeout=60) == -signal.SIGKILL
        assert memory.over
