from math import log

import numpy as np
import pytest

from model.bearings import LISTED, Bearing
from model.sizes import CELL, Size, ball_ratio, estimate, learn_proportions, read_size, spread, tolerance_interval


@pytest.mark.parametrize(
    ("text", "bore", "outer_diameter"),
    [
        ("6309", 45, 100),
        ("SKF 6309-2Z/C3", 45, 100),
        ("6000 ZZ", 10, 26),
        ("6203", 17, 40),
        ("62205-2RS1", 25, 52),
        ("62305", 25, 62),
        ("6320", 100, 215),
        ("45 x 100 x 25", 45, 100),
        ("25.4x52 mm", 25.4, 52),
        ("45\u00d7100\u00d725", 45, 100),
    ],
)
def test_a_designation_or_dimensions_say_the_size(text, bore, outer_diameter):
    assert read_size(text) == Size(bore, outer_diameter)


@pytest.mark.parametrize("text", ["NU 210", "7205", "22205", "16005", "6324", "6405", "63", "9, 7.94, 39.04", "", "x"])
def test_what_says_no_size_of_a_known_series_says_none(text):
    assert read_size(text) is None


def test_the_table_left_out_row_by_row_lies_within_the_estimate():
    """A row is held where a bearing of the estimate has its balls' number and lies within half a cell of its ratio."""
    sized = {name: each for name, each in LISTED.items() if each.same_size_as}
    held = []
    for name, listed in sized.items():
        proportions = learn_proportions(other for each, other in LISTED.items() if each != name)
        held.append(any(is_near(listed.bearing, each) for each in spread(read_size(listed.same_size_as), proportions)))
    assert len(held) > 30
    assert np.mean(held) >= 0.95


def is_near(bearing: Bearing, other: Bearing) -> bool:
    apart = abs(log(ball_ratio(bearing) / ball_ratio(other)))
    return bearing.rolling_elements == other.rolling_elements and apart <= CELL / 2


def test_the_ranges_hold_the_orders_of_a_known_bearing_of_that_size():
    orders = LISTED["309K"].bearing.orders._asdict()
    ranges = estimate(Size(45, 100)).ranges
    assert all(low < orders[name] < high for name, (low, high) in ranges.items())
    assert ranges["bpfo"][1] < ranges["bpfi"][0]


@pytest.mark.parametrize(("bore", "outer_diameter"), [(20, 21), (5, 80), (50, 20), (0, 0)])
def test_a_size_of_other_proportions_is_refused_in_words(bore, outer_diameter):
    with pytest.raises(ValueError, match="expected the proportions of the series 60, 62 or 63"):
        estimate(Size(bore, outer_diameter))


@pytest.mark.parametrize(("number", "factor"), [(20, 2.752), (30, 2.549), (50, 2.379)])
def test_the_tolerance_interval_is_howes(noise, number, factor):
    """The factors are those of the customary tables for 95 % of the values with 95 % confidence."""
    values = noise.standard_normal(number)
    low, high = tolerance_interval(values)
    assert (high - low) / 2 / values.std(ddof=1) == pytest.approx(factor, rel=3e-3)
    assert (high + low) / 2 == pytest.approx(values.mean())
