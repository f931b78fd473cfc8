"""Trials of the recording diagnosis on simulated machines with clutter: how often it alarms where nothing is wrong."""

from typing import Any

import numpy as np

from model.recording.classes import CLASSES, FAULTS
from model.recording.recording import Recording
from pipeline.clutter import draw_cluttered
from pipeline.machinery import simulate_machine
from pipeline.trials.rig import Tried
from pipeline.trials.rig_diagnosis import Answer, ask, examine, load_diagnosis
from pipeline.trials.scores import Entry, score_rig
from pipeline.trials.table import HEADLINE


def try_machines(rpm: float, label: str, *, machines: dict[str, int], **settings: Any) -> list[Answer]:
    """Return the answers about all machines of one speed and label, without a baseline."""
    diagnosis = load_diagnosis(HEADLINE)
    drawn = (draw_recording(rpm, label, number, **settings) for number in range(machines[label]))
    return [ask(diagnosis, examine(diagnosis, tried), None) for tried in drawn]


def draw_recording(
    rpm: float,
    label: str,
    number: int,
    *,
    turns: float,
    seconds: list[float],
    sampling_rates: list[int],
    seed: int,
    population: dict[str, Any],
    clutter: dict[str, Any],
) -> Tried:
    """Draw a machine and simulate a recording of so many turns, but of no fewer and no more seconds than said."""
    generator = np.random.default_rng([seed, rpm, CLASSES.index(label), number])
    rate = int(generator.choice(sampling_rates))
    machine = draw_cluttered(label, is_extended(number), rpm, rate, generator, population, clutter)
    signal = simulate_machine(machine, rate, float(np.clip(60 * turns / rpm, *seconds)), generator)
    return Tried(label, Recording(signal, rate, rpm), machine.bearing)


def is_extended(number: int) -> bool:
    return number % 2 == 1


def collect(results: dict[tuple[float, str], list[Answer]]) -> dict[str, Entry]:
    """Return {speed: entry} of {(rpm, label): answers}; an entry is score_rig's, with the extended faults' counts."""
    return {
        f"{rpm} rpm": score_speed({label: answers for (speed, label), answers in results.items() if speed == rpm})
        for rpm in dict.fromkeys(rpm for rpm, _ in results)
    }


def score_speed(answers: dict[str, list[Answer]]) -> Entry:
    truth = np.array([label for label, given in answers.items() for _ in given])
    predictions = np.array([prediction for given in answers.values() for prediction, _ in given])
    probabilities = np.array([row for given in answers.values() for _, row in given])
    extended = np.array([is_extended(number) for given in answers.values() for number in range(len(given))])
    extended &= truth != "Normal"
    found = int((extended & np.isin(predictions, FAULTS)).sum())
    return score_rig(truth, predictions, probabilities) | {
        "extended_faults": int(extended.sum()), "extended_faults_found": found
    }  # fmt: skip
