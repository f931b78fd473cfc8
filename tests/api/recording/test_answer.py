"""What is answered to what a person and the file say."""

import io

import numpy as np
import pytest
import scipy.io

from model.bearings import BEARINGS
from tests.api.recording.uploads import RATE, RPM, STATED, machine, mistakes, npy, post, wav
from tests.model.recording.machines import machine as simulate_machine


def test_what_is_missing_is_asked_for(client):
    content = npy(machine("OuterRace"))
    assert set(mistakes(post(client, content, fields={}))) == {"sampling_rate", "rpm"}
    assert set(mistakes(post(client, content, fields={"rpm": "1750", "sampling_rate": " "}))) == {"sampling_rate"}
    assert "rpm" in mistakes(post(client, wav(machine("OuterRace")), "a.wav", fields={}))["rpm"]


def turning(rpm, harmonics=12):
    """Return ten seconds of noise with harmonics of the shaft."""
    generator, time = np.random.default_rng(0), np.arange(10 * RATE) / RATE
    lines = [0.2 * np.cos(2 * np.pi * k * rpm / 60 * time + generator.uniform(0, 6)) for k in range(1, harmonics + 1)]
    return generator.standard_normal(len(time)) + sum(lines)


def test_a_speed_that_nobody_says_is_that_of_the_shafts_own_lines(client):
    answer = post(client, npy(turning(1_750)), fields={"sampling_rate": str(RATE)}).json()
    assert answer["recording"]["rpm"] == pytest.approx(1_750, rel=2e-3)
    assert answer["recording"]["from_file"]["rpm"] is None
    assert "rpm was not given: the shaft's own lines say 1,750 rpm" in answer["warnings"]


def test_a_speed_that_is_not_clear_is_asked_for(client):
    words = mistakes(post(client, npy(turning(1_750, harmonics=1)), fields={"sampling_rate": str(RATE)}))
    assert words == {"rpm": "the file does not say how fast the shaft turned, and its own shaft lines are not clear "
                            "enough: give rpm"}  # fmt: skip


def test_a_stated_speed_holds_whatever_the_lines_say(client):
    answer = post(client, npy(turning(1_750)), fields=STATED | {"rpm": "1770"}).json()
    assert answer["recording"]["rpm"] == 1_770
    assert not any("own lines say" in warning for warning in answer["warnings"])


def test_a_baseline_has_the_speed_of_its_own_lines_unless_one_was_given(client):
    fields, baseline = {"sampling_rate": str(RATE)}, [npy(turning(1_500)), npy(turning(1_500, harmonics=1))]
    own, other = post(client, npy(turning(1_750)), fields=fields, baseline=baseline).json()["baseline"]
    assert own["rpm"] == pytest.approx(1_500, rel=2e-3)
    assert other["rpm"] == pytest.approx(1_750, rel=2e-3)
    given = post(client, npy(turning(1_750)), fields=STATED, baseline=baseline).json()["baseline"]
    assert [each["rpm"] for each in given] == [RPM, RPM]


def test_what_the_file_says_is_taken_and_offered(client):
    body = io.BytesIO()
    scipy.io.savemat(body, {"X105_DE_time": machine("OuterRace"), "X105_FE_time": np.ones(9), "X105RPM": RPM})
    refusal = post(client, body.getvalue(), "105.mat", fields={})
    assert set(mistakes(refusal)) == {"sampling_rate"}
    assert refusal.json()["detail"][0]["input"] == {
        "rpm": RPM, "channel": "drive_end", "channels": ["drive_end", "fan_end"],
    }  # fmt: skip
    answer = post(client, body.getvalue(), "105.mat", fields={"sampling_rate": "12000"}).json()
    assert answer["recording"]["rpm"] == RPM
    assert answer["recording"]["channel"] == "drive_end"


def test_what_a_person_says_wins_with_a_warning(client):
    answer = post(client, wav(machine("OuterRace", rate=16_000)), "a.wav", STATED | {"sampling_rate": "16000"}).json()
    assert answer["recording"]["sampling_rate"] == 16_000
    assert answer["recording"]["from_file"]["sampling_rate"] == RATE
    assert "sampling_rate 16,000 Hz was given and holds; the file says 12,000 Hz" in answer["warnings"]


@pytest.mark.parametrize(("bearing", "warns"), [({}, True), ({"bearing": ""}, True), ({"bearing": "6205-2rs"}, False)])
def test_the_default_bearing_is_warned_of(client, bearing, warns):
    answer = post(client, npy(machine("OuterRace")), fields=STATED | bearing).json()
    assert ("no bearing was given: the lines are those of 6205-2RS" in answer["warnings"]) is warns


def test_a_geometry_moves_the_lines(client):
    answer = post(client, npy(machine("OuterRace")), fields=STATED | {"bearing": "13, 7.5, 42, 0"}).json()
    assert answer["recording"]["orders"]["bpfo"] == pytest.approx(13 / 2 * (1 - 7.5 / 42))


def test_a_rate_below_the_contract_is_refused(client):
    words = mistakes(post(client, npy(machine("OuterRace")), fields=STATED | {"sampling_rate": "8000"}))
    assert "8,000 Hz, expected 11,000 Hz or more" in words["sampling_rate"]


def test_a_contradicted_rate_is_warned_of(client):
    answer = post(client, npy(machine("Normal", seconds=20)), fields=STATED | {"sampling_rate": "48000"}).json()
    assert any("contradict 1,750 rpm at 48,000 Hz" in warning for warning in answer["warnings"])


def test_a_spike_at_the_end_does_not_scale_the_spectrum(client):
    tone = np.sin(2 * np.pi * 1_500 * np.arange(30_000) / RATE) + 0.01 * np.random.default_rng(0).standard_normal(
        30_000
    )
    tone[-1] = 100
    answer = post(client, npy(tone)).json()
    assert max(answer["series"]["spectrum"]["high"]) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"rpm": "fast"}, "rpm", "valid number"),
        ({"rpm": "1.797"}, "rpm", "greater than or equal to 10"),
        ({"sampling_rate": "nan"}, "sampling_rate", "finite"),
        ({"samplingrate": "12000"}, "samplingrate", "not permitted"),
        ({"bearing": "none-such"}, "bearing", "bearing is 'none-such', which is not in the table"),
        ({"channel": "fan_end"}, "channel", "has no channel fan_end"),
    ],
)
def test_a_wrong_field_is_named(client, fields, field, words):
    assert words in mistakes(post(client, npy(machine("OuterRace")), fields=STATED | fields))[field]


def test_a_shaft_too_slow_to_show_lines_has_no_envelope_spectrum(client):
    answer = post(client, npy(machine("OuterRace")), fields=STATED | {"rpm": "10"}).json()
    assert "from 300 to 8,000 rpm" in answer["reason"]
    assert answer["series"]["envelope_spectrum"] is None
    assert answer["series"]["spectrum"]["high"]
    assert (answer["agreement"]["lines"], answer["agreement"]["verdict"]) == ([], "inconclusive")


def test_a_slow_shaft_has_the_same_windows_with_series_and_without(client):
    """One rule says what is too slow: what is diagnosed has evidence, and each of its windows a spectrum to plot."""
    content, fields = wav(machine("OuterRace")), STATED | {"rpm": "450"}
    full, short = (post(client, content, "a.wav", fields | {"series": series}).json() for series in ("true", "false"))
    plotted = [len(window.pop("envelope_spectrum")) for window in full["windows"]]
    assert full["windows"] == short["windows"]
    assert len(full["windows"]) > 5
    assert set(plotted) == {len(full["series"]["envelope_spectrum"]["amplitude"])}
    assert full["agreement"] == short["agreement"]
    assert len(full["agreement"]["lines"]) == 3


def of_a_6309(label, seed=0):
    return simulate_machine(label, bearing=BEARINGS["309K"], seed=seed).signal


def test_a_bearing_that_is_known_by_its_size_alone_is_answered_with_a_range(client):
    signal = of_a_6309("OuterRace")
    answer = post(client, npy(signal), fields=STATED | {"bearing": "SKF 6309-2Z/C3"}).json()
    low, high = answer["recording"]["order_ranges"]["bpfo"]
    assert low < BEARINGS["309K"].orders.bpfo < high
    assert answer["recording"]["orders"]["bpfo"] == pytest.approx(BEARINGS["309K"].orders.bpfo, rel=0.02)
    assert answer["prediction"] in ("OuterRace", "Unknown")
    assert answer["series"]["envelope_spectrum"]
    assert not answer["windows"]
    warnings = " ".join(answer["warnings"])
    assert "the bearing's geometry is estimated from its bore of 45 mm" in warnings
    assert "of the same size and known: 309K" in warnings


def test_a_healthy_baseline_tells_an_estimated_bearings_damage(client):
    healthy, damaged = of_a_6309("Normal"), of_a_6309("OuterRace")
    fields = STATED | {"bearing": "6309"}
    answer = post(client, npy(damaged), fields=fields, baseline=[npy(healthy)]).json()
    assert answer["probabilities"]["Normal"] < 0.1
    assert answer["baseline_series"]["envelope_spectrum"]
    again = post(client, npy(of_a_6309("Normal", seed=1)), fields=fields, baseline=[npy(healthy)])
    assert again.json()["prediction"] == "Normal"


def test_a_size_of_no_ball_bearing_is_refused_in_words(client):
    refusal = post(client, npy(machine("OuterRace")), fields=STATED | {"bearing": "20 x 21 x 4"})
    assert "expected the proportions of the series 60, 62 or 63" in mistakes(refusal)["bearing"]
