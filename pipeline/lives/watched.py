"""Trials of the watch: alarms before and after the onset of damage, on simulated lives and on runs to failure."""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest

from model.bearings import Bearing
from model.machine.indicators import Indicators, measure
from model.machine.thresholds import Thresholds
from model.machine.watch import State, Watch
from model.recording.classes import FAULTS
from model.recording.recording import Recording
from pipeline.lives.life import OF_THE_SENSOR, draw_life, list_recordings

ALARMS = ("warning", "alarm")
HOUR = 3_600.0
RIVALS = ("3 sigma of RMS", "CUSUM of RMS", "isolation forest")


# --- Simulated lives


def live(number: int, label: str, *, thresholds: Thresholds, **settings: Any) -> dict[str, Any]:
    """Watch one simulated life and return what the watch said of it."""
    life = draw_life(number, label, learning=thresholds.learning.recordings, **settings)
    watch = Watch(life.bearing.orders, thresholds)
    states, levels = [], []
    for hour, (recording, snr) in enumerate(list_recordings(life, **settings)):
        states.append(watch.advance(hour * HOUR, measure(recording)))
        levels.append(snr)
    end = life.onset if life.fault else len(states)
    alarm = next((hour for hour in range(end, len(states)) if states[hour].level in ALARMS), None)
    return {
        "nuisance": life.nuisance,
        "before": end,
        "false_alarms": sum(state.level in ALARMS for state in states[:end]),
        "found": alarm is not None,
        "family_right": alarm is not None and likeliest(states[alarm]) == label,
        "snr_at_the_alarm": None if alarm is None else levels[alarm],
        "sensor": is_sensor_found(states, life.trouble) if life.nuisance in OF_THE_SENSOR else None,
        "severity": [round(state.severity, 3) for state in states],
        "levels": [state.level for state in states],
    }


def likeliest(state: State) -> str:
    """Return the fault whose lines grew most."""
    return max(FAULTS, key=lambda fault: state.parts.get(fault, 0.0))


def is_sensor_found(states: list[State], trouble: int) -> bool:
    """Return whether the sensor was blamed within three recordings."""
    return any(state.level == "sensor" for state in states[trouble : trouble + 3])


def collect_lives(results: dict[tuple[int, str], dict[str, Any]]) -> dict[str, Any]:
    """Return the scores of simulated lives, all together and by nuisance."""
    lives = list(results.values())
    faulty = [(label, life) for (_, label), life in results.items() if label != "Normal"]
    found = [life for _, life in faulty if life["found"]]
    sensors = [life for life in lives if life["sensor"] is not None]
    return {
        "lives": len(lives),
        "recordings_before": sum(life["before"] for life in lives),
        "false_alarms": sum(life["false_alarms"] for life in lives),
        "by_nuisance": {
            name: {
                "recordings_before": sum(life["before"] for life in lives if life["nuisance"] == name),
                "false_alarms": sum(life["false_alarms"] for life in lives if life["nuisance"] == name),
            }
            for name in dict.fromkeys(life["nuisance"] for life in lives)
        },
        "faults": len(faulty),
        "found": len(found),
        "family_right": sum(life["family_right"] for _, life in faulty),
        "median_snr_at_the_alarm": float(np.median([life["snr_at_the_alarm"] for life in found])) if found else None,
        "sensor_faults": len(sensors),
        "sensor_faults_found": sum(life["sensor"] for life in sensors),
    }


# --- Runs to failure


def watch_run(
    sensors: list[list[Indicators]], bearing: Bearing, pause: float, thresholds: Thresholds
) -> list[list[State]]:
    """Return the states of each sensor of a run, whose recordings lie pause (s) apart."""
    watches = [Watch(bearing.orders, thresholds) for _ in sensors]
    return [
        [watch.advance(pause * place, each) for place, each in enumerate(sensor)]
        for watch, sensor in zip(watches, sensors, strict=True)
    ]


def find_onset(rms: np.ndarray, share: float, deviations: float, sustained: int) -> int:
    """Return the first recording of `sustained` in a row whose RMS exceeds the mean by so many deviations of the first
    share of a run; the last recording where there is none."""
    healthy = rms[: int(share * len(rms))]
    above = rms > healthy.mean() + deviations * healthy.std()
    runs = np.convolve(above, np.ones(sustained), "valid") == sustained
    return int(np.argmax(runs)) if runs.any() else len(rms) - 1


def score_alarms(alarms: np.ndarray, onset: int, pause: float) -> dict[str, Any]:
    """Return what alarms (recordings,) are worth against an onset; pause in seconds.

    A run is valid where its false alarms before the onset stay within a budget and one follows it (Goyal's gated
    metric); lead is the time from the first alarm after the onset to the end of the run.
    """
    before, after = alarms[:onset], np.flatnonzero(alarms[onset:])
    share = float(before.mean()) if onset else 0.0
    return {
        "onset": onset,
        "false_share": share,
        "false_episodes": int((np.diff(before.astype(int), prepend=0) == 1).sum()),
        "warned": bool(len(after)),
        "valid_5": bool(len(after)) and share <= 0.05,
        "valid_10": bool(len(after)) and share <= 0.10,
        "lead_hours": float((len(alarms) - onset - after[0]) * pause / HOUR) if len(after) else 0.0,
    }


def rival_alarms(name: str, rms: np.ndarray, sensor: list[Indicators], learned: int) -> np.ndarray:
    """Return the alarms (recordings,) of a published rival that learned from as many recordings as the watch."""
    healthy = rms[:learned]
    deviations = (rms - healthy.mean()) / max(healthy.std(), 1e-12)
    if name == "3 sigma of RMS":
        return deviations > 3
    if name == "CUSUM of RMS":  # Page, Biometrika 41 (1954) 100: allowance of half a deviation, limit of five
        total, alarms = 0.0, np.zeros(len(rms), bool)
        for place, deviation in enumerate(deviations):
            total = max(0.0, total + deviation - 0.5)
            alarms[place] = total > 5
        return alarms
    features = np.array([[each.rms, each.peak, each.kurtosis, *each.envelopes] for each in sensor])
    forest = IsolationForest(random_state=0).fit(features[:learned])
    return forest.predict(features) < 0


def try_run(
    path: Path,
    rpm: float,
    *,
    bearing: Bearing,
    sampling_rate: float,
    pause: float,
    onset: dict[str, Any],
    thresholds: Thresholds,
) -> dict[str, dict[str, Any]]:
    """Return what the watch and each rival are worth on a run in the form of FEMTO's: milli_g (snapshots, samples,
    sensors)."""
    snapshots = np.load(path)["milli_g"]
    sensors = [
        [measure(Recording(each / 1_000, sampling_rate, rpm), "g") for each in snapshots[:, :, place]]
        for place in range(snapshots.shape[2])
    ]
    rms = np.array([[each.rms for each in sensor] for sensor in sensors])
    first = min(find_onset(row, **onset) for row in rms)
    states = watch_run(sensors, bearing, pause, thresholds)
    alarms = np.array([[state.level in ALARMS for state in sensor] for sensor in states]).any(axis=0)
    entry = {"watch": score_alarms(alarms, first, pause)}
    for name in RIVALS:
        raised = [
            rival_alarms(name, row, sensor, thresholds.learning.recordings)
            for row, sensor in zip(rms, sensors, strict=True)
        ]
        entry[name] = score_alarms(np.any(raised, axis=0), first, pause)
    return entry


def collect_runs(runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the scores of runs over all of them."""
    return {
        "runs": len(runs),
        "warned": sum(run["warned"] for run in runs.values()),
        "valid_5": sum(run["valid_5"] for run in runs.values()),
        "valid_10": sum(run["valid_10"] for run in runs.values()),
        "false_episodes": sum(run["false_episodes"] for run in runs.values()),
        "mean_lead_hours": float(np.mean([run["lead_hours"] for run in runs.values()])),
        "median_lead_hours": float(np.median([run["lead_hours"] for run in runs.values()])),
    }
