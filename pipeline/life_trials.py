"""Stage life_trials: try the watch on simulated lives and on runs to failure, beside published rivals."""

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot

from model.bearings import Bearing
from model.machine.thresholds import Persistence, read_thresholds
from pipeline import params
from pipeline.figures import BLUE, INK, ORANGE, STYLE, save
from pipeline.lives.watched import RIVALS, collect_lives, collect_runs, live, try_run
from pipeline.params import ASSETS
from pipeline.trials.pool import run_jobs

SCORES, PICTURE = ASSETS / "lives.json", ASSETS / "lives.png"


def main() -> None:
    section = params.load("life_trials")
    thresholds, population = read_thresholds(params.load("machine")), params.load("simulate")["population"]
    jobs = [(number, label) for label, lives in section["lives"].items() for number in range(lives)]
    results = run_jobs(partial(live, thresholds=thresholds, population=population, **section["life"]), jobs)
    lives = collect_lives({job: results[job] for job in jobs})
    draw_lives({f"{label}, {results[0, label]['nuisance']}": results[0, label] for label in section["lives"]},
               thresholds.persistence, PICTURE)  # fmt: skip
    runs = try_runs(thresholds=thresholds, **section["runs"])
    SCORES.write_text(json.dumps({"simulated": lives, "runs": runs}, indent=1) + "\n")
    print(json.dumps({"simulated": lives, "runs": {name: entry["all"] for name, entry in runs.items()}}, indent=1))


def try_runs(
    mirror: str, folder: str, bearing: dict[str, float], rpm: dict[str, float], **settings: Any
) -> dict[str, dict]:  # fmt: skip
    """Return {watch or rival: scores} of runs to failure; without their folder, the scores that are committed."""
    home = Path(os.environ.get(mirror, "")) / folder
    if mirror not in os.environ or not home.is_dir():
        print(f"{mirror} names no folder with {folder}: the scores of the runs to failure stay as they were")
        return json.loads(SCORES.read_text())["runs"] if SCORES.is_file() else {}
    jobs = [(home / f"{name}.npz", speed) for name, speed in rpm.items()]
    results = run_jobs(partial(try_run, bearing=Bearing(**bearing), **settings), jobs)
    scores = {}
    for method in ("watch", *RIVALS):
        runs = {path.stem: results[path, speed][method] for path, speed in jobs}
        scores[method] = {"all": collect_runs(runs), "runs": runs}
    return scores


def draw_lives(lives: dict[str, dict], levels: Persistence, path: Path) -> None:
    """Draw the severity of simulated lives hour by hour, with the onset of damage and when each level was raised."""
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(len(lives), figsize=(8, 1.7 * len(lives)), sharex=True)
        for axis, (title, life) in zip(axes, lives.items(), strict=True):
            hours = np.arange(len(life["severity"]))
            axis.plot(hours, life["severity"], color=BLUE, linewidth=1)
            for name, color in (("warning", ORANGE), ("alarm", "#a3243b")):
                axis.axhline(getattr(levels, name), color=color, linewidth=0.7, linestyle=":")
                raised = hours[[level == name for level in life["levels"]]]
                axis.plot(raised, np.zeros(len(raised)), "s", color=color, markersize=3, label=f"{name} raised")
            if life["before"] < len(hours):
                axis.axvline(life["before"], color=INK, linewidth=0.8, label="onset of damage")
            axis.set(title=title, ylabel="severity", ylim=(-0.15, 3))
            axis.legend(loc="upper left", fontsize=7)
        axes[-1].set_xlabel("recording, one an hour")
        save(figure, path)


if __name__ == "__main__":
    params.run_stage(main)
