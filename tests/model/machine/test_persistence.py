from model.machine.persistence import Patience


def run(limits, severities):
    patience, levels = Patience(), []
    for moment, severity in enumerate(severities):
        patience.advance(float(moment), severity, limits.persistence)
        levels.append(patience.level)
    return patience, levels


def test_a_level_is_raised_after_three_in_a_row_and_dated_from_the_first(limits):
    patience, levels = run(limits, [0, 1.1, 1.1, 0, 1.1, 1.1, 1.1])
    assert levels == ["normal"] * 6 + ["warning"]
    assert patience.since == 4


def test_an_alarm_is_above_a_warning_and_never_falls_back_while_it_lasts(limits):
    _, levels = run(limits, [1.1] * 3 + [1.6] * 3 + [1.2] * 30)
    assert levels[2] == "warning"
    assert levels[5:] == ["alarm"] * 31


def test_it_is_cleared_after_ten_below_seven_tenths(limits):
    _, levels = run(limits, [1.1] * 3 + [0.69] * 9 + [0.71] + [0.69] * 10)
    assert levels[-2:] == ["warning", "normal"]
    assert levels.count("normal") == 3


def test_an_alarm_that_clears_leaves_what_still_holds(limits):
    patience, levels = run(limits, [1.6] * 3 + [1.01] * 12)
    assert levels[-1] == "warning"
    assert patience.since == 12
