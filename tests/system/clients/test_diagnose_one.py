"""One recording, drawn in full."""

import json
import re

import numpy as np
import pytest

from api.drawing import describe_familiarity, percent
from pipeline.simulator import DEFAULT
from tests.system.clients.helpers import STATED, machine, run


@pytest.fixture(scope="module")
def outer(url, folder):
    return run(url, folder / "outer.npy", *STATED, columns=100)


@pytest.fixture(scope="module")
def outer_json(url, folder):
    return json.loads(run(url, folder / "outer.npy", *STATED, "--json").stdout)


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
    assert f"* {describe_familiarity(outer_json['familiarity'])}" in " ".join(outer.stdout.split())


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


def test_names_from_files_do_not_steer_the_terminal(url, tmp_path):
    path = tmp_path / "\x1b[31m[red]outer.npy"
    np.save(path, machine("OuterRace", seconds=2))
    answer = run(url, path, *STATED)
    assert answer.returncode == 0
    assert "\x1b" not in answer.stdout
    assert "[red]outer.npy" in answer.stdout


def test_a_report_is_written_and_is_the_same_each_time(url, folder, tmp_path):
    for name in ("one.html", "two.html"):
        answer = run(url, folder / "outer.npy", *STATED, "--report", tmp_path / name)
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert "Outer race fault" in (tmp_path / "one.html").read_text()
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_a_report_of_what_cannot_be_read_is_refused_in_words(url, folder, tmp_path):
    answer = run(url, folder / "broken.mat", "--report", tmp_path / "report.html")
    assert answer.returncode == 1
    assert "does not start as a MATLAB file does" in answer.stderr
    assert not (tmp_path / "report.html").exists()
