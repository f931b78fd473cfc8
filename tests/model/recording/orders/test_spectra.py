import numpy as np
import pytest

from model.recording.orders.spectra import median, quartile


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 7, 8, 97, 4_738])
def test_median_and_quartile_are_those_of_numpy_to_the_last_digit(number, noise):
    for _ in range(20):
        values = noise.standard_normal(number)
        assert median(values) == np.median(values)
        assert quartile(values) == np.quantile(values, 0.25)


def test_medians_are_taken_over_the_last_axis(noise):
    values = noise.standard_normal((5, 48))
    np.testing.assert_array_equal(median(values), np.median(values, axis=1))
