"""A point's healthy past: what its learned recordings were like, packed for the store and joined for a diagnosis."""

import io
import json

import numpy as np

from model.bearings import Bearing
from model.recording.baseline import Healthy, HealthyRecording, check_seconds, describe_healthy, join_healthy
from model.recording.checks import check_recording
from model.recording.levels import Levels
from model.recording.lines import Features
from model.recording.recording import Recording
from model.recording.thresholds import Thresholds


def pack_healthy(recording: Recording, bearing: Bearing, limits: Thresholds) -> bytes | None:
    """Return what a healthy recording is like as an .npz file, or None where it is unfit for a baseline."""
    try:
        healthy = describe_healthy(recording, check_recording(recording), bearing, limits)
    except ValueError:
        return None
    file = io.BytesIO()
    told = {"rpm": healthy.levels.rpm, "lines": healthy.lines, "seconds": recording.seconds}
    bands = healthy.levels.bands.astype(np.float32)
    np.savez_compressed(file, told=json.dumps(told), levels=bands, **healthy.features._asdict())
    return file.getvalue()


def unpack_healthy(packed: list[bytes], limits: Thresholds) -> Healthy | None:
    """Return the past that packed recordings make, or None where they last too few seconds together."""
    recordings, seconds = [], 0.0
    for each in packed:
        with np.load(io.BytesIO(each), allow_pickle=False) as arrays:
            told = json.loads(str(arrays["told"]))
            features = Features(**{name: arrays[name] for name in Features._fields})
            levels = Levels(arrays["levels"].astype(np.float64), told["rpm"])
        recordings.append(HealthyRecording(features, levels, told["lines"]))
        seconds += told["seconds"]
    try:
        check_seconds(seconds, limits.baseline)
    except ValueError:
        return None
    return join_healthy(recordings, limits.baseline)
