"""Simulated lives: independent of each other, with the fault and the nuisance that they say."""

from itertools import islice

import numpy as np
import pytest

from pipeline import params
from pipeline.lives.life import NUISANCES, Life, draw_life, list_recordings

SETTINGS = params.load("life_trials")["life"] | {"population": params.load("simulate")["population"]}
HOURS = SETTINGS["hours"]


def draw(nuisance: str, label: str = "Normal") -> Life:
    return draw_life(NUISANCES.index(nuisance), label, learning=20, **SETTINGS)


def signals(life: Life, hours: int) -> list[np.ndarray]:
    return [recording.signal for recording, _ in islice(list_recordings(life, **SETTINGS), hours)]


def test_no_two_lives_share_a_machine_or_a_recording():
    lives = [draw("none", label) for label in ("Normal", "InnerRace", "OuterRace", "Ball")]
    assert len({life.rpm for life in lives}) == len(lives)
    first = [signals(life, 1)[0] for life in lives]
    for place, signal in enumerate(first):
        for other in first[:place]:
            assert abs(np.corrcoef(signal, other)[0, 1]) < 0.1


def test_the_fault_begins_half_way_and_grows_to_its_power():
    powers = [snr for _, snr in list_recordings(draw("none", "OuterRace"), **SETTINGS)]
    half = HOURS // 2
    assert set(powers[:half]) == {-np.inf}
    assert powers[half] == SETTINGS["snr_db"][0]
    assert (np.diff(powers[half:]) > 0).all()


@pytest.mark.parametrize("nuisance", ["dead", "clipped", "gap"])
def test_a_spoilt_sensor_is_spoilt_for_a_day(nuisance):
    life = draw(nuisance)
    spoilt = {"dead": lambda x: x.std() < 0.01, "clipped": lambda x: (x == x.max()).sum() > 9,
              "gap": lambda x: not x[: len(x) // 3].any()}[nuisance]  # fmt: skip
    heard = [bool(spoilt(each)) for each in signals(life, life.trouble + 30)]
    assert np.flatnonzero(heard).tolist() == list(range(life.trouble, life.trouble + 24))


def test_a_gain_stays():
    life = draw("gain")
    levels = [each.std() for each in signals(life, life.trouble + 30)]
    assert np.median(levels[life.trouble :]) == pytest.approx(3 * np.median(levels[: life.trouble]), rel=0.15)


def test_running_in_is_loud_and_settles():
    life = draw("run-in")
    levels = 20 * np.log10([each.std() for each in signals(life, life.trouble + 80)])
    before, top, after = levels[: life.trouble], levels[life.trouble + 30 : life.trouble + 42], levels[-6:]
    assert np.median(top) - np.median(before) > 6
    assert abs(np.median(after) - np.median(before)) < 3


def test_a_drifting_sensor_loses_half_its_level():
    levels = [each.std() for each in signals(draw("drift"), HOURS)]
    assert np.median(levels[-20:]) == pytest.approx(0.5 * np.median(levels[:20]), rel=0.2)


def test_a_repair_leaves_another_machine():
    life = draw("repair")
    assert life.repaired != life.surroundings
