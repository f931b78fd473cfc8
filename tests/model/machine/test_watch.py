"""The watch of a simulated machine: learning, alarms, gain, sensors, and the same answer from a snapshot."""

from dataclasses import replace

import numpy as np
import pytest

from model.bearings import Bearing
from model.machine.indicators import Indicators, measure
from model.machine.snapshot import read_watch, write_watch
from model.machine.watch import Watch
from model.recording.recording import Recording
from pipeline.simulator import Fault, Resonance, Surroundings, simulate

RATE, RPM, HOUR = 12_000, 1_750, 3_600.0
BEARING = Bearing(9, 0.2, 1.0)
AROUND = Surroundings(coloured=(Resonance(1_200, 0.1), Resonance(3_000, 0.15, 0.7)), shaft=(0.3, 0.2))


def record(seed: int, fault: Fault | None = None, rpm: float = RPM) -> Recording:
    signal = simulate(BEARING, rpm, RATE, 1.0, seed, (fault,) if fault else (), AROUND)
    return Recording(signal, RATE, rpm)


@pytest.fixture(scope="module")
def healthy() -> list[Indicators]:
    return [measure(record(seed)) for seed in range(40)]


@pytest.fixture
def watched(healthy, limits):
    """A watch that has learned, and the next hour."""
    watch = Watch(BEARING.orders, limits)
    states = [watch.advance(hour * HOUR, each) for hour, each in enumerate(healthy)]
    return watch, states


def go_on(watch: Watch, recordings: list[Recording], hour: int = 40) -> list:
    return [watch.advance((hour + place) * HOUR, measure(each)) for place, each in enumerate(recordings)]


def test_it_learns_from_the_first_recordings_and_is_normal_then(watched, limits):
    _, states = watched
    first = limits.learning.recordings
    assert [state.level for state in states] == ["learning"] * (first - 1) + ["normal"] * (len(states) - first + 1)
    assert {state.reason for state in states} == {""}


@pytest.mark.parametrize(("label", "line"), [("OuterRace", "BPFO"), ("InnerRace", "BPFI"), ("Ball", "2 x BSF")])
def test_a_fault_is_alarmed_with_its_line_since_its_first_recording(watched, label, line):
    watch, _ = watched
    fault = Fault(label, 3.0, jitter=0.003, zone_floor=0.4)
    states = go_on(watch, [record(100 + seed, fault) for seed in range(30)])
    assert states[-1].level == "alarm"
    warned = next(state for state in states if state.level == "warning")
    assert warned.since <= (40 + 10) * HOUR
    assert f"{line} line" in states[-1].reason
    assert max(states[-1].parts, key=states[-1].parts.get) in (label, "impacts")


def test_one_loud_recording_is_no_alarm(watched):
    watch, _ = watched
    loud = replace(record(200), signal=30 * record(200).signal)
    states = go_on(watch, [loud, *[record(210 + seed) for seed in range(20)]])
    assert {state.level for state in states} == {"normal"}


def test_a_gain_of_three_is_the_sensors_within_three_recordings_and_never_an_alarm(watched):
    watch, _ = watched
    louder = [replace(each, signal=3 * each.signal) for each in (record(300 + seed) for seed in range(30))]
    states = go_on(watch, louder)
    assert (states[2].level, states[2].since) == ("sensor", 40 * HOUR)
    assert "all bands +9.5 dB alike" in states[2].reason
    assert {state.level for state in states} <= {"normal", "sensor"}
    assert states[-1].level == "normal"


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda signal: 1e-3 * signal, "silent"),
        (lambda signal: np.clip(signal, -1, 1), "clipped"),
        (lambda signal: np.where(np.arange(len(signal)) < 4_000, 0.0, signal), "gap"),
        (lambda signal: np.repeat(signal[::3], 3)[: len(signal)], "stuck"),
        (np.zeros_like, "gap"),
    ],
    ids=["dead", "clipped", "gap", "held", "zeros"],
)
def test_a_spoilt_signal_is_the_sensors_and_heals(watched, spoil, word):
    watch, _ = watched
    spoilt = [replace(each, signal=spoil(each.signal)) for each in (record(400 + seed) for seed in range(5))]
    states = go_on(watch, spoilt)
    assert states[1].level == "sensor"
    assert states[1].since == 40 * HOUR
    assert word in states[1].reason
    assert go_on(watch, [record(420 + seed) for seed in range(12)], 45)[-1].level == "normal"


def test_a_fault_that_drives_the_sensor_into_its_stop_is_a_warning(watched):
    watch, _ = watched
    fault = Fault("OuterRace", 25.0, jitter=0.003)
    stop = [record(500 + seed, fault) for seed in range(4)]
    clipped = [replace(each, signal=np.clip(each.signal, -15, 15)) for each in stop]
    states = go_on(watch, clipped)
    assert states[2].level in ("warning", "alarm")
    assert "clipped" in states[2].reason


def test_an_alarm_goes_on_to_say_why_while_its_sensor_is_dead(watched):
    watch, _ = watched
    fault = Fault("OuterRace", 3.0, jitter=0.003, zone_floor=0.4)
    *_, alarmed = go_on(watch, [record(800 + seed, fault) for seed in range(25)])
    dead = [replace(each, signal=1e-3 * each.signal) for each in (record(830 + seed, fault) for seed in range(3))]
    states = go_on(watch, dead, 65)
    assert {(state.level, state.since) for state in states} == {("alarm", alarmed.since)}
    assert {state.severity for state in states} == {alarmed.severity}
    assert all(state.reason.startswith("BPFO line") for state in states)
    assert "silent" in states[-1].reason


def test_another_speed_learns_its_own_level(watched):
    watch, _ = watched
    faster = [replace(each, signal=2 * each.signal) for each in (record(600 + seed, rpm=2_400) for seed in range(25))]
    states = go_on(watch, faster)
    assert {state.level for state in states} <= {"normal", "sensor"}
    assert max(state.parts["level"] for state in states) < 0.2


def test_a_snapshot_goes_on_exactly_as_the_watch_does(watched, limits):
    watch, _ = watched
    again = read_watch(write_watch(watch), BEARING.orders, limits)
    fault = Fault("InnerRace", 0.0, jitter=0.003, zone_floor=0.4)
    recordings = [record(700 + seed, fault) for seed in range(12)]
    assert go_on(watch, recordings) == go_on(again, recordings)
    assert write_watch(watch) == write_watch(again)


def test_a_rate_that_holds_no_envelope_band_is_watched_by_its_levels(limits, noise):
    watch = Watch(BEARING.orders, limits)
    quiet = [Recording(noise.standard_normal(2 * 2_560), 2_560, RPM) for _ in range(25)]
    unbalance = 30 * np.sin(2 * np.pi * RPM / 60 * np.arange(2 * 2_560) / 2_560)
    loud = [replace(each, signal=each.signal + unbalance) for each in quiet]
    states = go_on(watch, quiet + loud, 0)
    assert states[24].level == "normal"
    assert states[-1].level in ("warning", "alarm")
    assert states[-1].parts.keys() == {"impacts", "level"}


def test_recordings_without_combs_are_not_learned_as_lines_that_are_missing(healthy, limits):
    slow = measure(Recording(record(900).signal[::5], RATE / 5, RPM))
    watch = Watch(BEARING.orders, limits)
    for hour, each in enumerate([slow, *healthy]):
        watch.advance(hour * HOUR, each)
    assert watch.past.combs.count[0] == limits.learning.recordings - 1


def test_without_a_speed_and_a_bearing_levels_are_watched(limits):
    watch = Watch(None, limits)
    quiet = [replace(record(seed), rpm=None) for seed in range(25)]
    loud = [replace(record(50 + seed, Fault("OuterRace", 18.0)), rpm=None) for seed in range(40)]
    states = go_on(watch, quiet + loud, 0)
    assert states[24].level == "normal"
    assert states[-1].level in ("warning", "alarm")
