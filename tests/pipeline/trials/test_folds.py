import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.trials import folds
from pipeline.trials.folds import PROTOCOLS


def make_metadata(windows: int, hop: int, length: int, catalogue: pd.DataFrame) -> pd.DataFrame:
    """One row a window of every recording of the real catalogue; lengths in samples."""
    rows = [
        {"recording": row.recording, "start": hop * number} | {
            name: getattr(row, name) for name in ("label", "fault_diameter", "outer_race_position", "load_hp")
        }
        for row in catalogue.itertuples()
        for number in range(windows)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def spans(metadata: pd.DataFrame, mask: np.ndarray, length: int) -> dict[str, list[tuple[int, int]]]:
    part = metadata[mask]
    return {name: [(start, start + length) for start in group.start] for name, group in part.groupby("recording")}


shapes = st.tuples(st.integers(4, 30), st.integers(1, 4)).map(lambda pair: (pair[0], 512 * pair[1], 2048))
few = settings(max_examples=15, deadline=None)


@few
@given(shape=shapes)
def test_block_shares_no_sample_whatever_the_overlap(shape, catalogue):
    metadata = make_metadata(*shape, catalogue)
    (fold,) = folds.block(metadata, shape[2])
    training, held_out = (spans(metadata, mask, shape[2]) for mask in (fold.training, fold.held_out))
    for name, windows in held_out.items():
        last = max((end for _, end in training.get(name, [])), default=0)
        assert all(start >= last for start, _ in windows)


@few
@given(shape=shapes)
def test_load_and_bearing_share_no_recording(shape, catalogue):
    metadata = make_metadata(*shape, catalogue)
    for protocol in ("load", "bearing", "combinations"):
        for fold in PROTOCOLS[protocol](metadata, shape[2]):
            assert not set(metadata.recording[fold.training]) & set(metadata.recording[fold.held_out])
            assert not (fold.training & fold.held_out).any()


@pytest.fixture(scope="module")
def metadata(catalogue):
    return make_metadata(6, 2048, 2048, catalogue)


@pytest.mark.parametrize("protocol", ["bearing", "combinations"])
def test_no_faulty_bearing_is_on_both_sides(protocol, metadata):
    faulty = metadata.label != "Normal"
    bearing = metadata.label + metadata.fault_diameter.astype(str)
    for fold in PROTOCOLS[protocol](metadata, 2048):
        assert not set(bearing[fold.training & faulty]) & set(bearing[fold.held_out & faulty])
        assert set(metadata.label[fold.training]) == {"Ball", "InnerRace", "Normal", "OuterRace"}


def test_a_clock_position_does_not_make_another_bearing(metadata):
    small = folds.bearing(metadata, 2048)[0]
    held_out = metadata[small.held_out & (metadata.label == "OuterRace").to_numpy()]
    assert set(held_out.outer_race_position) == {3, 6, 12}
    assert set(held_out.fault_diameter) == {0.007}


def test_the_bearing_folds_hold_out_the_healthy_recording_that_was_agreed(metadata):
    loads = {
        fold.name: set(metadata.load_hp[fold.held_out & (metadata.label == "Normal").to_numpy()])
        for fold in folds.bearing(metadata, 2048)
    }
    assert loads == {"0.007 in": {1}, "0.014 in": {2}, "0.021 in": {3}, "0.028 in": {0}}


def test_there_are_27_combinations_and_each_is_another(metadata):
    made = folds.combinations(metadata, 2048)
    faulty = (metadata.label != "Normal").to_numpy()
    assert len({tuple(fold.held_out[faulty]) for fold in made}) == 27
    for fold in made:
        part = metadata[fold.held_out & faulty]
        assert list(part.groupby("label").fault_diameter.nunique()) == [1, 1, 1]


def test_random_leaks(metadata):
    """The protocol that others publish: this test shows the leak instead of hiding it."""
    (fold,) = folds.random(metadata, 2048)
    held_out = set(metadata.recording[fold.held_out])
    shared = held_out & set(metadata.recording[fold.training])
    assert len(shared) > 0.9 * len(held_out)
    assert fold.held_out.mean() == pytest.approx(0.3, abs=0.01)


def test_load_leaks_the_bearing(metadata):
    bearing = metadata.label + metadata.fault_diameter.astype(str)
    for fold in folds.load(metadata, 2048):
        assert set(bearing[fold.held_out]) <= set(bearing[fold.training])


def test_transfer_has_ten_classes_and_shares_no_recording(metadata):
    made = folds.transfer(metadata, 2048)
    assert [fold.name for fold in made] == [
        "1 to 2 hp", "1 to 3 hp", "2 to 1 hp", "2 to 3 hp", "3 to 1 hp", "3 to 2 hp",
    ]  # fmt: skip
    sized = folds.size_labels(metadata)
    for fold in made:
        assert set(sized[fold.training]) == set(sized[fold.held_out]) == set(sized) - {""}
        assert len(set(sized[fold.training])) == 10
        assert not set(metadata.recording[fold.training]) & set(metadata.recording[fold.held_out])
