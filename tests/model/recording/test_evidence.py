import numpy as np
import pytest

from model.bearings import BEARINGS, Bearing
from model.recording.checks import normalise
from model.recording.evidence import BANDS, HARMONICS, REACH, envelope_spectra, fault_lines, weigh
from model.recording.lines import window_length
from model.recording.windows import PART, cut
from pipeline.simulator import Fault, simulate
from pipeline.training.signals import read_signal

RPM = 1_740
ELSEWHERE = Bearing(11, 0.21, 1.0, contact_angle=8)
FAULTS = ("OuterRace", "InnerRace", "Ball")


def look(signal, prediction, rate=12_000, rpm=RPM, bearing=ELSEWHERE):
    return weigh(cut(normalise(signal), rate)[1], rate, rpm / 60, bearing.orders, prediction)


def faulty(label, rate=12_000, seconds=5.0, **others):
    fault = Fault(label, **{"snr_db": 6.0, "jitter": 0.002, "zone_floor": 0.3} | others)
    return simulate(ELSEWHERE, RPM, rate, seconds, 0, (fault,))


def test_the_lines_are_those_of_the_geometry():
    orders = ELSEWHERE.orders
    assert [order for _, _, order in fault_lines(orders)] == [orders.bpfo, orders.bpfi, 2 * orders.bsf]


@pytest.mark.parametrize("rate", [12_000, 25_600, 48_000])
@pytest.mark.parametrize("label", FAULTS)
def test_a_fault_shows_at_its_own_line_and_speaks_for_itself_alone(label, rate):
    evidence = look(faulty(label, rate), label, rate)
    own = next(line for line in evidence.lines if line.fault == label)
    assert own.stands_out
    assert len(own.heights) == HARMONICS
    assert own.heights[0] > 3
    assert evidence.verdict == "supports"
    assert own.name in evidence.explanation
    assert not any(line.stands_out for line in evidence.lines if line is not own)
    for other in (*FAULTS, "Normal"):
        if other != label:
            assert look(faulty(label, rate), other, rate).verdict == "contradicts"
    assert look(faulty(label, rate), "Unknown", rate).verdict == "inconclusive"


def test_the_highest_point_of_the_spectrum_lies_at_the_line():
    evidence = look(faulty("OuterRace"), "OuterRace")
    spectrum = evidence.spectra.mean(axis=0)
    orders = np.arange(len(spectrum)) * evidence.spacing
    peak = orders[spectrum.argmax()] / ELSEWHERE.orders.bpfo
    assert abs(peak - round(peak)) * ELSEWHERE.orders.bpfo <= evidence.spacing


@pytest.mark.parametrize("seconds", [0.7, 2.0, 10.0])
def test_noise_shows_no_line_however_short(seconds):
    for seed in range(20):
        signal = np.random.default_rng(seed).standard_normal(round(12_000 * seconds))
        evidence = look(signal, "Normal")
        assert evidence.verdict == "supports"
        assert look(signal, "Ball").verdict == "inconclusive"


def test_a_modulated_tone_has_the_envelope_spectrum_that_follows_from_its_modulation():
    # x = (1 + m cos a) cos b: squared envelope (1 + m cos a)^2, over its mean 1 + m^2 / 2: lines 2 m and m^2 / 2.
    rate, depth, samples = 12_000, 0.4, window_length(12_000)
    time = np.arange(samples) / rate
    modulation, carrier = 60 * rate / samples, 2_500 / 12_000 * samples // 1 * rate / samples
    signal = (1 + depth * np.cos(2 * np.pi * modulation * time)) * np.cos(2 * np.pi * carrier * time)
    spectra = envelope_spectra(signal[None], rate, highest=300)
    spectrum = spectra[BANDS.index((2_000, 4_900))][0]
    mean = 1 + depth**2 / 2
    assert spectrum[60] == pytest.approx(2 * depth / mean, rel=2e-3)
    assert spectrum[120] == pytest.approx(depth**2 / 2 / mean, rel=2e-2)
    assert spectrum[[30, 90, 150]].max() < 1e-3


def test_neither_the_unit_nor_an_offset_matters():
    signal = faulty("InnerRace")
    expected = look(signal, "InnerRace")
    for changed in (signal * 1e9, signal * 1e-9, signal + 50):
        evidence = look(changed, "InnerRace")
        assert evidence.band == expected.band
        for line, same in zip(evidence.lines, expected.lines, strict=True):
            assert line.comb == pytest.approx(same.comb, abs=0.02)


def test_many_windows_are_taken_in_parts_that_change_nothing(noise):
    windows = noise.standard_normal((PART // window_length(12_000) + 3, window_length(12_000)))
    together = envelope_spectra(windows, 12_000, 300)
    np.testing.assert_allclose(together[:, -2:], envelope_spectra(windows[-2:], 12_000, 300), rtol=1e-5)


def test_a_line_beyond_the_spectrum_has_no_height():
    fast = weigh(cut(faulty("OuterRace"), 12_000)[1], 12_000, 100, ELSEWHERE.orders, "Ball")
    assert 3 * fast.lines[1].order * 100 > REACH
    assert fast.lines[1].heights[-1] == 0
    assert min(fast.lines[1].heights[:2]) > 0
    assert np.isfinite([line.comb for line in fast.lines]).all()


def test_where_nothing_varies_there_is_nothing_to_see():
    evidence = look(np.zeros(20_000), "Unknown")
    assert (evidence.lines, evidence.verdict) == ([], "inconclusive")
    assert evidence.spectra.size == 0


@pytest.mark.parametrize(
    ("recording", "verdict"), [("105", "supports"), ("130", "supports"), ("209", "supports"), ("97", "supports")]
)
def test_the_lines_of_real_faults_stand_out_and_those_of_a_real_healthy_bearing_do_not(
    mirror, catalogue, recording, verdict
):
    row = catalogue.set_index("recording").loc[recording]
    signal = read_signal(mirror / row.file, row.variable)
    evidence = look(signal, row.label, row.sampling_rate, row.rpm, BEARINGS["6205-2RS"])
    assert evidence.verdict == verdict
