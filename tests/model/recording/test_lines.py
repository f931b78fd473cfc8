import numpy as np
import pytest

from model.bearings import BEARINGS, Bearing
from model.recording.lines import COMB_ORDERS, Features, concatenate, describe, line_orders, window_length
from pipeline.simulator import Fault, Resonance, simulate

BEARING = BEARINGS["6205-2RS"]
NAMES = list(line_orders(BEARING.orders))
KINDS = ("Ball", "InnerRace", "OuterRace")


def features_of(signal, rate=12_000, rpm=1750, bearing=BEARING) -> Features:
    length = window_length(rate)
    windows = signal[: len(signal) // length * length].reshape(-1, length)
    return describe(windows, rate, rpm / 60, bearing.orders)


def faulty(label, rate=12_000, rpm=1750, bearing=BEARING, snr_db=10.0, seconds=3.0):
    fault = Fault(label, snr_db=snr_db, jitter=0.002, zone_floor=0.3, resonances=(Resonance(3_000, 0.05),))
    return simulate(bearing, rpm, rate, seconds, 4, (fault,))


def test_there_are_sixty_lines_at_the_orders_of_their_names():
    orders = line_orders(BEARING.orders)
    assert len(orders) == 60
    assert orders["1 BPFO"] == pytest.approx(3.5848, abs=1e-3)
    assert orders["2 BPFI - 1 shaft"] == pytest.approx(2 * 5.4152 - 1, abs=1e-3)
    assert orders["4 BSF + 1 FTF"] == pytest.approx(4 * 2.357 + 0.3983, abs=2e-3)


@pytest.mark.parametrize("rate", [12_000, 12_800, 25_600, 44_100, 48_000, 48_828, 51_200, 97_656, 100_000])
def test_a_window_lasts_as_long_at_any_rate(rate):
    assert window_length(rate) / rate == pytest.approx(8_192 / 12_000, rel=0.015)
    assert window_length(12_000) == 8_192


@pytest.mark.parametrize(("label", "line"), list(zip(KINDS, ("2 BSF", "1 BPFI", "1 BPFO"), strict=True)))
@pytest.mark.parametrize("rate", [12_000, 48_828])
@pytest.mark.parametrize("bearing", [BEARING, Bearing(12, 0.18, 1.0, 10)])
def test_the_faults_line_stands_out_and_its_comb_too(label, line, rate, bearing):
    features = features_of(faulty(label, rate, bearing=bearing), rate, bearing=bearing)
    lines = features.lines[:, 6].mean(axis=0)
    decoys = [lines[NAMES.index(name)] for name in NAMES if name.startswith("decoy")]
    assert lines[NAMES.index(line)] > 1.2 + np.mean(decoys)
    assert features.combs.mean(axis=0).argmax() == KINDS.index(label)


def test_a_wrong_speed_makes_lines_of_no_part():
    features = features_of(faulty("InnerRace"), rpm=1450)
    assert features.combs.mean(axis=0).argmax() == 3


def test_features_do_not_depend_on_amplitude_and_offset():
    signal = faulty("OuterRace")
    for other in (1e-12 * signal, 1e9 * signal, signal - 40):
        for mine, theirs in zip(features_of(signal), features_of(other), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=2e-3)


def test_a_higher_rate_gives_the_same_features():
    """No resampling: the bins below the band limit are the same. The signal is one, sampled twice."""
    time = np.arange(8_192 * 4) / 48_000
    generator = np.random.default_rng(0)
    tones = [(f, generator.uniform(0.2, 1), generator.uniform(0, 6)) for f in generator.uniform(60, 4_900, 400)]
    fast = sum(amplitude * np.sin(2 * np.pi * f * time + phase) for f, amplitude, phase in tones)
    for mine, theirs in zip(features_of(fast[::4]), features_of(fast, rate=48_000), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=0.05)


def test_noise_above_the_band_limit_changes_nothing(noise):
    signal = faulty("OuterRace", rate=48_000)
    spectrum = np.fft.rfft(noise.standard_normal(len(signal)))
    spectrum[np.fft.rfftfreq(len(signal), 1 / 48_000) < 5_100] = 0
    loud = signal + 5 * signal.std() * np.fft.irfft(spectrum, len(signal))
    for mine, theirs in zip(features_of(signal, 48_000), features_of(loud, 48_000), strict=True):
        # What leaks from the ends of the window is all that is left.
        assert np.abs(mine - theirs).mean() < 0.15


def test_white_noise_has_no_line(noise):
    features = features_of(noise.standard_normal(8_192 * 40))
    assert features.lines.mean() == pytest.approx(0.545, abs=0.05)  # the largest of a few Rayleigh bins
    assert np.abs(features.spectrum.mean(axis=0)).max() < 0.1
    assert np.exp(features.shape[:, 0]).mean() == pytest.approx(3, abs=0.1)
    assert np.exp(features.moments).mean() == pytest.approx(2, abs=0.1)  # E|z|^4 / (E|z|^2)^2 of a complex Gaussian


def test_a_line_beyond_the_spectrum_is_quiet():
    features = features_of(faulty("OuterRace", rpm=1750), rpm=12_000)
    assert (features.lines[:, :, NAMES.index("4 BPFI")] == 0).all()


def test_parts_are_put_together_and_taken_apart():
    whole = features_of(faulty("Ball"))
    halves = concatenate([whole.select(slice(0, 2)), whole.select(slice(2, None))])
    assert all(np.array_equal(a, b) for a, b in zip(whole, halves, strict=True))
    assert len(COMB_ORDERS) > 200
