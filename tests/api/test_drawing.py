import numpy as np
import pytest

from api.drawing import BLOCKS, describe_familiarity, draw_cells, find_marks, highest_in_cells, percent, place_marks


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
