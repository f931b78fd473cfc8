"""The other rigs: their recordings, which train nothing, as the stage rig read them."""

import json
from typing import NamedTuple

import numpy as np

from model.bearings import Bearing
from model.recording.recording import Recording
from pipeline.params import RIG

KNOWN = "cwru"  # the rig whose recordings train


class Tried(NamedTuple):
    """A recording that an answer is asked for, and the label that is right."""

    label: str
    recording: Recording
    bearing: Bearing


def list_rigs() -> list[str]:
    """Return the names of the rigs that the stage rig found, maybe none."""
    return list(dict.fromkeys(fact["rig"] for fact in read_facts()))


def load_rig(rig: str) -> list[Tried]:
    return [
        Tried(
            fact["label"],
            Recording(
                np.load(RIG / fact["file"]), fact["sampling_rate"], fact["rpm"], fact["channel"], name=fact["name"]
            ),
            Bearing(**fact["bearing"]),
        )
        for fact in read_facts()
        if fact["rig"] == rig
    ]


def read_facts() -> list[dict]:
    return json.loads((RIG / "recordings.json").read_text())
