"""The notebooks in docs run from the first cell to the last, in a short form."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT, running

DOCS = ROOT / "docs"
NAMES = ("benchmark", "training")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service")) as url:
        yield url


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(DOCS / f"{name}.ipynb", as_version=4)


def execute(name: str, folder: Path = DOCS) -> str:
    """Return what an executed notebook printed and showed as text."""
    notebook = read(name)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    return "\n".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs)


def test_these_are_all_notebooks():
    assert sorted(path.stem for path in DOCS.glob("*.ipynb")) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_committed_without_outputs(name):
    for cell in read(name).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_the_training_notebook_runs_without_recordings(monkeypatch):
    for name in [name for name in os.environ if name.endswith("_MIRROR")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EPOCHS", "1")
    text = execute("training")
    for words in ("bearing", "combinations", "held-out windows right"):
        assert words in text


def test_the_benchmark_starts_both_backends_itself(monkeypatch):
    monkeypatch.delenv("SERVICE_URL", raising=False)
    monkeypatch.setenv("REQUESTS", "3")
    text = execute("benchmark")
    for words in ("torch", "onnx", "requests/s", "99 % (ms)", "Prediction"):
        assert words in text


def test_the_benchmark_asks_the_service_that_it_is_told(monkeypatch, service):
    monkeypatch.setenv("SERVICE_URL", service)
    monkeypatch.setenv("REQUESTS", "3")
    text = execute("benchmark")
    assert "onnx" in text
    assert "torch" not in text
