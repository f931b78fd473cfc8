import numpy as np
import pytest

from model.bearings import Bearing
from model.recording.classes import pool_windows
from model.recording.decision import (
    calibrate,
    clarity,
    find_dissent,
    follow_lines,
    name_by_estimated_lines,
    name_by_lines,
    name_prediction,
    pool,
    probabilities,
    replace_fault,
)
from model.recording.experts import Odds
from model.recording.orders.evidence import CLEAR, Evidence, Line, find_doubt, grade


def test_the_tree_of_decisions_multiplies_out():
    odds = Odds(np.array([0.0]), np.array([np.log(3)]), np.array([-np.log(4)]))
    np.testing.assert_allclose(probabilities(odds), [[0.5 * 0.75, 0.5 * 0.25 * 0.8, 0.5, 0.5 * 0.25 * 0.2]])


def test_calibration_keeps_the_winner_and_leaves_the_unfamiliar_alone(noise, thresholds):
    answers, limits = noise.dirichlet(np.ones(4), 200), thresholds.familiarity
    for temperature in (0.2, 1.0, 3.0):
        sharpened = calibrate(answers, temperature, np.zeros(200), limits)
        np.testing.assert_array_equal(sharpened.argmax(axis=1), answers.argmax(axis=1))
        np.testing.assert_allclose(sharpened.sum(axis=1), 1)
        np.testing.assert_allclose(calibrate(answers, temperature, np.full(200, 2.0), limits), answers)
    assert (calibrate(answers, 0.5, np.zeros(200), limits).max(axis=1) >= answers.max(axis=1)).all()


def pooled(lines, spectral, relative, clear, thresholds):
    return [each.item() for each in pool(lines, spectral, np.array([relative]), clear, thresholds)]


def test_a_spectrum_from_elsewhere_has_no_say(thresholds):
    lines = Odds(*(np.array([value]) for value in (-1.0, -0.5, 2.0)))
    spectral = Odds(*(np.array([3.9]) for _ in range(3)))
    assert pooled(lines, spectral, 2.0, np.zeros(1), thresholds) == [-1.0, -0.5, 2.0]
    assert pooled(lines, spectral, 0.8, np.zeros(1), thresholds) == pytest.approx([3.9, 1.7, 2.95])


def test_a_clear_comb_of_lines_decides_the_type_alone(thresholds):
    lines, spectral = Odds(*np.array([[3.0], [-3.5], [3.9]])), Odds(*np.array([[3.9], [3.9], [-3.9]]))
    clear = clarity(np.array([[0.7, 0.8, 2.4, 1.6]]), thresholds.decision)
    assert clear == pytest.approx(1)
    assert pooled(lines, spectral, 0.8, clear, thresholds) == pytest.approx([3.9, -3.5, 3.9])
    assert clarity(np.array([[0.7, 1.2, 1.9, 3.0]]), thresholds.decision) == 0


def test_a_recordings_probabilities_are_the_geometric_mean():
    whole = pool_windows(np.array([[0.8, 0.2], [0.2, 0.8], [0.8, 0.2]]))
    assert whole[0] / whole[1] == pytest.approx((4 * 0.25 * 4) ** (1 / 3))


def test_types_keep_their_proportions_beside_another_probability_of_a_fault():
    replaced = replace_fault(np.array([[0.1, 0.2, 0.6, 0.1]]), np.array([0.8]))
    np.testing.assert_allclose(replaced, [[0.2, 0.4, 0.2, 0.2]])


def test_more_than_half_a_chance_of_a_fault_is_never_called_normal(thresholds):
    def name(*row):
        return name_prediction(np.array(row), 0.5, thresholds.decision)

    assert name(0.25, 0.2, 0.4, 0.15)[0] == "Unknown"
    assert name(0.45, 0.1, 0.4, 0.05) == ("Ball", "")
    assert name(0.2, 0.2, 0.55, 0.05) == ("Normal", "")


@pytest.mark.parametrize(
    ("familiarity", "reason"), [(0.009, "neither spectrum nor lines of a known fault"), (0.011, "")]
)
def test_what_is_unlike_training_is_unknown_with_the_reason(familiarity, reason, thresholds):
    said = name_prediction(np.array([0.05, 0.05, 0.1, 0.8]), familiarity, thresholds.decision)
    assert said[0] == ("Unknown" if reason else "OuterRace")
    assert reason in said[1]


def lines(excess: float, depth: float, thresholds, fault: str = "OuterRace") -> Evidence:
    """Return evidence of one fault's lines of this excess and depth, as find_lines describes them."""
    state = grade(excess, depth, thresholds.evidence)
    line = Line(fault, "BPFO", 3.6, 3.6, [5.0, 4.0, 3.0], excess, depth, state, state == CLEAR)
    return Evidence(lines=[line], fault=fault * (state == CLEAR), doubt=find_doubt(line, 100, thresholds.evidence))


def test_lines_alone_decide_in_three_outcomes(thresholds):
    assert name_by_lines(lines(5, 0.9, thresholds), None, thresholds.decision) == ("OuterRace", "")
    assert name_by_lines(lines(5, 0.1, thresholds), None, thresholds.decision) == ("Normal", "")
    assert name_by_lines(lines(-1, 0.9, thresholds), None, thresholds.decision) == ("Normal", "")
    prediction, reason = name_by_lines(lines(5, 0.3, thresholds), None, thresholds.decision)
    assert prediction == "Unknown"
    assert reason.startswith("uncertain: a healthy baseline decides")


def test_doubtful_lines_count_where_the_networks_name_the_same_race(thresholds):
    likely = {"Ball": 0.03, "InnerRace": 0.03, "Normal": 0.04, "OuterRace": 0.9}
    assert name_by_lines(lines(5, 0.3, thresholds), likely, thresholds.decision) == ("OuterRace", "")
    assert name_by_lines(lines(5, 0.3, thresholds, "InnerRace"), likely, thresholds.decision)[0] == "Unknown"
    assert name_by_lines(lines(-1, 0.3, thresholds), likely, thresholds.decision)[0] == "Unknown"


def test_probabilities_follow_the_lines_where_the_spectrum_is_not_trusted(thresholds):
    each = np.tile([0.1, 0.2, 0.4, 0.3], (2, 1))
    followed = follow_lines(each, "InnerRace", np.array([1.0, 0.0]), thresholds.decision)
    np.testing.assert_allclose(followed[0], each[0])
    assert followed[1].argmax() == 1
    assert 1 - followed[1, 2] == pytest.approx(1 / (1 + np.exp(-thresholds.decision.evident)))
    np.testing.assert_allclose(followed.sum(axis=1), 1)


def test_windows_that_disagree_are_counted(thresholds):
    said = ["Ball"] * 6 + ["Normal"] * 2
    assert find_dissent("Ball", said, thresholds.decision) == (
        "the windows disagree (6 Ball, 2 Normal): look at them one by one"
    )
    assert find_dissent("Ball", ["Ball", *said], thresholds.decision) == ""
    assert find_dissent("Unknown", [], thresholds.decision) == ""


@pytest.mark.parametrize(
    ("fault", "excess", "depth", "agree", "named"),
    [
        ("OuterRace", 5, 1.2, 0.9, "OuterRace"),
        ("OuterRace", 5, 0.6, 0.9, "Unknown"),
        ("OuterRace", 5, 1.2, 0.5, "Unknown"),
        ("Ball", 5, 1.2, 0.9, "Unknown"),
        ("OuterRace", -1, 0.9, 0.9, "Normal"),
    ],
    ids=["deep and named by the networks", "not deep", "not named by the networks", "a ball", "no line"],
)
def test_an_estimated_bearing_says_less(thresholds, fault, excess, depth, agree, named):
    """In so wide a range another part's lines are as likely: both lines and networks have to say the race."""
    likely = {"Normal": 0.3, fault: agree}
    evidence = lines(excess, depth, thresholds, fault)
    assert name_by_lines(evidence, likely, thresholds.decision)[0] == ("Normal" if excess < 0 else fault)
    said, reason = name_by_estimated_lines(evidence, Bearing(8, 0.24, 1), likely, thresholds.decision)
    assert said == named
    if named == "Unknown":
        assert "orders of the shaft, where a defect of" in reason
        assert reason.endswith("with 8 balls would lie: its damage, or the lines of another part")
