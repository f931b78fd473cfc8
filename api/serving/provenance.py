"""The files, the code and the libraries from which an answer comes."""

import hashlib
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HEADER = ("model_sha256", "diagnosis_sha256", "git_commit", "dvc_lock_sha256", "manifest_sha256")
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


def write_header(versions: dict[str, str]) -> bytes:
    """Return the value of X-Model: versions short enough for a header, and long enough to find them in GET /model/."""
    return ", ".join(f"{name.removesuffix('_sha256')}={versions[name][:12]}" for name in HEADER).encode()


def hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "unknown"


def ask_git() -> str:
    """Return the commit of the repository whose root this is, not that of another repository around it."""
    command = ["git", "rev-parse", "--show-toplevel", "HEAD"]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    top, commit = answer.stdout.splitlines()
    return commit if Path(top) == ROOT else "unknown"
