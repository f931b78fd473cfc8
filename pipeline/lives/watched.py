"""The watch and its rivals on simulated lives."""

from typing import Any

import numpy as np

from model.machine.indicators import measure
from model.machine.thresholds import Thresholds
from model.machine.watch import State, Watch
from model.recording.classes import FAULTS
from pipeline.lives.life import OF_THE_SENSOR, draw_life, list_recordings
from pipeline.lives.rivals import RIVALS, find_alarms
from pipeline.lives.scores import ALARMS, HOUR, collect_scores, count_episodes, score_alarms


def live(number: int, label: str, *, thresholds: Thresholds, **settings: Any) -> dict[str, Any]:
    """Watch one simulated life and return what the watch and its rivals said of it.

    After a repair, of which a person tells them, all of them learn anew.
    """
    learned = thresholds.learning.recordings
    life = draw_life(number, label, learning=learned, **settings)
    starts = [0, life.trouble] if life.nuisance == "repair" else [0]
    sensor, states, powers = [], [], []
    for hour, (recording, snr) in enumerate(list_recordings(life, **settings)):
        if hour in starts:
            watch = Watch(life.bearing.orders, thresholds)
        sensor.append(measure(recording))
        states.append(watch.advance(hour * HOUR, sensor[-1]))
        powers.append(snr)
    alarms = {"watch": np.array([state.level in ALARMS for state in states])}
    stretches = [sensor[start:end] for start, end in zip(starts, [*starts[1:], len(sensor)], strict=True)]
    for name in RIVALS:
        alarms[name] = np.concatenate([find_alarms(name, stretch, learned) for stretch in stretches])
    watching = np.ones(len(states), bool)
    for start in starts:
        watching[start : start + learned] = False
    onset = life.onset if life.fault else len(states)
    return {
        "nuisance": life.nuisance,
        "trouble": life.trouble,
        "onset": onset,
        "watched": int(watching[:onset].sum()),
        "methods": {name: score_life(each, watching, onset, powers) for name, each in alarms.items()},
        "family_right": is_family_right(states, onset, label),
        "sensor": is_sensor_found(states, life.trouble) if life.nuisance in OF_THE_SENSOR else None,
        "highest_before": max(state.severity for state in states[:onset]),
        "severity": [round(state.severity, 3) for state in states],
        "levels": [state.level for state in states],
    }


def score_life(alarms: np.ndarray, watching: np.ndarray, onset: int, powers: list[float]) -> dict[str, Any]:
    """Return what alarms (hours,) are worth; those of hours that were learned are not counted."""
    raised = alarms & watching
    after = np.flatnonzero(raised[onset:])
    return score_alarms(raised, onset, HOUR) | {
        "false_alarms": int(raised[:onset].sum()),
        "false_episodes": count_episodes(raised[:onset]),
        "snr_at_the_alarm": powers[onset + after[0]] if len(after) else None,
    }


def is_family_right(states: list[State], onset: int, label: str) -> bool:
    """Return whether at the first alarm after the onset the lines of the failing part had grown most."""
    alarm = next((state for state in states[onset:] if state.level in ALARMS), None)
    return alarm is not None and max(FAULTS, key=lambda fault: alarm.parts.get(fault, 0.0)) == label


def is_sensor_found(states: list[State], trouble: int) -> bool:
    """Return whether the sensor was blamed within three recordings."""
    return any(state.level == "sensor" for state in states[trouble : trouble + 3])


def collect_lives(results: dict[tuple[int, str], dict[str, Any]]) -> dict[str, Any]:
    """Return the scores of simulated lives, all together and by nuisance."""
    lives = list(results.values())
    faulty = [life for (_, label), life in results.items() if label != "Normal"]
    sensors = [life for life in lives if life["sensor"] is not None]
    return {
        "lives": len(lives),
        "watched": sum(life["watched"] for life in lives),
        "faults": len(faulty),
        "family_right": sum(life["family_right"] for life in faulty),
        "sensor_faults": len(sensors),
        "sensor_faults_found": sum(life["sensor"] for life in sensors),
        "methods": {name: collect_method(name, lives, faulty) for name in ("watch", *RIVALS)},
        "by_nuisance": {
            name: collect_nuisance([life for life in lives if life["nuisance"] == name])
            for name in dict.fromkeys(life["nuisance"] for life in lives)
        },
    }


def collect_method(name: str, lives: list[dict[str, Any]], faulty: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a method's alarms are worth: false ones over all lives, the others over those that end in damage."""
    scores = [life["methods"][name] for life in lives]
    found = [life["methods"][name] for life in faulty]
    powers = [score["snr_at_the_alarm"] for score in found if score["warned"]]
    return collect_scores(found) | {
        "false_alarms": sum(score["false_alarms"] for score in scores),
        "false_episodes": sum(score["false_episodes"] for score in scores),
        "lives_with_false_alarms": sum(score["false_alarms"] > 0 for score in scores),
        "median_snr_at_the_alarm": float(np.median(powers)) if powers else None,
    }


def collect_nuisance(lives: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the false alarms of the watch under a nuisance, and the highest severity of a life without damage."""
    return {
        "watched": sum(life["watched"] for life in lives),
        "false_alarms": sum(life["methods"]["watch"]["false_alarms"] for life in lives),
        "highest_severity": max(life["highest_before"] for life in lives),
    }
