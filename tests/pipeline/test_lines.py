import numpy as np
import pandas as pd
import pytest

from model.bearings import BEARINGS
from model.recording.lines import describe
from model.recording.windows import cut
from pipeline.lines import add_noise, check_catalogue, describe_recordings
from pipeline.params import InputError
from pipeline.training.framing import resample
from pipeline.training.signals import read_signal

SECTION = {"bearing": "6205-2RS", "augmentation": [-6, 20], "noise": [-4, 10], "seed": 0}


def rows(**values) -> pd.DataFrame:
    row = {
        "recording": "1",
        "label": "Ball",
        "fault_diameter": 0.007,
        "load_hp": 0.0,
        "rpm": 1750.0,
        "sampling_rate": 12_000.0,
    }
    return pd.DataFrame([row | values])


def test_every_copy_has_every_window(noise):
    signals = {"1": noise.standard_normal(30_000)}
    copies, metadata = describe_recordings(rows(), signals, **SECTION, least_variation=1e-5)
    assert list(copies) == ["clean", "augmented", "noise_-4", "noise_10"]
    assert all(len(features.lines) == len(metadata) == 6 for features in copies.values())
    assert list(metadata.start) == [4_096 * number for number in range(6)]


@pytest.mark.parametrize("snr_db", [-4, 0, 20])
def test_noise_has_the_level_asked_for(snr_db, noise):
    windows = 3 * noise.standard_normal((5, 8_192))
    added = add_noise(windows, snr_db, noise) - windows
    assert 10 * np.log10(windows.var() / added.var()) == pytest.approx(snr_db, abs=0.2)


@pytest.mark.parametrize(
    ("values", "message"),
    [({"label": "Worn"}, "labels Worn: the recording diagnosis knows Ball"), ({"rpm": np.nan}, "1 has no rpm")],
)
def test_a_catalogue_that_cannot_be_used_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        check_catalogue(rows(**values))


def test_real_faults_show_the_lines_of_their_bearing(catalogue, mirror):
    """Smith and Randall (2015) call 105 (inner race, 0.007 in) and 130 (outer race, 0.007 in) plainly diagnosable."""
    for recording, comb in (("105", 1), ("130", 2), ("209", 1), ("234", 2)):
        row = catalogue[catalogue.recording == recording].iloc[0]
        signal = read_signal(mirror / row.file, row.variable)
        features = describe(cut(signal, 12_000, 1e-5)[1], 12_000, row.rpm / 60, BEARINGS["6205-2RS"].orders)
        assert features.combs.mean(axis=0).argmax() == comb, recording


def test_a_healthy_recording_is_described_alike_at_its_own_rate_and_resampled(catalogue, mirror):
    """Serving does not resample: what the networks learned from resampled recordings has to hold at 48 kHz too."""
    row = catalogue[catalogue.recording == "97"].iloc[0]
    own = read_signal(mirror / row.file, row.variable)
    orders = BEARINGS["6205-2RS"].orders
    native = describe(cut(own, 48_000, 1e-5)[1], 48_000, row.rpm / 60, orders)
    lowered = describe(cut(resample(own, 48_000, 12_000, "97"), 12_000, 1e-5)[1], 12_000, row.rpm / 60, orders)
    for mine, theirs in zip(native, lowered, strict=True):
        assert np.abs(mine - theirs).mean() < 0.02
