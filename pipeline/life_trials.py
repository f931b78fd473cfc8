"""Stage life_trials: try the watch on simulated lives and on recorded runs, beside published rivals."""

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from model.bearings import Bearing
from model.machine.thresholds import Thresholds
from model.thresholds import read_thresholds
from pipeline import params
from pipeline.lives.life import NUISANCES
from pipeline.lives.pictures import draw_lives, draw_run
from pipeline.lives.rivals import RIVALS
from pipeline.lives.runs import collect_beginning, try_beginning, try_run
from pipeline.lives.scores import collect_scores
from pipeline.lives.watched import collect_lives, live
from pipeline.params import ASSETS
from pipeline.trials.pool import run_jobs

SCORES, PICTURE = ASSETS / "lives.json", ASSETS / "lives.png"
RUN_PICTURES = Path("data/lives")  # ignored by git: nothing of the runs is committed but scores
DRAWN = (("Normal", "repair"), ("Normal", "run-in"), ("InnerRace", "speed"), ("OuterRace", "gain"), ("Ball", "clipped"))


def main() -> None:
    section = params.load("life_trials")
    thresholds, population = read_thresholds(Thresholds, params.load("machine")), params.load("simulate")["population"]
    jobs = [(number, label) for label, lives in section["lives"].items() for number in range(lives)]
    results = run_jobs(partial(live, thresholds=thresholds, population=population, **section["life"]), jobs)
    drawn = {f"{label}, {nuisance}": results[NUISANCES.index(nuisance), label] for label, nuisance in DRAWN}
    draw_lives(drawn, thresholds.persistence, PICTURE)
    scores = {
        "simulated": collect_lives({job: results[job] for job in jobs}),
        "runs": try_runs(thresholds=thresholds, **section["runs"]),
        "beginning": try_beginnings(thresholds=thresholds, **section["beginning"]),
    }
    SCORES.write_text(json.dumps(scores, indent=1) + "\n")
    print(json.dumps(scores | {"runs": {name: entry["all"] for name, entry in scores["runs"].items()}}, indent=1))


def try_runs(
    mirror: str,
    folder: str,
    bearing: dict[str, float],
    rpm: dict[str, float],
    *,
    thresholds: Thresholds,
    **settings: Any,
) -> dict[str, dict]:
    """Return {method: scores} of runs to failure; without their folder, the scores that are committed."""
    home = find_mirror(mirror, folder)
    if home is None:
        return read_committed("runs")
    jobs = [(home / f"{name}.npz", speed) for name, speed in rpm.items()]
    results = run_jobs(partial(try_run, bearing=Bearing(**bearing), thresholds=thresholds, **settings), jobs)
    RUN_PICTURES.mkdir(parents=True, exist_ok=True)
    for path, speed in jobs:
        trend = results[path, speed]["trend"]
        draw_run(path.stem, trend, thresholds.persistence, RUN_PICTURES / f"{path.stem}.png")
    scores = {}
    for method in ("watch", *RIVALS):
        runs = {path.stem: results[path, speed]["methods"][method] for path, speed in jobs}
        scores[method] = {"all": collect_scores(runs.values()), "runs": runs}
    return scores


def try_beginnings(
    mirror: str, folder: str, file: str, channels: int, bearing: dict[str, float], **settings: Any
) -> dict[str, Any]:  # fmt: skip
    """Return the alarms on a healthy beginning; without its folder, those that are committed."""
    home = find_mirror(mirror, folder)
    if home is None:
        return read_committed("beginning")
    jobs = [(home / file, channel) for channel in range(channels)]
    results = run_jobs(partial(try_beginning, bearing=Bearing(**bearing), **settings), jobs)
    return collect_beginning([results[job] for job in jobs])


def find_mirror(mirror: str, folder: str) -> Path | None:
    """Return the folder of a mirror of recordings, or None, in words, where there is none."""
    home = Path(os.environ.get(mirror, "")) / folder
    if mirror in os.environ and home.is_dir():
        return home
    print(f"{mirror} names no folder with {folder}: its scores stay as they were")
    return None


def read_committed(name: str) -> dict[str, Any]:
    return json.loads(SCORES.read_text()).get(name, {}) if SCORES.is_file() else {}


if __name__ == "__main__":
    params.run_stage(main)
