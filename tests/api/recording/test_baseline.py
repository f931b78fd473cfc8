import numpy as np
import pytest

from tests.api.recording.uploads import RATE, RPM, STATED, machine, mistakes, npy, post, wav


def test_a_healthy_baseline_is_compared_with(client):
    answer = post(client, npy(machine("OuterRace")), baseline=[npy(machine("Normal", 11, seed=5))]).json()
    assert answer["prediction"] == "OuterRace"
    assert not any("baseline" in warning for warning in answer["warnings"])
    assert set(answer["baseline_series"]) == {"spectrum", "envelope_spectrum"}
    present, healthy = answer["series"]["envelope_spectrum"], answer["baseline_series"]["envelope_spectrum"]
    assert max(present["amplitude"]) > 3 * max(healthy["amplitude"])


def test_several_files_make_one_baseline(client):
    parts = [npy(machine("Normal", 6, seed=seed)) for seed in (5, 6)]
    assert post(client, npy(machine("OuterRace")), baseline=parts).status_code == 200


def test_a_changed_gain_is_said_in_decibels(client):
    baseline, present = [npy(machine("Normal", 6, seed=5))], machine("Normal", seed=6)
    louder, in_other_units = (post(client, npy(factor * present), baseline=baseline).json() for factor in (3, 10))
    assert louder["prediction"] == in_other_units["prediction"] == "Unknown"
    assert "level rose 9." in louder["reason"]
    assert "unit, gain or mounting changed? level rose" in in_other_units["reason"]


def test_the_answer_names_the_baseline_and_what_was_taken_to_be_its_rate(client):
    answer = post(client, npy(machine("OuterRace")), baseline=[npy(machine("Normal", 11, seed=5))]).json()
    assert answer["baseline"] == [{"file": "healthy0.npy", "seconds": 11, "sampling_rate": RATE, "rpm": RPM}]


def test_a_word_that_overrules_both_files_holds_for_both(client):
    files = [
        ("file", ("a.wav", wav(machine("OuterRace")))),
        ("baseline", ("b.wav", wav(machine("Normal", 16, seed=5)))),
    ]
    answer = client.post("/diagnose/", files=files, data=STATED | {"sampling_rate": "16000"}).json()
    assert answer["baseline"][0]["sampling_rate"] == 16_000


def test_a_baseline_of_one_channel_needs_no_name_for_it(client):
    content = b"time,acc\n" + b"\n".join(b"%f,%f" % (n / RATE, x) for n, x in enumerate(machine("OuterRace")))
    files = [("file", ("a.csv", content)), ("baseline", ("b.npy", npy(machine("Normal", 11, seed=5))))]
    assert client.post("/diagnose/", files=files, data=STATED | {"channel": "acc"}).status_code == 200


def test_a_baseline_may_have_another_rate(client):
    fields = STATED | {"baseline_sampling_rate": "24000"}
    baseline = [npy(machine("Normal", 11, seed=5, rate=24_000))]
    answer = post(client, npy(machine("Normal", 5, seed=6)), fields=fields, baseline=baseline).json()
    assert answer["prediction"] == "Normal"


@pytest.mark.parametrize(
    ("healthy", "words"),
    [(npy(np.ones(5)), "every sample is 1"), (b"", "empty"), (npy(machine("Normal", 4)), "lasts 4 s, expected 5 s")],
)
def test_a_baseline_that_is_none_is_refused(client, healthy, words):
    assert words in mistakes(post(client, npy(machine("OuterRace")), baseline=[healthy]))["baseline"]
