"""Stage machine: write the thresholds of the watch, which the service reads."""

import json

from model.machine.thresholds import Thresholds
from model.thresholds import read_thresholds
from pipeline import params
from pipeline.params import ASSETS


def main() -> None:
    sections = params.load("machine")
    read_thresholds(Thresholds, sections)  # a name too many or too few ends the stage
    (ASSETS / "machine.json").write_text(json.dumps(sections, indent=1) + "\n")


if __name__ == "__main__":
    params.run_stage(main)
