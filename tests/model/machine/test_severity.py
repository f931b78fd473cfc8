import numpy as np
import pytest

from model.bearings import Bearing
from model.machine.combs import ORDERS
from model.machine.severity import Part, combine, describe, explain, find_line_parts

ORDERS_OF = Bearing(9, 0.2, 1.0).orders


def grown(order: float, by: float) -> np.ndarray:
    growth = np.zeros(len(ORDERS))
    growth[int(np.abs(ORDERS - order).argmin())] = by
    return growth


def test_lines_need_both_deviations_and_growth(limits):
    severity = limits.severity
    part = find_line_parts(grown(ORDERS_OF.bpfo, 0.4), 0.01, ORDERS_OF, severity)[0]
    assert (part.fault, part.size) == ("OuterRace", pytest.approx(0.4 / severity.line_growth))
    part = find_line_parts(grown(ORDERS_OF.bpfo, 0.4), 0.1, ORDERS_OF, severity)[0]
    assert part.size == pytest.approx(4 / severity.line_deviations)


def test_a_line_of_no_part_needs_more_and_says_its_order(limits):
    *families, other = find_line_parts(grown(2.5, 0.6), 0.01, ORDERS_OF, limits.severity)
    assert [part.size for part in families] == [0, 0, 0]
    assert other.size == pytest.approx(0.6 / limits.severity.other_growth)
    assert "lines at order 2.5" in describe(other)


@pytest.mark.parametrize(
    ("order", "name"),
    [
        (2 * ORDERS_OF.bpfo, "2nd harmonic of BPFO"),
        (3 * ORDERS_OF.bpfo, "3rd harmonic of BPFO"),
        (ORDERS_OF.bpfo - 1, "sideband of BPFO"),
        (2.05, ""),
    ],
)
def test_other_lines_are_named_after_the_line_that_grew_with_them(order, name, limits):
    both = grown(ORDERS_OF.bpfo, 0.6) + grown(order, 0.6)
    assert find_line_parts(both, 0.01, ORDERS_OF, limits.severity)[-1].name == name
    assert find_line_parts(grown(order, 0.6), 0.01, ORDERS_OF, limits.severity)[-1].name == ""


def test_parts_of_different_kinds_add_up_as_squares():
    parts = [Part(0.6, "lines"), Part(0.5, "lines"), Part(0.8, "level"), Part(-3.0, "impacts")]
    assert combine(parts) == pytest.approx(1.0)


def test_the_reason_names_what_grew_most_with_its_figures():
    parts = [
        Part(1.6, "lines", "OuterRace", "BPFO", 7.07, growth=np.log(10) * 3.2 / 20),
        Part(1.2, "impacts", where=1, growth=13, moment=1.8),
        Part(0.9, "level", growth=16),
    ]
    assert explain(parts) == (
        "BPFO line (order 7.07) grew 3.2 dB; impacts in 2 to 5 kHz: level +13.0 dB, impulsiveness 1.8 times"
    )


def test_without_a_bearing_no_part_is_named(limits):
    (other,) = find_line_parts(grown(3.07, 0.6), 0.01, None, limits.severity)
    assert other.where == pytest.approx(3.07, rel=0.01)
    assert describe(other).startswith("lines at order 3.0")
    assert "(of which part is not known) grew 5.2 dB" in describe(other)
