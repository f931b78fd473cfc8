"""The watch and its rivals on recorded runs: to failure with a known end, and the healthy beginning of another."""

from pathlib import Path
from typing import Any

import numpy as np

from model.bearings import Bearing
from model.machine.indicators import Indicators, measure
from model.machine.thresholds import Thresholds
from model.machine.watch import State, Watch
from model.recording.recording import Recording
from pipeline.lives.rivals import RIVALS, find_alarms
from pipeline.lives.scores import ALARMS, find_onset, score_alarms


def try_run(
    path: Path,
    rpm: float,
    *,
    bearing: Bearing,
    sampling_rate: float,
    pause: float,
    onset: dict[str, Any],
    thresholds: Thresholds,
) -> dict[str, Any]:
    """Return {method: scores of one run} and its trend, to be drawn; milli_g in the file is (snapshots, samples,
    sensors). A machine is as ill as its worst sensor says."""
    sensors = measure_sensors(np.load(path)["milli_g"].transpose(2, 0, 1), sampling_rate, rpm)
    rms = np.array([[each.rms for each in sensor] for sensor in sensors])
    first = min(find_onset(row, **onset) for row in rms)
    states = [watch_sensor(sensor, bearing, pause, thresholds) for sensor in sensors]
    alarms = {"watch": np.any([is_alarmed(each) for each in states], axis=0)}
    for name in RIVALS:
        learned = thresholds.learning.recordings
        alarms[name] = np.any([find_alarms(name, sensor, learned) for sensor in sensors], axis=0)
    severity = np.max([[state.severity for state in each] for each in states], axis=0)
    scores = {name: score_alarms(each, first, pause) for name, each in alarms.items()}
    scores["watch"]["highest_severity_before"] = float(severity[:first].max())  # how near a false alarm was
    return {
        "methods": scores,
        "trend": {
            "pause": pause,
            "onset": first,
            "rms": rms,
            "severity": severity,
            "alarms": alarms["watch"],
        },
    }


def try_beginning(
    path: Path,
    channel: int,
    *,
    bearing: Bearing,
    sampling_rate: float,
    rpm: float,
    pause: float,
    thresholds: Thresholds,
) -> dict[str, Any]:
    """Return {method: alarms} of one sensor of a healthy beginning, milli_g (snapshots, sensors, samples)."""
    (sensor,) = measure_sensors(np.load(path)["milli_g"][None, :, channel], sampling_rate, rpm)
    states = watch_sensor(sensor, bearing, pause, thresholds)
    learned = thresholds.learning.recordings
    alarms = {name: find_alarms(name, sensor, learned) for name in RIVALS}
    return {
        "watched": len(sensor) - learned,
        "alarms": {name: int(each[learned:].sum()) for name, each in {"watch": is_alarmed(states), **alarms}.items()},
        "highest_severity": max(state.severity for state in states),
    }


def measure_sensors(milli_g: np.ndarray, sampling_rate: float, rpm: float) -> list[list[Indicators]]:
    """Return the indicators of each sensor's snapshots; milli_g is (sensors, snapshots, samples)."""
    return [[measure(Recording(each / 1_000, sampling_rate, rpm), "g") for each in sensor] for sensor in milli_g]


def watch_sensor(sensor: list[Indicators], bearing: Bearing, pause: float, thresholds: Thresholds) -> list[State]:
    watch = Watch(bearing.orders, thresholds)
    return [watch.advance(pause * place, each) for place, each in enumerate(sensor)]


def is_alarmed(states: list[State]) -> np.ndarray:
    return np.array([state.level in ALARMS for state in states])


def collect_beginning(channels: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the alarms of each method over the channels of a healthy beginning."""
    return {
        "channels": len(channels),
        "watched": sum(channel["watched"] for channel in channels),
        "alarms": {name: sum(channel["alarms"][name] for channel in channels) for name in channels[0]["alarms"]},
        "highest_severity": max(channel["highest_severity"] for channel in channels),
    }
