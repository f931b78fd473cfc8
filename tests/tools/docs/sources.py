"""The artefacts behind the numbers of README and docs, each value written as a page writes it."""

import csv
import json
import math
import re
from typing import Any

import torch
import yaml

from api.serving.uvicorn_internals import MOST_HEAD_BYTES
from model.recording.lines import LEAST_RATE, WINDOW_SECONDS
from model.recording.orders.spectra import TURNS
from tests.tools.docs.pages import ROOT


def read_json(name: str) -> Any:
    return json.loads((ROOT / "assets" / name).read_text())


def read_params() -> dict:
    return yaml.safe_load((ROOT / "params.yaml").read_text())


def read_catalogue() -> list[dict[str, str]]:
    with (ROOT / "data" / "catalogue.csv").open() as file:
        return list(csv.DictReader(file))


LOADS = re.compile(r"""(?:<link rel="stylesheet" href="|<script src="|from "\./)([\w.]+)\"""")
MEASURED = read_json("measurements.json")


def measured(*names: str) -> tuple[str, ...]:
    """Return the values of measurements, as the pages write them."""
    return tuple(f"{MEASURED[name]['value']:,}" for name in names)


def macro_f1(protocol: str, network: str, fold: str = "") -> str:
    entry = read_json("protocols.json")[protocol][network]
    return f"{(entry['folds'][fold] if fold else entry['mean'])['macro_f1']:.3f}"


def count_rigs(*names: str, stated: str = "stated") -> tuple[str, ...]:
    """Return counts over all other rigs, without a baseline, at one of rig_trials' sampling rates."""
    rigs = [entry["without baseline"][stated] for entry in read_json("rigs.json")["recording"].values()]
    return tuple(f"{sum(rig[name] for rig in rigs):,}" for name in names)


def count_machines(*names: str, speed: str = "") -> tuple[str, ...]:
    """Return counts over the simulated machines, of all speeds unless one is given."""
    trials = read_json("machine_trials.json")
    entries = [trials[speed]] if speed else list(trials.values())
    return tuple(f"{sum(entry[name] for entry in entries):,}" for name in names)


def count_lives(*names: str) -> tuple[str, ...]:
    """Return scores of the watch on simulated lives."""
    simulated = read_json("lives.json")["simulated"]
    scores = simulated | simulated["methods"]["watch"]
    return tuple(f"{scores[name]:,.1f}" if isinstance(scores[name], float) else f"{scores[name]:,}" for name in names)


def rate_below() -> str:
    """Return the false alarms in 10,000 recordings that none in those watched rules out at 95 %, -log(0.05) / n."""
    scores = read_json("lives.json")["simulated"]
    assert scores["methods"]["watch"]["false_alarms"] == 0
    return f"{-1e4 * math.log(0.05) / scores['watched']:.1f}"


def closest_run() -> str:
    """Return the highest severity of the watch before the onset, over all runs to failure."""
    runs = read_json("lives.json")["runs"]["watch"]["runs"].values()
    return f"{max(run['highest_severity_before'] for run in runs):.2f}"


def weigh_page() -> str:
    """Return the kB of the page and of what it loads."""
    page, loaded, todo = ROOT / "api" / "page", set(), ["index.html"]
    while todo:
        name = todo.pop()
        loaded.add(name)
        text = (page / name).read_text()
        todo += set(LOADS.findall(text)) - loaded
    return f"{sum((page / name).stat().st_size for name in loaded) / 1000:.0f}"


def kilo(value: float) -> str:
    return f"{value / 1000:g}"


PARAMS, METRICS, CATALOGUE = read_params(), read_json("metrics.json"), read_catalogue()
PYTHON = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())[1]
SPEED = PARAMS["thresholds"]["shaft_speed"]
TOLD_SPEEDS = tuple(f"{60 * rate:,.0f}" for rate in (SPEED["room_below"] * SPEED["rates"][0], SPEED["rates"][1]))
WINDOW_LENGTH = f"{PARAMS['windows']['window_length']:,}"
SAMPLING_RATE = kilo(PARAMS["windows"]["sampling_rate"]["resampled"])
BAND_LIMIT = kilo(PARAMS["scale"]["band_limit"]["resampled"])
OTHER_MAKER = list(read_json("protocols.json")["bearing"]["recording"]["folds"])[-1]  # the fold that stands apart
HELD_OUT = f"{sum(METRICS['holdout']['windows'].values()):,}"
ACCURACY = f"{METRICS['holdout']['accuracy']:.4f}"
PARAMETERS = f"{sum(each.numel() for each in torch.load(ROOT / 'assets/state_dict.pt', weights_only=True).values()):,}"
EXCERPTS = [row["recording"] for row in CATALOGUE if row["excerpt_file"]]
EXCERPT_LOADS = sorted(row["load_hp"] for row in CATALOGUE if row["excerpt_file"])
FAULT_RATE, HEALTHY_RATE = (
    kilo(int(next(row["sampling_rate"] for row in CATALOGUE if (row["label"] == "Normal") == healthy)))
    for healthy in (False, True)
)
LEAST_KILOHERTZ, LEAST_SECONDS = kilo(LEAST_RATE), f"{WINDOW_SECONDS:.1f}"
WINDOW_OF_RECORDING = f"{WINDOW_SECONDS:.2f}"
SEGMENT_TURNS = str(TURNS)
HEAD = str(MOST_HEAD_BYTES // 1024)


def count_healthy(samples: str) -> str:
    """Return how many healthy windows there are, by a column of the catalogue that counts samples."""
    length, rate = PARAMS["windows"]["window_length"], PARAMS["windows"]["sampling_rate"]["resampled"]
    rows = [row for row in CATALOGUE if row["label"] == "Normal"]
    counts = [int(row[samples] or row["samples"]) * rate / int(row["sampling_rate"]) // length for row in rows]
    return f"{sum(counts):g}"
