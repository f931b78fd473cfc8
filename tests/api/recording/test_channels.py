"""All channels of a file in one request."""

import io

import numpy as np
import pytest
from nptdms import ChannelObject, TdmsWriter

from tests.api.recording.uploads import RATE, STATED, machine, mistakes, npy, post

DAMAGED, HEALTHY = machine("OuterRace"), machine("Normal", seed=3)
DEAD, BROKEN = np.zeros_like(HEALTHY), np.full_like(HEALTHY, np.nan)


def tdms(**channels) -> bytes:
    stream = io.BytesIO()
    said = {"wf_increment": 1 / RATE, "unit_string": "g"}
    with TdmsWriter(stream) as writer:
        writer.write_segment([ChannelObject("Pump", name, samples, said) for name, samples in channels.items()])
    return stream.getvalue()


@pytest.fixture(scope="module")
def answer(client):
    content = tdms(healthy=HEALTHY, dead=DEAD, damaged=DAMAGED, broken=BROKEN)
    return post(client, content, "a.tdms", {"rpm": "1750", "bearing": "6205-2RS", "channel": "all"}).json()


def test_the_most_damaged_channel_comes_first_and_is_the_answer(answer):
    assert [each["channel"] for each in answer["all_channels"]] == ["damaged", "healthy", "dead", "broken"]
    assert [each["prediction"] for each in answer["all_channels"][:2]] == ["OuterRace", "Normal"]
    assert answer["recording"]["channel"] == "damaged"
    assert answer["prediction"] == "OuterRace"
    assert answer["series"]["waveform"]


def test_a_channel_that_cannot_be_diagnosed_says_why(answer):
    dead, broken = answer["all_channels"][2:]
    assert (dead["prediction"], broken["prediction"]) == (None, None)
    assert "every sample is 0" in dead["reason"]
    assert "cannot be used, NaN or infinity" in broken["reason"]


def test_a_channel_that_is_no_vibration_comes_after_those_that_were_diagnosed(client):
    tone = np.sin(np.arange(len(HEALTHY)) * 0.3)
    content = tdms(tone=tone, coarse=np.round(tone), healthy=HEALTHY)
    told = post(client, content, "a.tdms", {"rpm": "1750", "bearing": "6205-2RS", "channel": "all"}).json()
    assert told["recording"]["channel"] == told["all_channels"][0]["channel"] == "healthy"
    assert [each["prediction"] for each in told["all_channels"]] == ["Normal", "Unknown", "Unknown"]


def test_a_channel_that_the_baseline_does_not_have_is_not_compared_with_another(client):
    """The second one is eight times as loud as the machine's healthy first one, and no damage for it."""
    both = np.stack([HEALTHY, 8 * HEALTHY[::-1]], axis=1)
    baseline = [npy(machine("Normal", seconds=6.0, seed=4))]
    told = post(client, npy(both), fields=STATED | {"channel": "all"}, baseline=baseline).json()["all_channels"]
    assert {each["channel"]: each["prediction"] for each in told} == {"0": "Normal", "1": "Normal"}
    words = {each["channel"]: " ".join(each["warnings"]) for each in told}
    assert "the baseline has no channel 1: none was used" in words["1"]
    assert "the baseline has no channel" not in words["0"]
    assert "no healthy baseline was given" not in words["0"]


def test_a_channel_is_answered_as_if_it_had_been_asked_for_alone(client, answer):
    content = tdms(healthy=HEALTHY, damaged=DAMAGED)
    for each in answer["all_channels"][:2]:
        alone = post(
            client, content, "a.tdms", {"rpm": "1750", "bearing": "6205-2RS", "channel": each["channel"]}
        ).json()
        for name in ("prediction", "reason", "probabilities", "familiarity", "speed_factor", "agreement"):
            assert each[name] == alone[name]
        assert (each["unit"], alone["recording"]["unit"]) == ("g", "g")


def test_what_no_channel_says_is_asked_for(client):
    both = np.stack([DAMAGED, HEALTHY], axis=1)
    assert set(mistakes(post(client, npy(both), fields={"channel": "all"}))) == {"sampling_rate", "rpm"}
    told = post(client, npy(both), fields=STATED | {"channel": "all", "series": "false"}).json()
    assert [each["channel"] for each in told["all_channels"]] == ["0", "1"]
    assert told["series"] == {}


def test_a_given_unit_holds_before_the_files(client):
    told = post(client, tdms(a=DAMAGED), "a.tdms", {"rpm": "1750", "unit": "m/s2"}).json()
    assert told["recording"]["unit"] == "m/s2"
    assert "unit m/s2 was given and holds; the file says g" in told["warnings"]
    assert "unit" in mistakes(post(client, npy(DAMAGED), fields=STATED | {"unit": "furlongs"}))


def test_a_unit_that_is_only_spelled_otherwise_is_no_contradiction(client):
    content = "\n".join(["acc [m/s\u00b2]", *map(str, DAMAGED)]).encode()
    told = post(client, content, "a.csv", STATED | {"unit": "m/s2"}).json()
    assert not [warning for warning in told["warnings"] if "unit" in warning]
