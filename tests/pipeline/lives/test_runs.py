"""The watch on a recorded run to failure and on a healthy beginning; skips where they are not at hand."""

import numpy as np
import pytest

from model.bearings import Bearing
from model.machine.thresholds import Thresholds
from model.thresholds import read_thresholds
from pipeline import params
from pipeline.lives.runs import try_beginning, try_run

SECTION, THRESHOLDS = params.load("life_trials"), read_thresholds(Thresholds, params.load("machine"))


def settings_of(name: str, *without: str) -> dict:
    section = {each: value for each, value in SECTION[name].items() if each not in ("mirror", "folder", *without)}
    return section | {"bearing": Bearing(**section["bearing"]), "thresholds": THRESHOLDS}


def test_a_run_to_failure_is_warned_of_before_its_end_and_not_before_its_onset(rigs):
    rpm = SECTION["runs"]["rpm"]["Bearing3_1"]
    run = try_run(rigs / "femto" / "Bearing3_1.npz", rpm, **settings_of("runs", "rpm"))
    watch, sigma = run["methods"]["watch"], run["methods"]["3 sigma of RMS"]
    assert (watch["warned"], watch["false_episodes"]) == (True, 0)
    assert sigma["false_episodes"] > 10
    trend = run["trend"]
    assert np.flatnonzero(trend["alarms"])[0] >= trend["onset"]
    assert watch["highest_severity_before"] == pytest.approx(trend["severity"][: trend["onset"]].max())


def test_a_healthy_beginning_raises_no_alarm(rigs):
    settings = settings_of("beginning", "file", "channels")
    channel = try_beginning(rigs / "ims" / SECTION["beginning"]["file"], 4, **settings)
    assert channel["alarms"]["watch"] == 0
    assert channel["watched"] == 50 - THRESHOLDS.learning.recordings
