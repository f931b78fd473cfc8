"""Stage open_set: measure how well novelty separates each fault type from the others when training has not seen it."""

import json

from model.recording.classes import FAULTS
from model.recording.thresholds import Familiarity
from pipeline import params
from pipeline.params import ASSETS
from pipeline.trials.open_set import try_open_set


def main() -> None:
    limits = Familiarity(**params.load("thresholds")["familiarity"])
    areas = {label: try_open_set(label, limits, **params.load("diagnosis")["spectra"]) for label in FAULTS}
    (ASSETS / "open_set.json").write_text(json.dumps(areas, indent=1) + "\n")


if __name__ == "__main__":
    params.run_stage(main)
