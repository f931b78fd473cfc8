import numpy as np

from model.recording.classes import CLASSES
from pipeline.simulate import simulate_machines
from tests.conftest import POPULATION


def test_all_classes_come_alike_and_every_window_has_its_machines_facts():
    features, machines = simulate_machines(machines=40, windows=2, seed=0, population=POPULATION)
    assert features.lines.shape == (80, 7, 60)
    assert dict(zip(*np.unique(machines["label"], return_counts=True), strict=True)) == dict.fromkeys(CLASSES, 20)
    assert all(np.isfinite(feature).all() for feature in features)
    assert (machines["snr_db"][machines["label"] == "Normal"] == -np.inf).all()
    assert not (machines["secondary"] == machines["label"]).any()


def test_the_seed_fixes_every_machine_and_a_machine_does_not_depend_on_the_others():
    few, _ = simulate_machines(machines=8, windows=1, seed=3, population=POPULATION)
    more, _ = simulate_machines(machines=120, windows=1, seed=3, population=POPULATION)
    other, _ = simulate_machines(machines=8, windows=1, seed=4, population=POPULATION)
    np.testing.assert_array_equal(few.lines, more.lines[:8])
    assert not np.array_equal(few.lines, other.lines)
