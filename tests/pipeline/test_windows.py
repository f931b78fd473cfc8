import re

import numpy as np
import pandas as pd
import pytest

from pipeline.params import InputError
from pipeline.training.framing import resample
from pipeline.training.signals import read_signals
from pipeline.windows import cut

SETTINGS = {"window_length": 2048, "hop_length": 2048, "least_variation": 1e-5}


def one_row(**values) -> pd.DataFrame:
    row = {"recording": "1", "label": "Worn", "fault_diameter": 0.007, "outer_race_position": 6.0, "load_hp": 2.0}
    return pd.DataFrame([row | {"rpm": 1750.0, "sampling_rate": 12_000.0} | values])


def test_every_window_has_one_row_that_says_where_it_is_from(noise):
    signal = noise.standard_normal(48_000)
    windows, metadata = cut(one_row(sampling_rate=48_000.0), {"1": signal}, 1024, 512, 12_000, 1e-5)
    assert windows.shape == (22, 1024)
    assert windows.dtype == np.float32
    assert metadata.start.tolist() == [512 * number for number in range(22)]
    assert metadata.iloc[3].to_dict() == {
        "recording": "1", "start": 1536, "label": "Worn", "fault_diameter": 0.007, "outer_race_position": 6.0,
        "load_hp": 2.0, "rpm": 1750.0, "native_sampling_rate": 48_000.0,
    }  # fmt: skip
    np.testing.assert_array_equal(windows[3], resample(signal, 48_000, 12_000, "1")[1536:2560].astype(np.float32))


@pytest.mark.parametrize(
    ("signal", "sampling_rate", "message"),
    [
        (np.arange(2047.0), None, "recording 1 is shorter than one window of 2048 samples"),
        (np.arange(9000.0), 16_000, "sampled at 12000 Hz, expected at least windows.sampling_rate (16000 Hz)"),
        (np.r_[np.arange(4096.0), np.ones(4096)], None, "recording 1 is constant from sample 4096 to 6144"),
        (np.r_[np.arange(2048.0), 1e6 + np.sin(np.arange(2048))], None, "is constant from sample 2048 to 4096"),
    ],
)
def test_a_recording_that_cannot_be_cut_is_refused_in_words(signal, sampling_rate, message):
    with pytest.raises(InputError, match=re.escape(message)):
        cut(one_row(), {"1": signal}, sampling_rate=sampling_rate, **SETTINGS)


def test_an_unknown_param_is_named():
    with pytest.raises(TypeError, match="window_lenght"):
        cut(one_row(), {"1": np.arange(9000.0)}, window_lenght=2048)


def manifest_of(catalogue, variant) -> dict:
    file, samples = ("file", "samples") if variant == "original" else ("excerpt_file", "excerpt_samples")
    return {
        row.recording: {"file": getattr(row, file), "samples": int(getattr(row, samples)), "variant": variant}
        for row in catalogue.itertuples()
    }


def test_the_reference_protocol_cuts_the_published_number_of_windows(catalogue, mirror):
    there = catalogue[[(mirror / file).is_file() for file in catalogue.file]]
    signals = read_signals(there, manifest_of(there, "original"), mirror)
    windows, metadata = cut(there, signals, sampling_rate=None, **SETTINGS)
    counts = metadata.label.value_counts().to_dict()
    expected = {"Ball": 943, "InnerRace": 944, "Normal": 828, "OuterRace": 1652}
    if len(there) == 64:
        assert counts == expected
        assert len(windows) == 4367
    else:
        assert len(there) == 61, "neither all 64 originals nor the 61 without 98 to 100 are there"
        assert counts == expected | {"Normal": 119}
        assert len(windows) == 3658


def test_at_one_rate_healthy_and_damaged_windows_cover_the_same_time(catalogue, mirror):
    rows = catalogue[catalogue.recording.isin(["97", "105"])]
    signals = read_signals(rows, manifest_of(rows, "original"), mirror)
    _, metadata = cut(rows, signals, sampling_rate=12_000, **SETTINGS)
    # 243,938 samples at 48 kHz and 121,265 at 12 kHz are 5.1 s and 10.1 s.
    assert metadata.recording.value_counts().to_dict() == {"105": 59, "97": 29}
