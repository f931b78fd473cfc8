"""The stand-in for a Docker engine."""

import pytest

from tests.conftest import ROOT
from tests.tools.deployment.dockerfile import build_image, is_ignored, read_steps


def test_comments_and_continued_lines():
    text = '# a\nFROM python:3.11 AS one\n\nRUN one && \\\n  # b\n  two\ncmd ["three"]\n'
    assert read_steps(text) == [("FROM", "python:3.11 AS one"), ("RUN", "one &&    two"), ("CMD", '["three"]')]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("ADD a b", "ADD: this test cannot execute it"),
        ("COPY missing there", "no such file"),
        ("COPY secret there", "keeps it out"),
        ("RUN rm -rf /app", "absolute path"),
        ("FROM debian:12", "only python"),
    ],
)
def test_a_step_that_cannot_be_executed_is_an_error(tmp_path, step, message):
    (tmp_path / "Dockerfile").write_text(f"WORKDIR /app\n{step}\n")
    (tmp_path / ".dockerignore").write_text("secret\n")
    (tmp_path / "secret").touch()
    with pytest.raises(ValueError, match=message):
        build_image(tmp_path, tmp_path / "image")


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("data/catalogue.csv", True), ("data", True), (".venv/bin/python", True), (".git/config", True),
        ("build/service/api/api.py", True), ("tests/api/test_api.py", True), ("Dockerfile", True),
        ("dvc.yaml", True), ("dvc.lock", False),
        ("api/api.py", False), ("api/native/records.cpp", False), ("assets/examples/ball.wav", False),
        ("api/native/build/lib/fast_records.so", True), ("api/native/fast_records.egg-info/PKG-INFO", True),
        ("model/__pycache__/bearings.pyc", True), ("api/building.py", False),
    ],
)  # fmt: skip
def test_what_the_context_keeps_out(path, ignored):
    assert is_ignored(path, (ROOT / ".dockerignore").read_text().splitlines()) == ignored
