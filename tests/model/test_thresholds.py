from typing import NamedTuple

import pytest

from model.thresholds import read_thresholds


class Sensor(NamedTuple):
    held: float
    raise_after: int


class Thresholds(NamedTuple):
    sensor: Sensor


def test_sections_are_read_by_name():
    thresholds = read_thresholds(Thresholds, {"sensor": {"raise_after": 2, "held": 0.5}})
    assert thresholds == Thresholds(Sensor(0.5, 2))


@pytest.mark.parametrize(
    ("sections", "error", "named"),
    [
        ({"sensor": {"held": 0.5, "raise_after": 2, "hled": 1.0}}, TypeError, "hled"),
        ({"sensor": {"held": 0.5}}, TypeError, "raise_after"),
        ({"sensr": {"held": 0.5, "raise_after": 2}}, KeyError, "sensr"),
        ({}, TypeError, "sensor"),
    ],
)
def test_a_name_too_many_or_too_few_is_refused(sections, error, named):
    with pytest.raises(error, match=named):
        read_thresholds(Thresholds, sections)
