import asyncio
import gzip
import io
import json
import os
import shutil
import signal
import socket
import tempfile
import time
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
import requests
import scipy.io
from scipy.io import wavfile
from starlette.formparsers import MultiPartParser

from api.recording.models import DiagnosisAnswer
from model.recording.evidence import fault_lines
from pipeline.simulator import DEFAULT, Fault, Resonance, Surroundings, simulate
from tests.conftest import ROOT, running

RATE, RPM = 12_000, 1_750
STATED = {"sampling_rate": str(RATE), "rpm": str(RPM)}
EXAMPLES = json.loads((ROOT / "assets" / "examples" / "index.json").read_text())


def machine(label, seconds=4.0, seed=0, rate=RATE):
    faults = (Fault(label, jitter=0.003, zone_floor=0.2, resonances=(Resonance(3_200, 0.05),)),)
    around = Surroundings(coloured=(Resonance(1_200, 0.1), Resonance(3_000, 0.15, 0.7)), shaft=(0.3, 0.2, 0.3, 0.2))
    return simulate(DEFAULT, RPM, rate, seconds, seed, faults if label != "Normal" else (), around)


def npy(samples):
    body = io.BytesIO()
    np.save(body, samples)
    return body.getvalue()


def mat(**options):
    def write(samples):
        body = io.BytesIO()
        scipy.io.savemat(body, {"acceleration": samples}, **options)
        return body.getvalue()

    return write


def wav(samples):
    body = io.BytesIO()
    wavfile.write(body, RATE, samples.astype(np.float32))
    return body.getvalue()


def text(samples):
    return "\n".join(map(str, samples.tolist())).encode()


FORMATS = {
    "a.npy": npy,
    "5.mat": mat(),
    "7.mat": mat(do_compression=True),
    "4.mat": mat(format="4"),
    "a.wav": wav,
    "a.txt": text,
    "a.csv": lambda samples: b"acceleration (g)\r\n" + text(samples),
    "a.txt.gz": lambda samples: gzip.compress(text(samples)),
}


def ask(client, content, name="a.npy", fields=STATED, baseline=()):
    files = [("file", (name, content)), *(("baseline", (f"healthy{n}.npy", each)) for n, each in enumerate(baseline))]
    return client.post("/diagnose/", files=files, data=fields)


def mistakes(answer):
    """Return {field: words} of a refusal."""
    assert answer.status_code == 422, answer.text
    return {mistake["loc"][-1]: mistake["msg"] for mistake in answer.json()["detail"]}


@pytest.fixture(scope="module")
def outer(client):
    answer = ask(client, npy(machine("OuterRace")))
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_answered_alike(client, outer, name):
    answer = ask(client, FORMATS[name](machine("OuterRace")), name)
    assert answer.status_code == 200
    assert answer.json()["prediction"] == "OuterRace"
    assert answer.json()["probabilities"] == pytest.approx(outer["probabilities"], abs=1e-3)


def test_the_answer_is_what_the_document_says(client, outer):
    DiagnosisAnswer.model_validate(outer)
    assert set(outer) == set(DiagnosisAnswer.model_fields)
    assert sum(outer["probabilities"].values()) == pytest.approx(1)
    operation = client.get("/openapi.json").json()["paths"]["/diagnose/"]["post"]
    assert set(operation["requestBody"]["content"]) == {"multipart/form-data", "application/x-npy"}
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert {"file", "baseline", "sampling_rate", "rpm", "bearing", "channel"} <= set(form)


def test_the_windows_cover_the_recording_and_carry_their_spectra(outer):
    starts = [window["start"] for window in outer["windows"]]
    assert np.diff(starts) == pytest.approx(outer["window_seconds"] / 2, rel=1e-3)
    assert starts[-1] + outer["window_seconds"] <= outer["recording"]["seconds"]
    points = len(outer["series"]["envelope_spectrum"]["amplitude"])
    assert {len(window["envelope_spectrum"]) for window in outer["windows"]} == {points}
    mean = np.mean([window["envelope_spectrum"] for window in outer["windows"]], axis=0)
    assert mean == pytest.approx(outer["series"]["envelope_spectrum"]["amplitude"], rel=0.01, abs=1e-4)


def test_the_highest_point_of_the_envelope_spectrum_is_the_faults_line(outer):
    series = outer["series"]["envelope_spectrum"]
    order = np.argmax(series["amplitude"]) * series["orders_per_point"]
    (_, _, bpfo), *_ = fault_lines(DEFAULT.orders)
    assert min(abs(order - harmonic * bpfo) for harmonic in (1, 2, 3)) < 2 * series["orders_per_point"]
    assert outer["agreement"]["verdict"] == "supports"


def test_the_body_may_be_the_array_itself(client, outer):
    answer = client.post(
        "/diagnose/", params=STATED, content=npy(machine("OuterRace")), headers={"Content-Type": "application/x-npy"}
    )
    assert answer.status_code == 200
    assert answer.json()["probabilities"] == outer["probabilities"]


def test_without_plots_there_is_less_to_send(client, outer):
    answer = ask(client, npy(machine("OuterRace")), fields=STATED | {"series": "false"})
    assert answer.json()["series"] == {}
    assert len(answer.content) < 12_000
    assert answer.json()["probabilities"] == outer["probabilities"]


# --- what is said, and what is not


def test_what_is_missing_is_asked_for(client):
    content = npy(machine("OuterRace"))
    assert set(mistakes(ask(client, content, fields={}))) == {"sampling_rate", "rpm"}
    assert set(mistakes(ask(client, content, fields={"rpm": "1750", "sampling_rate": " "}))) == {"sampling_rate"}
    assert "rpm" in mistakes(ask(client, wav(machine("OuterRace")), "a.wav", fields={}))["rpm"]


def test_what_the_file_says_is_taken_and_offered(client):
    body = io.BytesIO()
    scipy.io.savemat(body, {"X105_DE_time": machine("OuterRace"), "X105_FE_time": np.ones(9), "X105RPM": RPM})
    refusal = ask(client, body.getvalue(), "105.mat", fields={})
    assert set(mistakes(refusal)) == {"sampling_rate"}
    assert refusal.json()["detail"][0]["input"] == {
        "rpm": RPM, "channel": "drive_end", "channels": ["drive_end", "fan_end"],
    }  # fmt: skip
    answer = ask(client, body.getvalue(), "105.mat", fields={"sampling_rate": "12000"}).json()
    assert answer["recording"]["rpm"] == RPM
    assert answer["recording"]["channel"] == "drive_end"


def test_what_a_person_says_wins_with_a_warning(client):
    answer = ask(client, wav(machine("OuterRace", rate=16_000)), "a.wav", STATED | {"sampling_rate": "16000"}).json()
    assert answer["recording"]["sampling_rate"] == 16_000
    assert answer["recording"]["from_file"]["sampling_rate"] == RATE
    assert "sampling_rate 16,000 Hz was given and holds; the file says 12,000 Hz" in answer["warnings"]


@pytest.mark.parametrize(("bearing", "warns"), [({}, True), ({"bearing": ""}, True), ({"bearing": "6205-2rs"}, False)])
def test_the_default_bearing_is_warned_of(client, bearing, warns):
    answer = ask(client, npy(machine("OuterRace")), fields=STATED | bearing).json()
    assert ("no bearing was given: the lines are those of 6205-2RS" in answer["warnings"]) is warns


def test_a_geometry_moves_the_lines(client):
    answer = ask(client, npy(machine("OuterRace")), fields=STATED | {"bearing": "13, 7.5, 42, 0"}).json()
    assert answer["recording"]["orders"]["bpfo"] == pytest.approx(13 / 2 * (1 - 7.5 / 42))


def test_a_rate_below_the_contract_is_refused(client):
    words = mistakes(ask(client, npy(machine("OuterRace")), fields=STATED | {"sampling_rate": "8000"}))
    assert "8,000 Hz, expected 12,000 Hz or more" in words["sampling_rate"]


def test_a_contradicted_rate_is_warned_of(client):
    answer = ask(client, npy(machine("Normal", seconds=20)), fields=STATED | {"sampling_rate": "48000"}).json()
    assert any("contradict 1,750 rpm at 48,000 Hz" in warning for warning in answer["warnings"])


def test_windows_that_disagree_are_warned_of(client):
    halves = np.concatenate([machine("OuterRace", 6), machine("Normal", 6, seed=1)])
    answer = ask(client, npy(halves)).json()
    assert any(warning.startswith("the windows disagree (") for warning in answer["warnings"])


def test_a_spike_at_the_end_does_not_scale_the_spectrum(client):
    tone = np.sin(2 * np.pi * 1_500 * np.arange(30_000) / RATE) + 0.01 * np.random.default_rng(0).standard_normal(
        30_000
    )
    tone[-1] = 100
    answer = ask(client, npy(tone)).json()
    assert max(answer["series"]["spectrum"]["high"]) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"rpm": "fast"}, "rpm", "valid number"),
        ({"rpm": "1.797"}, "rpm", "greater than or equal to 10"),
        ({"sampling_rate": "nan"}, "sampling_rate", "finite"),
        ({"samplingrate": "12000"}, "samplingrate", "not permitted"),
        ({"bearing": "6309"}, "bearing", "bearing is '6309', expected one of 6205-2RS"),
        ({"channel": "fan_end"}, "channel", "has no channel fan_end"),
    ],
)
def test_a_wrong_field_is_named(client, fields, field, words):
    assert words in mistakes(ask(client, npy(machine("OuterRace")), fields=STATED | fields))[field]


# --- the baseline


def test_a_healthy_baseline_is_compared_with(client):
    answer = ask(client, npy(machine("OuterRace")), baseline=[npy(machine("Normal", 11, seed=5))]).json()
    assert answer["prediction"] == "OuterRace"
    assert not any("baseline" in warning for warning in answer["warnings"])
    assert set(answer["baseline_series"]) == {"spectrum", "envelope_spectrum"}
    present, healthy = answer["series"]["envelope_spectrum"], answer["baseline_series"]["envelope_spectrum"]
    assert max(present["amplitude"]) > 3 * max(healthy["amplitude"])


def test_several_files_make_one_baseline(client):
    parts = [npy(machine("Normal", 6, seed=seed)) for seed in (5, 6)]
    assert ask(client, npy(machine("OuterRace")), baseline=parts).status_code == 200


def test_the_answer_names_the_baseline_and_what_was_taken_to_be_its_rate(client):
    answer = ask(client, npy(machine("OuterRace")), baseline=[npy(machine("Normal", 11, seed=5))]).json()
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
    answer = ask(client, npy(machine("Normal", 5, seed=6)), fields=fields, baseline=baseline).json()
    assert answer["prediction"] == "Normal"


@pytest.mark.parametrize(
    ("healthy", "words"),
    [(npy(np.ones(5)), "every sample is 1"), (b"", "empty"), (npy(machine("Normal", 4)), "lasts 4 s, expected 10 s")],
)
def test_a_baseline_that_is_none_is_refused(client, healthy, words):
    assert words in mistakes(ask(client, npy(machine("OuterRace")), baseline=[healthy]))["baseline"]


# --- what strangers send


def bomb():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(10**7)) for _ in range(60)) + packer.flush()


HOSTILE = {
    "bomb": ("a.csv.gz", bomb),
    "bomb in .mat": ("a.mat", lambda: mat(do_compression=True)(np.zeros(60_000_000, np.int8))),
    "truncated": ("a.mat", lambda: mat()(machine("OuterRace"))[:-9]),
    "objects": ("a.npy", lambda: npy(np.array([{}, []], dtype=object))),
    "no numbers": ("a.txt", lambda: b"the quick brown fox\n" * 1_000),
    "NaN": ("a.npy", lambda: npy(np.where(np.arange(48_000) > 40_000, np.nan, machine("OuterRace")))),
    "flat": ("a.npy", lambda: npy(np.zeros(48_000))),
    "2 samples": ("a.npy", lambda: npy(np.array([1.0, 2.0]))),
    "10 minutes": ("a.npy", lambda: npy(np.zeros(600 * RATE, np.int16))),
    "empty": ("a.mat", lambda: b""),
    "a picture": ("a.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(100)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_cannot_be_diagnosed_is_refused_soon_and_the_service_lives(client, kind):
    name, make = HOSTILE[kind]
    content = make()
    start = time.perf_counter()
    words = mistakes(ask(client, content, name))
    assert time.perf_counter() - start < 5
    assert len(words["file"]) > 20
    assert ask(client, npy(machine("OuterRace", 1))).status_code == 200


def test_the_words_name_the_file_once(client):
    words = mistakes(ask(client, b"hello", "broken.mat"))["file"]
    assert words.count("broken.mat") == 1
    assert mistakes(ask(client, npy(np.ones((3, 3, 3))), "cube.npy"))["file"].startswith("cube.npy: ")


def test_a_form_without_a_recording_is_refused(client):
    assert "0 files came as file" in mistakes(client.post("/diagnose/", files={"baseline": b"1"}, data=STATED))["file"]
    twice = [("file", ("a", b"1")), ("file", ("b", b"2"))]
    assert "2 files came as file" in mistakes(client.post("/diagnose/", files=twice, data=STATED))["file"]
    assert "expected the files" in mistakes(client.post("/diagnose/", files={"rpm": b"1"}))["rpm"]


@pytest.mark.parametrize(
    "fields", [{"rpm": "10"}, {"rpm": "60000"}, {"bearing": "9, 39.0, 39.04"}, {"bearing": "200, 1, 100"},
               {"bearing": "3, 1, 200", "rpm": "1000000"}, {"sampling_rate": "10000000"}],
)  # fmt: skip
def test_no_field_however_odd_breaks_it(client, fields):
    answer = ask(client, npy(machine("OuterRace")), fields=STATED | fields)
    assert answer.status_code in (200, 422)
    assert answer.status_code == 200 or "broke off" not in answer.text


def test_a_shaft_too_slow_to_show_lines_has_no_envelope_spectrum(client):
    answer = ask(client, npy(machine("OuterRace")), fields=STATED | {"rpm": "10"}).json()
    assert "too slow" in answer["reason"]
    assert answer["series"]["envelope_spectrum"] is None
    assert answer["series"]["spectrum"]["high"]
    assert (answer["agreement"]["lines"], answer["agreement"]["verdict"]) == ([], "inconclusive")


def test_a_form_that_is_cut_short_is_refused(client):
    files = {"file": ("a.npy", npy(machine("OuterRace")))}
    form = requests.Request("POST", "http://here/diagnose/", files=files, data=STATED).prepare()
    boundary = form.headers["Content-Type"].partition("boundary=")[2].encode()
    cut = form.body[: form.body.rindex(b"--" + boundary)]
    answer = client.post("/diagnose/", content=cut, headers={"Content-Type": form.headers["Content-Type"]})
    assert "cut short" in mistakes(answer)["file"]


def head(length):
    return (
        f"POST /diagnose/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-npy\r\nContent-Length: {length}\r\n"
        "Expect: 100-continue\r\n\r\n"
    ).encode()


def connect(url):
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)


def test_senders_that_stall_keep_nobody_out(tmp_path):
    with running(tmp_path) as url:
        stalled = [connect(url) for _ in range(30)]
        for each in stalled:
            each.sendall(head(99) + b"1")
        body, headers = npy(machine("OuterRace", 2)), {"Content-Type": "application/x-npy"}
        answer = requests.post(f"{url}/diagnose/", data=body, headers=headers, params=STATED, timeout=20)
        assert answer.status_code == 200
        for each in stalled:
            each.close()


def test_too_large_an_announcement_is_refused_before_anything_is_sent(tmp_path):
    with running(tmp_path) as url, connect(url) as connection:
        connection.sendall(head(99_999_999))
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_with_a_broken_model_it_does_not_start(tmp_path):
    assets = tmp_path / "assets"
    shutil.copytree(ROOT / "assets", assets)
    (assets / "diagnosis.json").write_text("{")
    with pytest.raises(RuntimeError, match="ended with"), running(tmp_path, ASSETS=str(assets)):
        pass


def test_other_bodies_are_refused(client):
    assert "content-type" in mistakes(client.post("/diagnose/", json={"rpm": 5}))
    broken = client.post("/diagnose/", content=b"abc", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert broken.status_code == 422
    assert client.get("/diagnose/").status_code == 405


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_a_body_is_refused(tmp_path, chunked):
    with running(tmp_path, MAX_UPLOAD="1000000") as url:
        body = npy(np.zeros(200_000))
        content = (body[start : start + 10_000] for start in range(0, len(body), 10_000)) if chunked else body
        headers = {"Content-Type": "application/x-npy"}
        try:
            answer = requests.post(f"{url}/diagnose/", data=content, headers=headers, params=STATED, timeout=20)
        except requests.ConnectionError:
            assert chunked  # it may have hung up before all was sent
        else:
            assert answer.status_code == 413
            assert "1,000,000 bytes at most" in answer.json()["detail"]
        sound = npy(machine("OuterRace", 2))
        answer = requests.post(f"{url}/diagnose/", data=sound, headers=headers, params=STATED, timeout=20)
        assert answer.status_code == 200


def test_where_too_many_wait_the_next_is_told_to_come_again(client, monkeypatch):
    workers = client.app.state.recording_workers
    monkeypatch.setattr(workers, "waiting", workers.max_waiting)
    answer = ask(client, npy(machine("OuterRace")))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


def test_where_no_child_can_be_made_the_sender_is_told_to_come_again(client, monkeypatch):
    def fail(*_, **__):
        raise BlockingIOError("Resource temporarily unavailable")

    with monkeypatch.context() as no_memory:
        no_memory.setattr(asyncio, "create_subprocess_exec", fail)
        for child in client.app.state.recording_workers.workers:
            os.kill(child.process.pid, signal.SIGKILL)
        answer = ask(client, npy(machine("OuterRace")))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert ask(client, npy(machine("OuterRace"))).status_code == 200


def test_without_the_model_it_says_what_to_do(client, monkeypatch):
    monkeypatch.setitem(client.app.state._state, "recording_workers", None)
    answer = ask(client, npy(machine("OuterRace")))
    assert answer.status_code == 503
    assert "dvc repro diagnosis" in answer.json()["detail"]


def test_nothing_of_an_upload_is_written_down(client, monkeypatch):
    def write(*_):
        raise AssertionError("an upload goes to a disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", write)
    content = npy(machine("OuterRace", 30))
    assert len(content) > MultiPartParser.spool_max_size
    assert ask(client, content).status_code == 200


# --- recordings with a known answer


@pytest.mark.parametrize("example", [SimpleNamespace(**example) for example in EXAMPLES], ids=lambda each: each.file)
def test_the_simulated_examples_are_answered_as_made(client, example):
    content = (ROOT / "assets" / "examples" / example.file).read_bytes()
    answer = ask(client, content, example.file, {"rpm": str(example.rpm), "bearing": example.bearing}).json()
    assert answer["prediction"] == example.label
    assert bool(answer["reason"]) is (example.label == "Unknown")
    assert answer["agreement"]["verdict"] == ("inconclusive" if example.label == "Unknown" else "supports")


def test_all_published_recordings_are_answered(client, mirror, catalogue):
    answers = {}
    for row in catalogue.itertuples():
        if (mirror / row.file).is_file():
            fields = {"sampling_rate": str(row.sampling_rate), "rpm": str(row.rpm), "bearing": "6205-2RS"}
            answer = ask(client, (mirror / row.file).read_bytes(), row.file, fields)
            assert answer.status_code == 200, f"{row.file}: {answer.text[:300]}"
            answers[row.recording] = (answer.json()["prediction"], row.label)
    assert len(answers) >= 61
    assert {name for name, (said, true) in answers.items() if said != true} <= {"3001", "3002", "3003", "3004"}


def test_all_recordings_of_another_rig_are_answered(client, rig):
    predictions = []
    for path in sorted([*rig.glob("*.mat"), *rig.glob("*.gz")]):
        fields = {"bearing": "NICE"} | ({} if path.suffix == ".mat" else {"sampling_rate": "48828", "rpm": "1500"})
        answer = ask(client, path.read_bytes(), path.name, fields)
        assert answer.status_code == 200, f"{path.name}: {answer.text[:300]}"
        predictions.append(answer.json()["prediction"])
    assert predictions == ["InnerRace"] * 7 + ["OuterRace"] * 7 + ["Normal"] * 3


def test_a_recording_of_ten_seconds_is_answered_at_once(client, mirror):
    content = (mirror / "105.mat").read_bytes()
    times = [ask(client, content, "105.mat", {"sampling_rate": "12000"}).json()["execution_time_ms"] for _ in range(9)]
    assert np.median(times) < 400  # 150 is the aim, on a machine that does nothing else


def test_the_advice_where_the_model_is_missing_works(tmp_path):
    assets = tmp_path / "assets"
    shutil.copytree(ROOT / "assets", assets)
    (assets / "diagnosis.json").unlink()
    body, headers = npy(machine("OuterRace", 2)), {"Content-Type": "application/x-npy"}
    request = {"data": body, "headers": headers, "params": STATED}
    with running(tmp_path, ASSETS=str(assets)) as url:
        answer = requests.post(f"{url}/diagnose/", **request, timeout=20)
        assert answer.status_code == 503
        assert "copy assets/diagnosis.json there" in answer.json()["detail"]
    shutil.copy(ROOT / "assets" / "diagnosis.json", assets)
    with running(tmp_path, ASSETS=str(assets)) as url:
        assert requests.post(f"{url}/diagnose/", **request, timeout=20).json()["prediction"] == "OuterRace"
