import csv
import json
import re
import signal
import subprocess
import sys
import time
from functools import partial
from threading import Event, Thread

import numpy as np
import pytest
import requests
from scipy.io import wavfile

from api.diagnose import BLOCKS, COLUMNS, draw_cells, find_marks, highest_in_cells, percent, place_marks
from pipeline.simulator import DEFAULT, Fault, Resonance, Surroundings, simulate
from tests.conftest import ROOT, environment, running

RATE, RPM = 12_000, 1750
STATED = ("--sampling-rate", str(RATE), "--rpm", str(RPM))
FORM = {"sampling_rate": str(RATE), "rpm": str(RPM)}
MOST_BYTES = 2_500_000
PROBABILITIES = ("Ball", "InnerRace", "Normal", "OuterRace")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service"), MAX_UPLOAD=str(MOST_BYTES)) as url:
        yield url


def machine(label, seconds=10.0, seed=0):
    faults = (Fault(label, jitter=0.003, zone_floor=0.2, resonances=(Resonance(3_200, 0.05),)),)
    around = Surroundings(coloured=(Resonance(1_200, 0.1), Resonance(3_000, 0.15, 0.7)), shaft=(0.3, 0.2))
    return simulate(DEFAULT, RPM, RATE, seconds, seed, faults if label != "Normal" else (), around)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Recordings of an outer race fault and of a healthy machine, one file that is broken, and one that is none."""
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "deeper").mkdir()
    np.save(folder / "outer.npy", machine("OuterRace"))
    healthy = machine("Normal", seed=1)
    scaled = (30_000 * healthy / np.abs(healthy).max()).astype(np.int16)
    wavfile.write(folder / "deeper" / "healthy.WAV", RATE, scaled)
    (folder / "broken.mat").write_bytes(b"MATLAB 5.0 MAT-file, or so it says")
    (folder / "notes.md").write_text("no recording")
    return folder


def run(url, *arguments, columns=80, cwd=ROOT, **extra):
    command = [sys.executable, str(ROOT / "api" / "diagnose.py"), "--url", url, *map(str, arguments)]
    variables = environment(**({"COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"} | extra))
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, encoding="utf-8")


@pytest.fixture(scope="module")
def outer(url, folder):
    return run(url, folder / "outer.npy", *STATED, columns=100)


@pytest.fixture(scope="module")
def outer_json(url, folder):
    return json.loads(run(url, folder / "outer.npy", *STATED, "--json").stdout)


def read_table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def line_of(output, start):
    return next(line for line in output.splitlines() if line.startswith(start))


def test_the_verdict_is_in_words_beside_what_was_recorded(outer):
    assert (outer.returncode, outer.stderr) == (0, "")
    frame, verdict, facts = outer.stdout.splitlines()[:3]
    assert frame.startswith("╭─")
    assert verdict.startswith("│ Outer race fault, ")
    assert "outer.npy, " in facts
    assert "bearing 6205-2RS, 10 s at 12,000 Hz, 1,750 rpm" in facts


def test_warnings_are_told(outer):
    assert "! no bearing was given: the lines are those of 6205-2RS" in outer.stdout


def test_the_network_stands_beside_the_physics(outer, outer_json):
    row = line_of(outer.stdout, "Outer race ━")
    assert percent(outer_json["probabilities"]["OuterRace"]) in row
    assert "Outer race BPFO    3.585 104.6 " in row
    assert row.rstrip().endswith("yes")
    assert percent(1 - outer_json["familiarity"]) in line_of(outer.stdout, "Unknown*")
    assert "* outside the sum" in outer.stdout


def test_what_the_lines_say_of_it_is_told(outer, outer_json):
    assert outer_json["agreement"]["verdict"] == "supports"
    told = " ".join(outer.stdout.split())
    assert f"The lines support the network: {outer_json['agreement']['explanation']}" in told


def test_the_marks_lie_under_the_lines_of_the_spectrum(outer, outer_json):
    lines = outer.stdout.splitlines()
    title = next(number for number, line in enumerate(lines) if line.startswith("envelope spectrum, "))
    assert lines[title].endswith("O=BPFO  I=BPFI  B=2xBSF")
    top, bottom, marks = lines[title + 1], lines[title + 3], lines[title + 4]
    spectrum = outer_json["series"]["envelope_spectrum"]
    points = len(spectrum["amplitude"])
    assert len(bottom) == 100
    for mark, order in (("O ", DEFAULT.orders.bpfo), ("O2", 2 * DEFAULT.orders.bpfo), ("I ", DEFAULT.orders.bpfi)):
        column = order / spectrum["orders_per_point"] / points * 100
        assert marks.index(mark) == pytest.approx(column, abs=1)
    highest = np.flatnonzero([cell != " " for cell in top])
    assert all(abs(column - marks.index("O")) <= 1 for column in highest[:1])
    assert f"{points * spectrum['orders_per_point']:.1f} orders" in lines[title + 6] + lines[title + 5]


def test_every_window_has_its_letter(outer, outer_json):
    lines = outer.stdout.splitlines()
    title = next(number for number, line in enumerate(lines) if " windows of 0.68 s" in line)
    assert lines[title + 1] == "O" * len(outer_json["windows"])
    assert lines[title + 2].split() == ["0", "10", "s"]
    assert lines[title + 3] == f"O outer race {len(outer_json['windows'])}"


def test_the_answer_says_which_model_gave_it(outer, outer_json):
    assert outer.stdout.rstrip().endswith(f"diagnosis model {outer_json['provenance']['diagnosis_sha256'][:12]}")


def test_json_is_the_services_answer_and_nothing_else(outer_json):
    assert outer_json["prediction"] == "OuterRace"
    assert sum(outer_json["probabilities"].values()) == pytest.approx(1)
    assert outer_json["series"]["envelope_spectrum"]["amplitude"]


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
def test_nothing_is_wider_than_the_terminal(url, folder, columns, tmp_path):
    one = run(url, folder / "outer.npy", *STATED, columns=columns)
    several = run(url, folder, *STATED, columns=columns, cwd=tmp_path)
    assert (one.returncode, several.returncode) == (0, 1)
    assert max(map(len, (one.stdout + several.stdout).splitlines())) <= columns
    assert "\x1b" not in one.stdout + several.stdout


def test_a_terminal_that_knows_ascii_alone_gets_ascii(url, folder):
    answer = run(url, folder / "outer.npy", *STATED, PYTHONIOENCODING="ascii")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.isascii()
    assert "| Outer race fault" in answer.stdout
    assert "#" in answer.stdout


def test_colours_are_shown_where_they_are_wanted(url, folder):
    coloured, plain = (run(url, folder / "outer.npy", *STATED, FORCE_COLOR="1", NO_COLOR=no) for no in ("", "1"))
    colour = re.compile(r"\x1b\[(\d+;)*3[0-7]m")
    assert colour.search(coloured.stdout)
    assert not colour.search(plain.stdout)


def test_a_sensor_that_is_stuck_is_unknown_with_the_reason(url, tmp_path):
    np.save(tmp_path / "stuck.npy", np.repeat(machine("Normal")[::4], 4))
    answer = run(url, tmp_path / "stuck.npy", *STATED)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Unknown: the sensor is off, stuck" in answer.stdout


def test_a_folder_becomes_a_table_and_a_csv_file(url, folder, tmp_path):
    answer = run(url, folder, *STATED, cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (1, "")
    rows = read_table(tmp_path / "diagnoses.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [row["prediction"] for row in rows] == ["", "Normal", "OuterRace"]
    assert [row["file"] for row in rows] == [
        str(folder / name) for name in ("broken.mat", "deeper/healthy.WAV", "outer.npy")
    ]
    broken, _, outer = rows
    assert "broken.mat" in broken["error"]
    assert sum(float(outer[name]) for name in PROBABILITIES) == pytest.approx(1)
    assert (outer["agreement"], outer["rpm"], outer["seconds"], outer["error"]) == ("supports", "1750.0", "10.0", "")
    assert "no bearing was given" in outer["warnings"]
    assert "1 error, 1 healthy, 1 outer race: written to diagnoses.csv" in answer.stdout


def test_several_files_as_json_are_one_object_a_line(url, folder, tmp_path):
    paths = [folder / "outer.npy", folder / "broken.mat", tmp_path / "nowhere.npy"]
    answer = run(url, *paths, *STATED, "--json", cwd=tmp_path)
    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert (answer.returncode, answer.stderr) == (1, "")
    assert [each["file"] for each in answers] == list(map(str, paths))
    assert answers[0]["prediction"] == "OuterRace"
    assert answers[0]["series"] == {}
    assert "nowhere.npy cannot be read: No such file" in answers[2]["error"]
    assert not (tmp_path / "diagnoses.csv").exists()


def test_a_run_that_breaks_off_keeps_what_it_had(url, folder, tmp_path):
    for number in range(60):
        (tmp_path / f"{number:02}.npy").hardlink_to(folder / "outer.npy")
    table = tmp_path / "table.csv"
    command = [sys.executable, str(ROOT / "api" / "diagnose.py"), str(tmp_path), *STATED, "--url", url, "--csv", table]
    # A shell ignores SIGINT for what it runs in the background, and that is inherited.
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, env=environment(), preexec_fn=listening)
    while process.poll() is None and not (table.exists() and len(read_table(table)) > 1):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    rows = read_table(table)
    assert 1 < len(rows) < 60
    assert {row["prediction"] for row in rows} == {"OuterRace"}


def test_a_mistake_that_many_files_share_is_told_once(url, folder, tmp_path):
    paths = [folder / "outer.npy", folder / "deeper" / "healthy.WAV"]
    answer = run(url, *paths, "--bearing", "9999", cwd=tmp_path, columns=300)
    assert answer.returncode == 1
    assert "outer.npy and 1 more: bearing: " in answer.stdout
    assert "2 error: written to diagnoses.csv" in answer.stdout


def test_neither_the_baseline_nor_the_table_is_diagnosed(url, folder, tmp_path):
    np.save(tmp_path / "healthy.npy", machine("Normal", seconds=12, seed=3))
    np.save(tmp_path / "now.npy", machine("OuterRace", seed=2))
    for _ in range(2):
        answer = run(url, ".", *STATED, "--baseline", "healthy.npy", cwd=tmp_path)
        assert (answer.returncode, answer.stderr) == (0, "")
        [row] = read_table(tmp_path / "diagnoses.csv")
        assert (row["file"], row["prediction"]) == ("now.npy", "OuterRace")
        assert "no healthy baseline" not in row["warnings"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("outer.npy", "--sampling-rate", "12000"), "rpm: the file does not say how fast the shaft turned: give rpm"),
        (("outer.npy", *STATED, "--bearing", "9999"), "bearing: .*what came: 9999"),
        (("outer.npy", *STATED, "--channel", "nowhere"), "channel: .*nowhere"),
        (("broken.mat",), "^broken.mat: the file does not start as a MATLAB file does"),
        (("nowhere.npy",), "nowhere.npy cannot be read: No such file or directory\n$"),
        (("outer.npy", *STATED, "--baseline", "nowhere.npy"), "nowhere.npy cannot be read"),
        (("outer.npy", *STATED, "--baseline", "outer.npy", "--baseline", "outer.npy"),
         f"outer.npy: 2,880,384 bytes to send, the service takes {MOST_BYTES:,} at most"),
        (("outer.npy", *STATED, "--csv", "nowhere/table.csv"), "No such file or directory: 'nowhere/table.csv'"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_words(url, folder, arguments, words):
    answer = run(url, *arguments, cwd=folder)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Traceback" not in answer.stderr
    assert re.search(words, answer.stderr, re.DOTALL)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("outer.npy", "--rpm", "fast"), "argument --rpm: invalid float value: 'fast'"),
        (("outer.npy", "--speed", "3"), "unrecognized arguments: --speed 3"),
        ((), "required: PATH"),
        (("outer.npy", "--csv", "outer.npy"), "outer.npy is a recording and would be overwritten"),
    ],
)
def test_wrong_arguments_are_refused(folder, arguments, words):
    answer = run("http://127.0.0.1:9", *arguments, cwd=folder)
    assert answer.returncode == 2
    assert words in answer.stderr


def test_a_folder_without_recordings_is_refused(tmp_path):
    answer = run("http://127.0.0.1:9", tmp_path)
    assert answer.returncode == 2
    assert "no .mat, .csv, .txt, .wav, .npy, .gz in " in answer.stderr


def test_without_a_service_it_says_what_to_start(folder, tmp_path):
    (tmp_path / "diagnoses.csv").write_text("of yesterday")
    answer = run("http://127.0.0.1:9", folder, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "no service at http://127.0.0.1:9: start it with `python -m api`\n"
    assert (tmp_path / "diagnoses.csv").read_text() == "of yesterday"


def test_any_other_answer_is_shown_as_it_came(url, folder):
    answer = run(f"{url}/model/", folder / "outer.npy", *STATED)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"404 from {url}/model/diagnose/: ")


def test_a_full_service_is_asked_again(url, folder, noise):
    """Twelve senders of what takes long keep the service full until the client has been sent away."""
    slow, statuses, enough = "\n".join(map("{:.4f}".format, noise.standard_normal(300_000))), [], Event()

    def keep_sending():
        while not enough.is_set():
            statuses.append(requests.post(f"{url}/diagnose/", files={"file": slow}, data=FORM, timeout=60).status_code)

    senders = [Thread(target=keep_sending) for _ in range(12)]
    answers = []
    asking = Thread(target=lambda: answers.append(run(url, folder / "outer.npy", *STATED, "--json")))
    for sender in senders:
        sender.start()
    asking.start()
    asking.join(2)
    enough.set()
    for thread in (*senders, asking):
        thread.join()
    assert set(statuses) == {200, 503}
    assert answers[0].returncode == 0
    assert json.loads(answers[0].stdout)["prediction"] == "OuterRace"


def test_names_from_files_do_not_steer_the_terminal(url, tmp_path):
    path = tmp_path / "\x1b[31m[red]outer.npy"
    np.save(path, machine("OuterRace", seconds=2))
    answer = run(url, path, *STATED)
    assert answer.returncode == 0
    assert "\x1b" not in answer.stdout
    assert "[red]outer.npy" in answer.stdout


@pytest.mark.parametrize(("points", "width"), [(354, 100), (354, 40), (69, 200), (80, 80), (1, 7)])
def test_each_cell_shows_the_highest_value_and_each_mark_lies_in_its_cell(points, width, noise):
    for point in noise.integers(0, points, 10).tolist():
        values = np.zeros(points)
        values[point] = 1
        [(column, text, _)] = find_marks(
            [{"fault": "Ball", "order": point * 0.05, "heights": [1]}], 0.05, points, width
        )
        cells = highest_in_cells(values.tolist(), width)
        assert len(cells) == width
        assert (text, cells[column]) == ("B", 1)


def test_the_highest_cell_fills_its_column_and_none_is_empty():
    rows = [row.plain for row in draw_cells([0.0, 1.0, 0.5, 0.0], [], BLOCKS)]
    assert rows == [" █  ", " █▄ ", "▁██▁"]
    assert [row.plain for row in draw_cells([0.0, 0.0], [], BLOCKS)][-1] == "▁▁"


def test_marks_that_would_cover_each_other_take_another_line():
    marks = [(3, "O", "red"), (4, "B", "cyan"), (5, "I2", "magenta"), (6, "O3", "red")]
    assert [row.plain for row in place_marks(marks)] == ["   O I2", "    B O3"]


@pytest.mark.parametrize(
    ("share", "words"), [(1.0, "over 99 %"), (0.994, "99 %"), (0.5, "50 %"), (0.006, "1 %"), (0.0, "under 1 %")]
)
def test_no_share_claims_certainty(share, words):
    assert percent(share) == words
