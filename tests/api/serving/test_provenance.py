import hashlib
import subprocess

from api.serving.provenance import read_versions
from tests.conftest import ROOT


def test_versions_name_the_files_and_the_commit(monkeypatch):
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    monkeypatch.delenv("RENDER_GIT_COMMIT", raising=False)
    versions = read_versions(ROOT / "assets")
    assert versions["model_sha256"] == hashlib.sha256((ROOT / "assets" / "model.onnx").read_bytes()).hexdigest()
    assert versions["dvc_lock_sha256"] == hashlib.sha256((ROOT / "dvc.lock").read_bytes()).hexdigest()
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    assert versions["git_commit"] == head.stdout.strip()


def test_a_deployment_names_its_commit(monkeypatch):
    monkeypatch.setenv("RENDER_GIT_COMMIT", "abc123")
    assert read_versions(ROOT / "assets")["git_commit"] == "abc123"


def test_what_is_not_there_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr("api.serving.provenance.ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    monkeypatch.delenv("RENDER_GIT_COMMIT", raising=False)
    versions = read_versions(tmp_path)
    assert (versions["model_sha256"], versions["dvc_lock_sha256"], versions["git_commit"]) == ("unknown",) * 3
