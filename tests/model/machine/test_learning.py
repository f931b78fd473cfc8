import numpy as np
import pytest

from model.machine.learning import Mean, is_same


def test_the_running_mean_is_the_mean_and_leaves_out_what_is_unknown(noise):
    rows = noise.standard_normal((30, 4)) + 1e6
    rows[3, 1] = np.nan
    mean = Mean.of(4)
    for row in rows:
        mean.add(row)
    np.testing.assert_allclose(mean.mean, np.nanmean(rows, axis=0))
    np.testing.assert_allclose(mean.variance(), np.nanvar(rows, axis=0, ddof=1), rtol=1e-4)
    assert mean.count.tolist() == [30, 29, 30, 30]


@pytest.mark.parametrize(("known", "rpm", "same"), [(1_000, 1_049, True), (1_000, 1_060, False), (np.nan, np.nan, True),
                                                    (np.nan, 1_000, False)])  # fmt: skip
def test_speeds_within_five_percent_are_one(known, rpm, same):
    assert is_same(known, rpm, 0.05) == same
