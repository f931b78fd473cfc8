import numpy as np
import pytest

from api.drawing import (
    BLOCKS,
    describe_familiarity,
    draw_cells,
    find_marks,
    highest_in_cells,
    percent,
    place_marks,
    show_answer,
    show_table,
)

LINES = [
    {"fault": fault, "name": name, "order": order, "heights": [31.4, 2.7, 1.8], "stands_out": fault == "OuterRace"}
    for fault, name, order in (("OuterRace", "BPFO", 3.585), ("InnerRace", "BPFI", 5.415), ("Ball", "2x BSF", 4.714))
]
ANSWER = {
    "prediction": "OuterRace", "probabilities": {"Ball": 0.02, "InnerRace": 0.05, "Normal": 0.001, "OuterRace": 0.929},
    "familiarity": 0.4, "speed_factor": 0.99,
    "warnings": ["no bearing was given: the lines are those of 6205-2RS, which may be another's"],
    "agreement": {"verdict": "supports", "explanation": "BPFO stands 31 times over its surroundings, " * 4,
                  "band": [2_000, 6_000], "lines": LINES},
    "recording": {"file": "a-recording-with-a-name-of-its-own-that-is-long.npy", "channel": "drive_end",
                  "bearing": "6205-2RS", "seconds": 10.0, "sampling_rate": 12_000.0, "rpm": 1_750.0},
    "series": {"envelope_spectrum": {"amplitude": [1 + index % 7 for index in range(354)], "orders_per_point": 0.05}},
    "window_seconds": 0.68, "windows": [{"start": 0.34 * index, "prediction": "OuterRace"} for index in range(28)],
    "provenance": {"diagnosis_sha256": "0123456789abcdef" * 4}, "execution_time_ms": 12.3,
}  # fmt: skip
ROWS = [
    {"file": "recordings/outer.npy", "prediction": "OuterRace", "familiarity": 0.4, "agreement": "supports",
     "warnings": ANSWER["warnings"][0], "error": "", **ANSWER["probabilities"]},
    {"file": "recordings/deeper/a-recording-with-a-name-of-its-own-that-is-long.npy", "prediction": "",
     "error": "the file does not start as a MATLAB file does, whatever its name says of it and its content",
     "warnings": ""},
]  # fmt: skip


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


def test_familiarity_is_explained_as_a_share_of_windows():
    assert describe_familiarity(0.29) == (
        "not in the sum: 71 % of the windows of training's bearings, each bearing left out in turn, "
        "were less unlike the other bearings"
    )


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
def test_nothing_is_wider_than_the_terminal(columns, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COLUMNS", str(columns))
    show_answer(ANSWER)
    one = capsys.readouterr().out
    show_table(ROWS, tmp_path / "diagnoses.csv")
    several = capsys.readouterr().out
    assert max(map(len, (one + several).splitlines())) <= columns
    assert "\x1b" not in one + several


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
def test_the_spectrum_is_as_wide_as_the_terminal_and_none_of_its_lines_is_folded(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    show_answer(ANSWER)
    lines = capsys.readouterr().out.splitlines()
    bottom = max(number for number, line in enumerate(lines) if line and set(line) <= set(BLOCKS[1:]))
    axis = next(line for line in lines if line.endswith("17.7 orders, 511 Hz"))
    assert (len(lines[bottom]), len(axis), axis[0]) == (columns, columns, "0")
