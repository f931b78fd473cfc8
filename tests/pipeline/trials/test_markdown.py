import json

from pipeline.trials.markdown import healthy_lines, write_markdown
from tests.conftest import ROOT


def test_the_committed_markdown_is_the_committed_tables():
    table, open_set = (json.loads((ROOT / "assets" / f"{name}.json").read_text()) for name in ("protocols", "open_set"))
    assert write_markdown(table, open_set) == (ROOT / "assets" / "protocols.md").read_text()


def test_healthy_windows_come_with_wilsons_interval_of_every_second_window_of_one_seed():
    # Wilson's interval of 3 right of 3 is 44 to 100 %, of 50 of 100 it is 40 to 60 %.
    folds = {
        "few": {"seeds": 3, "confusion": {"Normal": {"Normal": 15, "Ball": 0}}},
        "many": {"seeds": 1, "confusion": {"Normal": {"Normal": 100, "Ball": 100}}},
    }
    assert list(healthy_lines({"folds": folds})) == [
        "few: 100 % of 5 (95 %: 44 to 100 %)",
        "many: 50 % of 200 (95 %: 40 to 60 %)",
    ]


def test_a_table_without_the_rig_says_nothing_about_it():
    table, open_set = (json.loads((ROOT / "assets" / f"{name}.json").read_text()) for name in ("protocols", "open_set"))
    table.pop("rig")
    assert "rig" not in write_markdown(table, open_set)
