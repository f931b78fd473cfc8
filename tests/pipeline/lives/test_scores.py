import numpy as np
import pytest

from pipeline.lives.scores import count_episodes, find_onset, score_alarms


def alarms(length: int, *hours: int) -> np.ndarray:
    raised = np.zeros(length, bool)
    raised[list(hours)] = True
    return raised


def test_the_onset_is_the_first_of_so_many_in_a_row():
    rms = 1 + 0.01 * np.resize([-1.0, 1.0], 100)
    rms[40] = 9  # alone
    rms[70:] = 2
    assert find_onset(rms, share=0.2, deviations=4, sustained=10) == 70


def test_without_a_rise_the_onset_is_the_last_recording():
    assert find_onset(np.resize([0.9, 1.1], 50), share=0.2, deviations=4, sustained=10) == 49


def test_a_run_is_valid_within_the_budget_and_its_lead_runs_from_the_first_alarm_after_the_onset():
    scores = score_alarms(alarms(100, 3, 4, 10, 80, 81), onset=50, pause=36)
    assert scores["false_share"] == pytest.approx(3 / 50)
    assert (scores["valid_5"], scores["valid_10"], scores["false_episodes"]) == (False, True, 2)
    assert scores["lead_hours"] == pytest.approx(20 * 36 / 3_600)


def test_a_run_without_an_alarm_after_the_onset_is_not_valid():
    scores = score_alarms(alarms(100), onset=50, pause=36)
    assert (scores["warned"], scores["valid_10"], scores["lead_hours"]) == (False, False, 0)


def test_an_alarm_from_the_first_recording_on_is_an_episode():
    assert count_episodes(alarms(9, 0, 1, 4, 8)) == 3
