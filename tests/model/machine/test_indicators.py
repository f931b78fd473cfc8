import numpy as np
import pytest

from model.machine.indicators import SIZE, Indicators, longest_run, measure
from model.recording.recording import Recording

RATE, RPM = 12_000, 1_750
TIME = np.arange(RATE) / RATE


def test_a_sine_has_its_textbook_indicators():
    found = measure(Recording(3 * np.sin(2 * np.pi * 160 * TIME), RATE, RPM), "m/s2")
    assert found.rms == pytest.approx(3 / np.sqrt(2), rel=1e-3)
    assert found.peak == pytest.approx(3, rel=1e-3)
    assert found.kurtosis == pytest.approx(1.5, rel=1e-3)
    assert found.velocity == pytest.approx(1_000 * 3 / np.sqrt(2) / (2 * np.pi * 160), rel=0.01)
    assert found.to_dict()["crest_factor"] == pytest.approx(np.sqrt(2), rel=1e-3)


@pytest.mark.parametrize(("unit", "velocity"), [("g", 9.80665), ("m/s2", 1.0)])
def test_the_velocity_follows_the_unit(unit, velocity):
    signal = Recording(np.sin(2 * np.pi * 100 * TIME), RATE, RPM)
    assert measure(signal, unit).velocity == pytest.approx(velocity * 1_000 / np.sqrt(2) / (200 * np.pi), rel=0.01)
    assert measure(signal, "mm/s").velocity == pytest.approx(1 / np.sqrt(2), rel=0.01)
    assert np.isnan(measure(signal).velocity)
    assert measure(signal).to_dict()["velocity"] is None


def test_they_take_half_a_kilobyte_and_come_back_as_they_were(noise):
    found = measure(Recording(noise.standard_normal(RATE), RATE, RPM))
    kept = found.to_bytes()
    assert len(kept) == SIZE <= 512
    again = Indicators.from_bytes(kept)
    for name, value in found._asdict().items():
        np.testing.assert_array_equal(getattr(again, name), value)
    assert again.to_bytes() == kept


def test_gain_moves_levels_alone(noise):
    signal = noise.standard_normal(RATE)
    one, ten = (measure(Recording(gain * signal, RATE, RPM)) for gain in (1, 10))
    np.testing.assert_allclose(ten.levels - one.levels, np.where(np.isfinite(one.levels), 20, np.nan), atol=0.05)
    np.testing.assert_allclose(ten.moments, one.moments, atol=2e-3)
    np.testing.assert_allclose(ten.combs, one.combs, atol=0.016)
    assert ten.kurtosis == pytest.approx(one.kurtosis, rel=1e-5)


def test_without_a_speed_there_are_levels_and_no_lines(noise):
    found = measure(Recording(noise.standard_normal(RATE), RATE, None))
    assert np.isnan(found.rpm)
    assert not found.combs.any()
    assert np.isfinite(found.levels[0])


@pytest.mark.parametrize("rate", [2_000, 2_560, 3_190])
def test_a_rate_that_holds_no_envelope_band_has_levels_and_no_lines(noise, rate):
    found = measure(Recording(noise.standard_normal(2 * rate), rate, RPM))
    assert (found.rpm, found.has_combs, found.combs.any()) == (RPM, False, False)
    assert np.isnan(found.moments).all()
    assert np.isfinite(found.levels[0])
    assert measure(Recording(noise.standard_normal(2 * 3_200), 3_200, RPM)).has_combs


def test_the_longest_run_of_equal_samples_is_found():
    assert longest_run(np.array([1.0, 2, 2, 2, 3, 3])) == 3
    assert longest_run(np.arange(5.0)) == 1
    assert longest_run(np.zeros(7)) == 7


@pytest.mark.parametrize(
    ("signal", "rate", "rpm", "message"),
    [
        (np.ones((2, 2_000)), RATE, RPM, r"shape \(2, 2000\), expected real numbers"),
        (np.ones(2_000), 1_000, RPM, "sampled at 1000 Hz, expected 2,000 Hz"),
        (np.ones(2_000), None, RPM, "sampled at 0 Hz"),
        (np.ones(1_000), RATE, RPM, r"lasts 0\.0833 s, 1000 samples, expected 0\.1 s and 512 samples"),
        (np.ones(2_000), RATE, 0, "rpm is 0"),
        (np.full(2_000, np.nan), RATE, RPM, "NaN or infinity at sample 0"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(signal, rate, rpm, message):
    with pytest.raises(ValueError, match=message):
        measure(Recording(signal, rate, rpm))


def test_bytes_of_another_version_are_refused():
    with pytest.raises(ValueError, match=f"3 bytes of version 1, expected {SIZE} of version 1"):
        Indicators.from_bytes(b"\x01ab")
