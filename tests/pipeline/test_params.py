import sys

import pytest

from pipeline import params
from pipeline.params import InputError


@pytest.fixture
def params_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(
        "windows: {window_length: 8, sampling_rate: {slow: 10, fast: 20}}\ntrain: {network: {channels: 5}}\n"
    )


def test_a_setting_picks_its_own_value(params_file):
    assert params.load("windows", "slow") == {"window_length": 8, "sampling_rate": 10}
    assert params.load("windows", "fast") == {"window_length": 8, "sampling_rate": 20}


def test_a_mapping_that_is_no_choice_of_settings_stays(params_file):
    assert params.load("train", "slow") == {"network": {"channels": 5}}


def test_an_unknown_section_is_named(params_file):
    with pytest.raises(InputError, match=r"no section 'wndows'; it has windows, train"):
        params.load("wndows")


def test_a_mistake_in_the_input_ends_a_stage_in_words(monkeypatch):
    def stage(setting: str) -> None:
        raise InputError(f"{setting} is wrong")

    monkeypatch.setattr(sys, "argv", ["pipeline/stage.py", "this"])
    with pytest.raises(SystemExit, match="this is wrong"):
        params.run_stage(stage)
