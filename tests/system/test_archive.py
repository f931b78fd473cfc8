from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from api.recording.pool import worker_limits
from model.bearings import BEARINGS, DEFAULT_BEARING
from pipeline.simulator import Fault, simulate

pa = pytest.importorskip("pyarrow", reason="ARCHIVE SKIPPED: pyarrow is not installed")
pq = pytest.importorskip("pyarrow.parquet")
archive = pytest.importorskip("api.scale_out.archive")
places, recordings_module, tables, workers = (
    pytest.importorskip(f"api.scale_out.{name}") for name in ("places", "recordings", "tables", "workers")
)
GIVEN = ("--rpm", "1797", "--workers", "2")


def make_recordings(folder: Path, number: int, seconds: float = 2.0) -> Path:
    for i in range(number):
        fault = Fault(("OuterRace", "InnerRace")[i % 2], snr_db=3.0)
        signal = simulate(BEARINGS[DEFAULT_BEARING], 1797, 12_000, seconds, i, (fault,))
        (folder / f"line {i % 3}").mkdir(parents=True, exist_ok=True)
        wavfile.write(folder / f"line {i % 3}" / f"{i:02}.wav", 12_000, signal.astype(np.float32))
    return folder


@pytest.fixture
def recordings(tmp_path):
    return make_recordings(tmp_path / "recordings", 6)


@pytest.fixture
def diagnosed(monkeypatch):
    """The names of the recordings that runs of this process diagnosed, in no order."""
    names = []

    def note(source, chunks, workers):
        names.extend(name for chunk in chunks for name in chunk["recording"].to_pylist())
        return diagnose_here(source, chunks, workers)

    diagnose_here = archive.diagnose_here
    monkeypatch.setattr(archive, "diagnose_here", note)
    return names


def run(source, out, *others):
    archive.main(str(source), "--out", str(out), *GIVEN, *others)
    return read(out)


def read(out):
    return tuple(pq.read_table(out / f"{name}.parquet").to_pylist() for name in ("recordings", "windows"))


def test_the_tables_say_what_the_service_says(recordings, client, tmp_path, capsys):
    rows, windows = run(recordings, tmp_path / "out")
    assert [row["recording"] for row in rows] == sorted(
        p.relative_to(recordings).as_posix() for p in recordings.rglob("*.wav")
    )
    for row in rows:
        form = {"rpm": "1797", "series": "false"}
        files = {"file": (row["recording"], (recordings / row["recording"]).read_bytes())}
        answer = client.post("/diagnose/", data=form, files=files).json()
        assert {name: row[name] for name in answer["probabilities"]} == answer["probabilities"]
        assert [row["prediction"], row["reason"], row["familiarity"]] == [
            answer["prediction"], answer["reason"], answer["familiarity"],
        ]  # fmt: skip
        assert [row["agreement"], row["warnings"]] == [answer["agreement"]["verdict"], answer["warnings"]]
        assert [row["rpm"], row["sampling_rate"], row["seconds"], row["error"]] == [1797, 12_000, 2, None]
        own = [window for window in windows if window["recording"] == row["recording"]]
        assert [window["start"] for window in own] == [window["start"] for window in answer["windows"]]
        assert [{name: window[name] for name in answer["probabilities"]} for window in own] == [
            window["probabilities"] for window in answer["windows"]
        ]
    assert "6 recordings" in capsys.readouterr().out


def test_an_unchanged_recording_is_not_diagnosed_again(recordings, tmp_path, diagnosed):
    first = run(recordings, tmp_path / "out")
    assert len(diagnosed) == 6
    diagnosed.clear()
    assert run(recordings, tmp_path / "out") == first
    assert not diagnosed


def test_what_is_new_changed_or_gone_is_noticed(recordings, tmp_path, diagnosed):
    before, _ = run(recordings, tmp_path / "out")
    diagnosed.clear()
    changed, gone, new = (recordings / name for name in ("line 0/00.wav", "line 1/01.wav", "line 2/new.wav"))
    wavfile.write(
        changed,
        12_000,
        simulate(BEARINGS[DEFAULT_BEARING], 1797, 12_000, 3, 9, (Fault("OuterRace"),)).astype(np.float32),
    )
    new.write_bytes(gone.read_bytes())
    gone.unlink()
    rows, windows = run(recordings, tmp_path / "out")
    assert sorted(diagnosed) == ["line 0/00.wav", "line 2/new.wav"]
    assert [row["recording"] for row in rows] == sorted(
        p.relative_to(recordings).as_posix() for p in recordings.rglob("*.wav")
    )
    assert [row["seconds"] for row in rows if row["recording"] == "line 0/00.wav"] == [3]
    kept = [row for row in before if row["recording"] not in ("line 0/00.wav", "line 1/01.wav")]
    assert all(row in rows for row in kept)
    assert {window["recording"] for window in windows} == {row["recording"] for row in rows}


def test_other_fields_or_another_model_mean_another_diagnosis(recordings, tmp_path, diagnosed, monkeypatch):
    run(recordings, tmp_path / "out")
    rows, _ = run(recordings, tmp_path / "out", "--rpm", "1500")
    assert len(diagnosed) == 12
    assert {row["rpm"] for row in rows} == {1500}
    monkeypatch.setattr(recordings_module, "hash_file", lambda _: "another")
    run(recordings, tmp_path / "out", "--rpm", "1500")
    assert len(diagnosed) == 18
    held = [key for rows in tables.read_parts(places.Place(str(tmp_path / "out"))).values() for key in rows["key"]]
    assert len(held) == 6  # the parts of the others are gone


def test_a_damaged_file_is_a_row_with_the_words(recordings, tmp_path):
    (recordings / "broken.mat").write_bytes(b"nonsense")
    (recordings / "empty.wav").touch()
    rows, windows = run(recordings, tmp_path / "out")
    errors = {row["recording"]: row["error"] for row in rows if row["error"]}
    assert set(errors) == {"broken.mat", "empty.wav"}
    assert errors["broken.mat"].startswith("broken.mat: ")
    assert len(rows) == 8
    assert not {"broken.mat", "empty.wav"} & {window["recording"] for window in windows}


def test_a_file_that_ends_its_reader_is_a_row(recordings, tmp_path, monkeypatch):
    async def diagnose(process, fields, files, point=None):
        if files[0][0] == "00.wav":
            raise workers.WorkerEndedError
        return await respond(process, fields, files, point)

    respond = workers.WorkerProcess.diagnose
    monkeypatch.setattr(workers.WorkerProcess, "diagnose", diagnose)
    rows, _ = run(recordings, tmp_path / "out")
    assert [row["recording"] for row in rows if row["error"]] == ["line 0/00.wav"]
    assert "broke off" in rows[0]["error"]


def test_a_file_larger_than_the_service_takes_is_a_row(recordings, tmp_path, monkeypatch):
    monkeypatch.setattr(workers.settings, "max_upload", 100)
    rows, windows = run(recordings, tmp_path / "out")
    assert all(row["error"].endswith("expected 100 at most") for row in rows)
    assert not windows


@pytest.mark.parametrize(("limit", "value"), [("max_upload", 100), ("max_samples", 100), ("diagnoser_seconds", 0.0001)])
def test_what_was_over_a_limit_is_tried_again_once_the_limit_is_raised(tmp_path, diagnosed, monkeypatch, limit, value):
    source = make_recordings(tmp_path / "recordings", 1)
    with monkeypatch.context() as lower:
        lower.setattr(workers.settings, limit, value)
        rows, _ = run(source, tmp_path / "out")
        assert rows[0]["error"]
    diagnosed.clear()
    rows, _ = run(source, tmp_path / "out")
    assert diagnosed == ["line 0/00.wav"]
    assert not rows[0]["error"]


def test_a_worker_on_another_machine_has_the_limits_of_the_run_and_a_model_of_its_own(recordings):
    elsewhere = worker_limits(Path("/elsewhere/diagnosis.json"), workers.settings)
    [file, *_] = recordings_module.find_recordings(str(recordings), {"rpm": 1797}, {})
    chunk = pa.Table.from_pylist([file])
    for limits, most, said in [
        (elsewhere, file["size"], None),
        (elsewhere, 100, "expected 100 at most"),
        (elsewhere.model_copy(update={"samples": 100}), file["size"], "expected at most 100: cut it"),
    ]:
        worker = workers.Worker(str(recordings), limits, most)
        [row] = worker(chunk).to_pylist()
        worker.close()
        assert row["error"] == said or said in row["error"]


def test_what_cannot_be_read_now_is_tried_again(recordings, tmp_path, diagnosed, monkeypatch):
    find = archive.find_recordings
    lost = {"path": str(recordings / "not mounted.wav")}
    monkeypatch.setattr(
        archive, "find_recordings", lambda *given: [found | lost if found["recording"] == "line 0/00.wav" else found
                                                    for found in find(*given)]
    )  # fmt: skip
    rows, _ = run(recordings, tmp_path / "out")
    assert "cannot be read now" in rows[0]["error"]
    run(recordings, tmp_path / "out")
    monkeypatch.setattr(archive, "find_recordings", find)
    diagnosed.clear()
    rows, _ = run(recordings, tmp_path / "out")
    assert diagnosed == ["line 0/00.wav"]
    assert len(rows) == 6
    assert not any(row["error"] for row in rows)


def test_the_catalogue_says_what_holds_for_each_file(recordings, tmp_path):
    catalogue = tmp_path / "catalogue.csv"
    catalogue.write_text("file,rpm,label\nline 0/00.wav,1700,Normal\nline 1/01.wav,fast,Normal\nline 2/02.wav,,\n")
    rows, _ = run(recordings, tmp_path / "out", "--catalogue", str(catalogue))
    assert [row["rpm"] for row in rows if row["recording"] in ("line 0/00.wav", "line 2/02.wav")] == [1700, 1797]
    [wrong] = [row for row in rows if row["recording"] == "line 1/01.wav"]
    assert wrong["error"].startswith("rpm: ")


def test_a_part_that_is_not_whole_is_none(recordings, tmp_path, diagnosed):
    first = run(recordings, tmp_path / "out")
    part = sorted((tmp_path / "out" / "parts").iterdir())[0]
    part.write_bytes(part.read_bytes()[:-200])
    (tmp_path / "out" / "parts" / "half.parquet.unfinished").write_bytes(b"PAR1")
    diagnosed.clear()
    assert run(recordings, tmp_path / "out") == first
    assert len(diagnosed) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere"),
        ([".", "--rpm", "-3"], "rpm: "),
        ([".", "--bearing", "nonsense"], "bearing: "),
        ([".", "--catalogue", "nowhere.csv"], "nowhere.csv"),
        (["unknown://bucket/folder"], "unknown"),
    ],
)
def test_a_mistake_is_told_in_words(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(places.ArchiveError, match=said):
        archive.main(*words, "--out", str(tmp_path / "out"))


def test_a_url_names_a_folder_as_well(recordings, tmp_path):
    archive.main(recordings.as_uri(), "--out", (tmp_path / "by url").as_uri(), *GIVEN)
    assert read(tmp_path / "by url") == run(recordings, tmp_path / "out")


def test_an_empty_folder_gives_empty_tables(tmp_path):
    (tmp_path / "nothing").mkdir()
    assert run(tmp_path / "nothing", tmp_path / "out") == ([], [])
