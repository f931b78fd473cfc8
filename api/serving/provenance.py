"""Which files, code and libraries an answer comes from."""

import hashlib
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARIES = ("fastapi", "numpy", "onnxruntime", "pydantic", "uvicorn")


def read_versions(folder: Path) -> dict[str, str]:
    """Return hashes of both models and of dvc.lock, the git commit, and versions of Python and the libraries."""
    return {
        "model_sha256": hash_file(folder / "model.onnx"),
        "diagnosis_sha256": hash_file(folder / "diagnosis.json"),
        "dvc_lock_sha256": hash_file(ROOT / "dvc.lock"),
        "git_commit": os.environ.get("GIT_COMMIT") or os.environ.get("RENDER_GIT_COMMIT") or ask_git(),
        "python": platform.python_version(),
    } | {library: version(library) for library in LIBRARIES}


def hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "unknown"


def ask_git() -> str:
    """Return the commit of the repository whose root this is; another one that lies around it does not count."""
    command = ["git", "rev-parse", "--show-toplevel", "HEAD"]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    top, commit = answer.stdout.splitlines()
    return commit if Path(top) == ROOT else "unknown"
