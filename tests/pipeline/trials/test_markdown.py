import json

from pipeline.trials.markdown import healthy_lines, write_cell, write_markdown, write_rigs, write_trust
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


def rig_entry(alarms: int, f1: float) -> dict:
    counts = {"healthy": 3, "healthy_called_faulty": alarms, "healthy_uncertain": 0, "race_faults": 10}
    found = {"race_faults_found": 9, "race_faults_right": 8, "races_named": 9, "ball_faults": 0, "ball_faults_found": 0}
    return counts | found | {"macro_f1": f1}


def test_rigs_come_with_wilsons_intervals_and_the_worst_is_named():
    # Wilson's interval of 0 of 3 is 0 to 56 %, of 2 of 3 it is 21 to 94 %, of 8 of 10 it is 49 to 94 %.
    rigs = {
        "recording": {
            "calm": {
                "without baseline": {"stated": rig_entry(0, 0.9), "+5 %": rig_entry(2, 0.3)},
                "with baseline": {"stated": rig_entry(0, 1)},
            },
            "loud": {"without baseline": {"stated": rig_entry(2, 0.5)}},
        }
    }
    rows = write_rigs(rigs).splitlines()[2:]
    assert len(rows) == 4
    assert rows[0].startswith(
        "| recording diagnosis | calm | without | stated | 0 of 3 (0 to 56 %) | 0 of 3 (0 to 56 %) "
    )
    assert rows[0].endswith("| 8 of 10 (49 to 94 %) | 8 of 9 (57 to 98 %) |  | 0.900 |")
    assert "| calm | without | +5 % | 2 of 3 (21 to 94 %) |" in rows[1]
    trust = write_trust(rigs).splitlines()[2:]
    assert trust[0].startswith("| calm | 0 of 3 (0 to 56 %) |")
    assert trust[1].startswith("| **loud, the worst** | 2 of 3 (21 to 94 %) |")
    assert trust[1].endswith("| 0.500 |  |  |")


def test_a_table_without_rigs_has_no_rows():
    assert len(write_rigs({}).splitlines()) == len(write_trust({}).splitlines()) == 2


def test_a_cell_names_the_worst_rig():
    summary = {"mean": {"macro_f1": 0.75}, "spread": {"macro_f1": 0.25}}
    assert write_cell(summary) == "0.750 ± 0.250"
    assert write_cell(summary | {"worst": {"rig": "a", "macro_f1": 0.5}}) == "0.750 ± 0.250, worst 0.500 (a)"
