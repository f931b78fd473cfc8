"""What the stages share: their params, the folders they hand on, and the way a stage starts."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

RECORDINGS = Path("data/recordings")
WINDOWS = Path("data/windows")
SCALED = Path("data/scaled")
SPLIT = Path("data/split")
TRAINED = Path("data/trained")
HOLDOUT = Path("data/holdout")
SIMULATED = Path("data/simulated.npz")
LINES = Path("data/lines")
LINE_NETWORKS = Path("data/line_networks")
RIG = Path("data/rig")
TRIALS = Path("data/trials")
ASSETS = Path("assets")


class InputError(ValueError):
    """What the user gave cannot be used; the message says what came and what was expected."""


def load(section: str, setting: str | None = None) -> dict[str, Any]:
    """Return one section of params.yaml, with the values of one setting where values differ between settings."""
    params = yaml.load(Path("params.yaml").read_text(), yaml.CSafeLoader)  # ten times as fast as safe_load
    if section not in params:
        raise InputError(f"params.yaml has no section {section!r}; it has {', '.join(params)}")
    return {name: resolve(value, setting) for name, value in params[section].items()}


def resolve(value: Any, setting: str | None) -> Any:
    return value[setting] if isinstance(value, dict) and setting in value else value


def run_stage(stage: Callable[..., None]) -> None:
    """Run a stage with the command line's arguments; a mistake in the input ends it in words, not in a traceback."""
    try:
        stage(*sys.argv[1:])
    except InputError as error:
        sys.exit(f"{stage.__module__ if stage.__module__ != '__main__' else Path(sys.argv[0]).stem}: {error}")
