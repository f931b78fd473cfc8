import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from pipeline.params import InputError
from pipeline.split import split

SETTINGS = {"protocol": "random", "holdout": 0.3, "validation": 0.1, "seed": 42}


def test_every_window_has_one_part_and_the_shares_are_those_asked_for():
    parts = split(4367, **SETTINGS)
    assert len(parts) == 4367
    # 30 % of all windows, and 10 % of what remains, both rounded up.
    assert {part: int((parts == part).sum()) for part in set(parts)} == {
        "holdout": 1311, "validation": 306, "train": 2750,
    }  # fmt: skip


def test_the_holdout_is_that_of_the_reference_protocol():
    _, held_out = train_test_split(np.arange(4367), test_size=0.3, random_state=42)
    assert np.flatnonzero(split(4367, **SETTINGS) == "holdout").tolist() == sorted(held_out)


def test_the_seed_decides():
    assert (split(100, **SETTINGS) == split(100, **SETTINGS)).all()
    assert (split(100, **SETTINGS) != split(100, **SETTINGS | {"seed": 43})).any()


def test_the_random_protocol_leaks_every_recording():
    recordings = np.repeat(np.arange(64), 60)
    parts = split(len(recordings), **SETTINGS)
    shared = set(recordings[parts == "train"]) & set(recordings[parts == "holdout"])
    assert len(shared) == 64


def test_an_unknown_protocol_is_named():
    with pytest.raises(InputError, match=r"split\.protocol is 'bering', expected 'random'"):
        split(100, **SETTINGS | {"protocol": "bering"})
