import numpy as np
import pytest

from model.bearings import BEARINGS, Bearing
from model.recording.classes import FAULTS
from pipeline.simulator import (
    Fault,
    Resonance,
    Surroundings,
    load_zone,
    place,
    ring,
    simulate,
)

BEARING = BEARINGS["6205-2RS"]
OTHER = Bearing(13, 0.22, 1.1, contact_angle=12)


def squared_envelope_spectrum(signal: np.ndarray, sampling_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """The textbook way, from the analytic signal of the whole band: nothing of the project's own features."""
    spectrum = np.fft.fft(signal)
    spectrum[len(signal) // 2 :] = 0
    envelope = np.abs(np.fft.ifft(2 * spectrum)) ** 2
    weighted = (envelope / envelope.mean() - 1) * np.hanning(len(signal))
    return np.fft.rfftfreq(len(signal), 1 / sampling_rate), np.abs(np.fft.rfft(weighted)) * 4 / len(signal)


def height(signal, sampling_rate, frequency, width=1.0):
    at, amplitude = squared_envelope_spectrum(signal, sampling_rate)
    return amplitude[np.abs(at - frequency) <= width].max()


@pytest.mark.parametrize("bearing", [BEARING, OTHER])
@pytest.mark.parametrize("rpm", [900, 1750, 3000])
@pytest.mark.parametrize("sampling_rate", [12_000, 51_200])
@pytest.mark.parametrize("label", FAULTS)
def test_the_strongest_line_lies_at_the_faults_rate(bearing, rpm, sampling_rate, label):
    # Without a load zone the strikes are alike, so nothing but the strike rate and its multiples shows.
    fault = Fault(label, snr_db=30, zone_floor=1.0, resonances=(Resonance(3_000, 0.08),))
    signal = simulate(bearing, rpm, sampling_rate, 4.0, 0, (fault,))
    rate = {"Ball": 2 * bearing.orders.bsf, "InnerRace": bearing.orders.bpfi, "OuterRace": bearing.orders.bpfo}[label]
    at, amplitude = squared_envelope_spectrum(signal, sampling_rate)
    low = at < 1.5 * rate * rpm / 60
    assert at[low][amplitude[low].argmax()] == pytest.approx(rate * rpm / 60, abs=0.5)


def test_the_load_zone_gives_an_inner_race_fault_sidebands_at_shaft_rate():
    # McFadden and Smith (1984): passing through the load zone once a turn modulates the strikes.
    signal = simulate(BEARING, 1800, 12_000, 6.0, 1, (Fault("InnerRace", snr_db=30),))
    rate = BEARING.orders.bpfi * 30
    between = height(signal, 12_000, rate + 15)
    assert min(height(signal, 12_000, rate + side) for side in (-30, 30)) > 5 * between
    assert height(signal, 12_000, 30) > 5 * between


def test_the_cage_gives_a_ball_fault_sidebands_at_its_rate():
    signal = simulate(BEARING, 1800, 12_000, 6.0, 1, (Fault("Ball", snr_db=30),))
    strikes, cage = 2 * BEARING.orders.bsf * 30, BEARING.orders.ftf * 30
    between = height(signal, 12_000, strikes + cage / 2)
    assert min(height(signal, 12_000, strikes + side) for side in (-cage, cage)) > 5 * between


def test_a_weaker_strike_on_the_inner_race_shows_the_balls_own_turns():
    even = simulate(BEARING, 1800, 12_000, 6.0, 1, (Fault("Ball", snr_db=30, zone_floor=1.0),))
    uneven = simulate(BEARING, 1800, 12_000, 6.0, 1, (Fault("Ball", snr_db=30, zone_floor=1.0, inner_strength=0.3),))
    spin = BEARING.orders.bsf * 30
    assert height(uneven, 12_000, spin) > 10 * height(even, 12_000, spin)


def test_jitter_smears_high_harmonics_more_than_the_first():
    # Randall and Antoni (2011), section 2.3: independent intervals make the phase a random walk.
    lines = {}
    for jitter in (0.0, 0.02):
        fault = Fault("OuterRace", snr_db=30, jitter=jitter)
        signal = simulate(BEARING, 1800, 12_000, 10.0, 2, (fault,))
        rate = BEARING.orders.bpfo * 30
        lines[jitter] = [height(signal, 12_000, harmonic * rate, width=0.3) for harmonic in (1, 5)]
    kept = np.array(lines[0.02]) / lines[0.0]
    assert kept[1] < 0.5 * kept[0]


def test_slip_moves_the_line_by_its_share():
    signal = simulate(BEARING, 1800, 12_000, 10.0, 2, (Fault("OuterRace", snr_db=30, slip=-0.01),))
    rate = BEARING.orders.bpfo * 30
    assert height(signal, 12_000, 0.99 * rate, width=0.3) > 10 * height(signal, 12_000, rate, width=0.3)


def test_the_signal_to_noise_ratio_is_the_one_asked_for():
    fault = Fault("OuterRace", snr_db=-6)
    with_fault = simulate(BEARING, 1800, 12_000, 20.0, 3, (fault,))
    without = simulate(BEARING, 1800, 12_000, 20.0, 3)
    ratio = np.var(with_fault - without) / np.var(without)
    assert 10 * np.log10(ratio) == pytest.approx(-6, abs=0.3)


def test_a_mode_rings_at_its_frequency_and_dies_away_with_its_damping():
    impulse = np.zeros(12_000)
    impulse[100] = 1
    ringing = ring(impulse, (Resonance(2_000, 0.02),), 12_000)
    spectrum = np.abs(np.fft.rfft(ringing))
    assert np.fft.rfftfreq(12_000, 1 / 12_000)[spectrum.argmax()] == pytest.approx(2_000, rel=0.01)
    # exp(-2 pi f damping t): after n periods exp(-2 pi damping n)
    early, late = np.abs(ringing[106:112]).max(), np.abs(ringing[106 + 60 : 112 + 60]).max()
    assert late / early == pytest.approx(np.exp(-2 * np.pi * 0.02 * 10), rel=0.05)


def test_nothing_rings_before_it_is_struck():
    impulse = np.zeros(4_096)
    impulse[2_000] = 1
    ringing = ring(impulse, (Resonance(3_000, 0.05),), 12_000)
    assert np.abs(ringing[:1_990]).max() < 0.02 * np.abs(ringing).max()


def test_an_impulse_between_samples_keeps_its_size_and_place():
    placed = place(np.array([10.25, 3.0]) / 100, np.array([2.0, 1.0]), 20, 100)
    assert placed[10] == pytest.approx(1.5)
    assert placed[11] == pytest.approx(0.5)
    assert placed[3] == pytest.approx(1.0)
    assert placed.sum() == pytest.approx(3.0)


def test_half_the_circumference_is_loaded_by_default():
    load = load_zone(np.array([0.0, 0.2, 0.3, 0.5, 0.75]), Fault("InnerRace"))
    assert load[0] == pytest.approx(1)
    assert 0 < load[1] < 1
    assert load[2] == load[3] == load[4] == 0


def test_the_seed_fixes_every_sample_and_another_gives_another_machine():
    machine = (BEARING, 1750, 12_000, 1.0)
    assert np.array_equal(simulate(*machine, 5), simulate(*machine, 5))
    assert not np.array_equal(simulate(*machine, 5), simulate(*machine, 6))


def test_a_shaft_tone_and_looseness_show_at_shaft_rate():
    signal = simulate(BEARING, 1800, 12_000, 5.0, 0, (), Surroundings(shaft=(1.0,), looseness=20.0))
    spectrum = np.abs(np.fft.rfft(signal))
    assert np.fft.rfftfreq(len(signal), 1 / 12_000)[spectrum.argmax()] == pytest.approx(30, abs=0.3)
    assert height(signal, 12_000, 30) > 5 * height(signal, 12_000, 45)


def test_a_seed_gives_the_samples_that_it_gave_before():
    """The networks that are served were trained on them."""
    faults = (Fault("InnerRace", snr_db=3, jitter=0.01), Fault("Ball", snr_db=-10, rough=True))
    around = Surroundings((Resonance(2_000, 0.1),), (0.5,), ((60.0, 0.3),), 0.2, looseness=1.0, hits=5.0)
    signal = simulate(BEARING, 1750, 12_000, 0.5, 7, faults, around)
    assert signal[[0, 2_999, 5_999]] == pytest.approx(
        [-4.0395984935076354, 0.6190123258208822, -0.40559257450917785], rel=1e-9
    )
