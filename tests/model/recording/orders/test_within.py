import numpy as np
import pytest

from model.bearings import BEARINGS, LISTED
from model.recording.checks import check_recording
from model.recording.orders.evidence import Evidence, find_lines
from model.recording.orders.spectra import transform_orders
from model.recording.orders.within import describe_estimate, find_best, read_lines_within
from model.recording.recording import Recording
from model.sizes import estimate, read_size
from pipeline.training.signals import read_signal
from tests.model.recording.machines import RATE, machine

SIZE = read_size("6309")
TRUE = LISTED["309K"].bearing


@pytest.fixture(scope="module")
def look(thresholds):
    return lambda recording: read_lines_within(recording, check_recording(recording), estimate(SIZE), thresholds)


@pytest.mark.parametrize(("label", "order"), [("OuterRace", TRUE.orders.bpfo), ("InnerRace", TRUE.orders.bpfi)])
def test_the_order_of_a_race_is_found_within_the_range(look, label, order):
    bearing, evidence = look(machine(label, bearing=TRUE))
    assert evidence.fault == label
    assert find_best(evidence).order == pytest.approx(order, rel=0.01)
    assert find_best(evidence).order == pytest.approx(find_best(evidence).found)
    assert bearing.rolling_elements == TRUE.rolling_elements
    said = describe_estimate(estimate(SIZE), bearing, evidence)
    assert "bore of 45 mm and its outside diameter of 100 mm (BPFO 2.6 to 3.57" in said
    assert f"lines at {find_best(evidence).order:.2f} orders of the shaft" in said


def test_a_healthy_machine_has_no_line_there(look):
    bearing, evidence = look(machine("Normal", bearing=TRUE))
    assert not evidence.fault
    assert describe_estimate(estimate(SIZE), bearing, evidence).endswith("no line was found")


def test_a_look_with_more_bearings_has_to_exceed_more(thresholds):
    recording = machine("OuterRace")
    spectra = transform_orders(check_recording(recording), RATE, recording.rpm / 60)
    alone, among = (find_lines(spectra, TRUE.orders, 1.0, thresholds.evidence, number) for number in (1, 10))
    for one, other in zip(alone.lines, among.lines, strict=True):
        assert one.excess - other.excess == pytest.approx(thresholds.evidence.wider * np.log(10))


def test_a_speed_beyond_is_not_looked_at(look):
    assert look(Recording(machine("OuterRace").signal, RATE, 12_000))[1] == Evidence()


def test_an_estimated_bearing_of_a_real_machine_says_where_its_lines_lie(diagnosis, mirror, catalogue):
    """CWRU's 6205-2RS, as one who knows its size alone would ask: no order is found that the true one is far from."""
    known, size = BEARINGS["6205-2RS"].orders, read_size("6205")
    for name, order in (("105", known.bpfi), ("130", known.bpfo), ("209", known.bpfi), ("234", known.bpfo)):
        row = catalogue.set_index("recording").loc[name]
        recording = Recording(read_signal(mirror / row.file, row.variable), row.sampling_rate, row.rpm)
        answer = diagnosis.diagnose(recording, estimate(size))
        assert find_best(answer.evidence).order == pytest.approx(order, rel=0.015)
        assert answer.prediction in ("Unknown", find_best(answer.evidence).fault)
        assert not answer.windows
