"""Stage service: build the self-contained service, start it, and replay the whole hold-out over HTTP."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import requests
from tqdm import tqdm

from pipeline import params
from pipeline.catalogue import read_metadata
from pipeline.params import ASSETS, HOLDOUT

SERVICE = Path("build/service")
BEARINGS = Path("data/bearings.csv")
TIMES = Path("build/execution_time.json")
SERVED = ("model.onnx", "state_dict.pt", "decoder.json", "metrics.json", "model_card.md",
          "example.json", "example_answer.json")  # fmt: skip
# Of stages that this one does not wait for, so they are no part of its output: whoever deploys lays them beside.
LATER = ("diagnosis.json", "machine.json", "protocols.json", "examples")


def main() -> None:
    section = params.load("service")
    records = np.load(HOLDOUT / "records.npy")
    expected = np.load(HOLDOUT / "probabilities.npy")
    classes = list(json.loads((ASSETS / "decoder.json").read_text()).values())
    truth = read_metadata(HOLDOUT / "truth.csv")
    build(SERVICE, SERVED)
    with running(SERVICE, section["start_timeout"]) as url:
        analyses, times = replay(url, records, section["records_per_request"])
    scores = compare(analyses, truth, expected, classes, section["tolerance"])
    (ASSETS / "service.json").write_text(json.dumps(scores, indent=1) + "\n")
    write_times(times, section["records_per_request"])


def build(folder: Path, assets: Iterable[str]) -> None:
    """Assemble what a machine with Python and api/requirements.txt needs to serve these assets, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    for package in ("api", "model"):
        shutil.copytree(package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    (folder / "data").mkdir()
    shutil.copyfile(BEARINGS, folder / BEARINGS)
    (folder / "assets").mkdir()
    for name in assets:
        copy = shutil.copytree if (ASSETS / name).is_dir() else shutil.copyfile
        copy(ASSETS / name, folder / "assets" / name)


@contextmanager
def running(folder: Path, start_timeout: float) -> Iterator[str]:
    """Run the service from its folder on a free port, yield its URL once it is ready, and stop it in the end."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ASSETS")}
    environment |= {"HOST": "127.0.0.1", "PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1"}
    log = folder.parent / "service.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "api"], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process, log, start_timeout)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_ready(url: str, process: subprocess.Popen, log: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if requests.get(f"{url}/health/ready", timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    state = f"not ready after {timeout:g} s" if process.poll() is None else f"ended with {process.returncode}"
    raise RuntimeError(f"the service is {state}; its log ends with:\n{log.read_text()[-2000:]}")


def replay(url: str, records: np.ndarray, records_per_request: int) -> tuple[list[dict], list[float]]:
    """Return the service's analysis of every record and each request's execution time in ms."""
    analyses, times = [], []
    with requests.Session() as session:
        session.trust_env = False  # requests to loopback go through no proxy
        for start in tqdm(range(0, len(records), records_per_request), desc="replay", unit="request", disable=None):
            batch = records[start : start + records_per_request].tolist()
            answer = session.post(f"{url}/batch_predict/", json=[{"record": record} for record in batch], timeout=60)
            answer.raise_for_status()
            analyses += answer.json()["Analysis"]
            times.append(answer.json()["Execution Time"])
    return analyses, times


def compare(
    analyses: list[dict], truth: pd.DataFrame, expected: np.ndarray, classes: list[str], tolerance: float
) -> dict:
    """Return the accuracy over HTTP. Raises RuntimeError where an answer is not the one that evaluate scored."""
    probabilities = pd.DataFrame([analysis["Probabilities"] for analysis in analyses])
    if len(analyses) != len(expected) or set(probabilities) != set(classes):
        raise RuntimeError(f"{len(expected)} records came back as {len(analyses)} with classes {list(probabilities)}")
    difference = np.abs(probabilities[classes].to_numpy() - expected).max()
    if not difference <= tolerance:  # also where it is NaN
        raise RuntimeError(f"the service's probabilities are up to {difference:.1e} apart from those of evaluate")
    predictions = pd.Series([analysis["Prediction"] for analysis in analyses])
    others = int((predictions != np.array(classes)[expected.argmax(axis=1)]).sum())
    if others:
        raise RuntimeError(f"the service predicts {others} records otherwise than evaluate")
    return {"records": len(analyses), "accuracy": float((predictions == truth.label).mean())}


def write_times(times: list[float], records_per_request: int) -> None:
    """Write the execution times beside the service; they differ from run to run, so DVC does not keep them."""
    full = times[:-1] or times
    summary = {
        "records_per_request": records_per_request,
        "requests": len(full),
        "median_ms": float(np.median(full)),
        "95th_percentile_ms": float(np.percentile(full, 95)),
    }
    TIMES.write_text(json.dumps(summary, indent=1) + "\n")
    print(f"execution time of {records_per_request} records over HTTP: median {summary['median_ms']:.1f} ms")


if __name__ == "__main__":
    params.run_stage(main)
