import numpy as np
import pytest

from model.bearings import BEARINGS, Bearing
from model.recording.checks import check_recording
from model.recording.evidence import HARMONICS, fault_lines, weigh
from model.recording.recording import Recording
from model.recording.windows import analyse
from pipeline.simulator import Fault, simulate
from pipeline.training.signals import read_signal

RPM = 1_740
ELSEWHERE = Bearing(11, 0.21, 1.0, contact_angle=8)
FAULTS = ("OuterRace", "InnerRace", "Ball")


@pytest.fixture
def look(thresholds):
    """Return a function that finds what the lines in a signal say of a prediction."""

    def find(signal, prediction, rate=12_000, rpm=RPM, bearing=ELSEWHERE):
        recording = Recording(signal, rate, rpm)
        analysis = analyse(recording, check_recording(recording), bearing.orders, thresholds.checks.highest_line)
        spectra = (analysis.envelope_spectra, analysis.spacing)
        return weigh(*spectra, rpm / 60, bearing.orders, prediction, thresholds.evidence)

    return find


def faulty(label, rate=12_000, seconds=5.0, **others):
    fault = Fault(label, **{"snr_db": 6.0, "jitter": 0.002, "zone_floor": 0.3} | others)
    return simulate(ELSEWHERE, RPM, rate, seconds, 0, (fault,))


def test_the_lines_are_those_of_the_geometry():
    orders = ELSEWHERE.orders
    assert [order for _, _, order in fault_lines(orders)] == [orders.bpfo, orders.bpfi, 2 * orders.bsf]


@pytest.mark.parametrize("rate", [12_000, 25_600, 48_000])
@pytest.mark.parametrize("label", FAULTS)
def test_a_fault_shows_at_its_own_line_and_speaks_for_itself_alone(label, rate, look):
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


def test_the_highest_point_of_the_spectrum_lies_at_the_line(look):
    evidence = look(faulty("OuterRace"), "OuterRace")
    spectrum = evidence.spectra.mean(axis=0)
    orders = np.arange(len(spectrum)) * evidence.spacing
    peak = orders[spectrum.argmax()] / ELSEWHERE.orders.bpfo
    assert abs(peak - round(peak)) * ELSEWHERE.orders.bpfo <= evidence.spacing


@pytest.mark.parametrize("seconds", [0.7, 2.0, 10.0])
def test_noise_shows_no_line_however_short(seconds, look):
    for seed in range(20):
        signal = np.random.default_rng(seed).standard_normal(round(12_000 * seconds))
        evidence = look(signal, "Normal")
        assert evidence.verdict == "supports"
        assert look(signal, "Ball").verdict == "inconclusive"


def test_neither_the_unit_nor_an_offset_matters(look):
    signal = faulty("InnerRace")
    expected = look(signal, "InnerRace")
    for changed in (signal * 1e9, signal * 1e-9, signal + 50):
        evidence = look(changed, "InnerRace")
        assert evidence.band == expected.band
        for line, same in zip(evidence.lines, expected.lines, strict=True):
            assert line.comb == pytest.approx(same.comb, abs=0.02)


def test_a_line_beyond_the_spectrum_has_no_height(look, thresholds):
    fast = look(faulty("OuterRace"), "Ball", rpm=6_000)
    assert 3 * fast.lines[1].order * 100 > thresholds.checks.highest_line
    assert fast.lines[1].heights[-1] == 0
    assert min(fast.lines[1].heights[:2]) > 0
    assert np.isfinite([line.comb for line in fast.lines]).all()


def test_where_nothing_varies_there_is_nothing_to_see(diagnosis):
    evidence = diagnosis.diagnose(Recording(np.zeros(20_000), 12_000, RPM)).evidence
    assert (evidence.lines, evidence.verdict) == ([], "inconclusive")
    assert evidence.spectra.size == 0


@pytest.mark.parametrize(
    ("recording", "verdict"), [("105", "supports"), ("130", "supports"), ("209", "supports"), ("97", "supports")]
)
def test_the_lines_of_real_faults_stand_out_and_those_of_a_real_healthy_bearing_do_not(
    mirror, catalogue, recording, verdict, look
):
    row = catalogue.set_index("recording").loc[recording]
    signal = read_signal(mirror / row.file, row.variable)
    evidence = look(signal, row.label, row.sampling_rate, row.rpm, BEARINGS["6205-2RS"])
    assert evidence.verdict == verdict
