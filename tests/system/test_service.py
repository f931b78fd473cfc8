import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import requests

from pipeline.service import LATER, SERVED, build, compare, free_port, replay, running
from tests.conftest import ROOT, environment


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build") / "service"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        build(folder, (*SERVED, *LATER))
    return folder


@pytest.fixture(scope="module")
def url(folder):
    with running(folder, start_timeout=60) as url:
        yield url


def test_the_folder_holds_the_service_and_its_artefacts_and_nothing_else(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["api", "assets", "data", "model"]
    assert sorted(path.name for path in (folder / "assets").iterdir()) == sorted([*SERVED, *LATER])


def test_it_serves_without_torch_dvc_and_the_repository(folder):
    script = (
        "import sys; from fastapi.testclient import TestClient; from api.api import app\n"
        "with TestClient(app) as client: assert client.get('/health/ready').status_code == 200\n"
        "print([name for name in ('torch', 'dvc', 'scipy', 'pandas', 'sklearn', 'pipeline', 'model.window.wide_kernel')"
        " if name in sys.modules])"
    )
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_replay_asks_for_every_record_in_order(url):
    example = json.loads((ROOT / "assets" / "example.json").read_text())
    golden = json.loads((ROOT / "assets" / "example_answer.json").read_text())["Analysis"]
    records = np.array([item["record"] for item in example * 3], dtype=np.float32)
    analyses, times = replay(url, records, records_per_request=5)
    assert [analysis["Prediction"] for analysis in analyses] == [answer["Prediction"] for answer in golden * 3]
    assert len(times) == 3
    assert all(time > 0 for time in times)


def test_the_model_is_the_one_in_the_folder(url):
    model = requests.get(f"{url}/model/", timeout=60).json()
    assert model["metrics"] == json.loads((ROOT / "assets" / "metrics.json").read_text())


def analyses_of(probabilities):
    return [
        {"Prediction": "AB"[row.argmax()], "Probabilities": dict(zip("AB", row, strict=True))} for row in probabilities
    ]


def test_equal_answers_give_the_accuracy():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    truth = pd.DataFrame({"label": ["A", "B", "B", "B"]})
    assert compare(analyses_of(probabilities), truth, probabilities, ["A", "B"], 1e-6) == {
        "records": 4,
        "accuracy": 0.75,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda answers: answers[0]["Probabilities"].update(A=0.9001), r"up to 1\.0e-04 apart"),
        (lambda answers: answers[0]["Probabilities"].update(A=float("nan")), "up to nan apart"),
        (lambda answers: answers[0].update(Probabilities={"A": 0.1, "B": 0.9}), r"up to 8\.0e-01 apart"),
        (lambda answers: answers[0].update(Probabilities={"A": 0.9, "C": 0.1}), "with classes"),
        (lambda answers: answers[0].update(Prediction="B"), "predicts 1 records otherwise"),
        (lambda answers: answers.pop(), "2 records came back as 1"),
    ],
)
def test_another_answer_than_that_of_evaluate_fails(change, message):
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    answers = analyses_of(probabilities)
    change(answers)
    with pytest.raises(RuntimeError, match=message):
        compare(answers, pd.DataFrame({"label": ["A", "B"]}), probabilities, ["A", "B"], 1e-6)


def test_a_service_that_does_not_start_fails_with_the_end_of_its_log(folder, tmp_path):
    broken = tmp_path / "service"
    (broken / "api").mkdir(parents=True)
    (broken / "api" / "__main__.py").write_text("raise SystemExit('no port for me')")
    with pytest.raises(RuntimeError, match=r"ended with 1.*\n.*no port for me"), running(broken, start_timeout=60):
        pass


def test_its_requirements_alone_are_enough(folder, image):
    """The image's environment, which holds what api/requirements.txt names, the folder, and nothing else."""
    python = image.path("/usr/local/bin/python")
    listing = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "dvc", "sklearn", "pandas"} & {line.split()[0] for line in listing.splitlines()}
    port = free_port()
    process = subprocess.Popen([python, "-m", "api"], cwd=folder, env=environment(PORT=str(port)))
    try:
        checked = subprocess.run(
            [python, "api/test.py", "--url", f"http://127.0.0.1:{port}", "--wait", "60"],
            cwd=folder, env=environment(), capture_output=True, text=True,
        )  # fmt: skip
        assert checked.returncode == 0, checked.stdout + checked.stderr
    finally:
        process.terminate()
        process.wait(timeout=60)


def run_client(name, url, *arguments):
    command = [sys.executable, str(ROOT / "api" / name), "--url", url, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)


def test_performance_prints_the_table_of_the_reference(url):
    answer = run_client("performance.py", url, "--rounds", "2")
    assert answer.returncode == 0, answer.stderr
    rows = [line.split() for line in answer.stdout.splitlines()[1:]]
    assert [int(row[0]) for row in rows] == [1, 5, 10, 25, 50, 100, 150, 200]
    assert all(0 < float(row[1]) < float(row[2]) for row in rows)


def test_the_client_checks_itself_on_synthetic_records_where_there_is_no_holdout(url, folder):
    command = [sys.executable, str(folder / "api" / "test.py"), "--url", url]
    answer = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "No held-out windows here: 4 synthetic records" in answer.stdout
    assert answer.stdout.strip().endswith("all right")


@pytest.mark.parametrize("name", ["test.py", "performance.py"])
def test_without_a_service_the_clients_say_so(name):
    answer = run_client(name, "http://127.0.0.1:9")
    assert answer.returncode == 1
    assert answer.stderr.startswith("no service")
