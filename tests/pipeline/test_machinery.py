"""What turns beside a bearing has its lines where its geometry says, and each part has the strength asked for."""

import numpy as np
import pytest

from model.bearings import BEARINGS, Bearing
from model.recording.classes import FAULTS
from pipeline.machinery import (
    Belt,
    Drive,
    FaintLine,
    Gear,
    Machine,
    Neighbour,
    Spall,
    Step,
    make_comb,
    make_drive,
    make_faint_line,
    make_gear,
    make_spall,
    make_steps,
    make_wear,
    simulate_machine,
)
from pipeline.simulator import Fault, Resonance, Surroundings

BEARING = BEARINGS["6205-2RS"]
OTHER = Bearing(13, 0.22, 1.1, contact_angle=12)
RATE = 12_000
TIME = np.arange(10 * RATE) / RATE  # 10 s, so that every multiple of 0.1 Hz is a bin
SHAFT = 30.0
MODE = Resonance(3_000, 0.05)


def amplitude(signal: np.ndarray, frequency: float) -> float:
    """The amplitude of a line at a frequency (Hz) that is a bin."""
    return float(2 * np.abs(np.fft.rfft(signal)[round(frequency * len(signal) / RATE)]) / len(signal))


def envelope(signal: np.ndarray) -> np.ndarray:
    """The squared envelope of the whole band over its mean, less 1."""
    spectrum = np.fft.fft(signal)
    spectrum[len(signal) // 2 :] = 0
    squared = np.abs(np.fft.ifft(2 * spectrum)) ** 2
    return squared / squared.mean() - 1


def line(signal: np.ndarray, frequency: float, width: float = 0.5) -> float:
    """The highest amplitude of the squared envelope about a frequency (Hz)."""
    return max(amplitude(envelope(signal), frequency + step) for step in np.arange(-width, width + 0.05, 0.1))


def make_machine(**parts) -> Machine:
    return Machine("Normal", BEARING, 60 * SHAFT, Surroundings(shaft=(0.5,)), **parts)


def test_a_comb_has_the_amplitudes_asked_for_at_the_multiples_and_nothing_between(noise):
    comb = make_comb(7.3, (1.0, 0.0, 0.5), TIME, RATE, noise)
    assert [amplitude(comb, each * 7.3) for each in (1, 2, 3)] == pytest.approx([1, 0, 0.5], abs=1e-6)
    assert amplitude(comb, 10.0) < 1e-6


def test_lines_above_the_recorders_filter_are_not_heard(noise):
    assert not make_comb(6_000.0, (1.0,), TIME, RATE, noise).any()


def test_a_gear_has_lines_at_its_teeth_times_the_shaft_rate_with_sidebands_of_both_shafts(noise):
    gear = make_gear(Gear(23, 30, (1.0, 0.5), own=0.4, other=0.2), TIME, SHAFT, RATE, noise)
    mesh, other_rate = 23 * SHAFT, 23 * SHAFT / 30
    assert [amplitude(gear, mesh), amplitude(gear, 2 * mesh)] == pytest.approx([1, 0.5], abs=1e-6)
    for side in (-1, 1):  # modulation by a share m makes sidebands of half of it
        assert amplitude(gear, mesh + side * other_rate) == pytest.approx(0.1, abs=1e-6)
        assert amplitude(gear, mesh + side * SHAFT) == pytest.approx(0.2, abs=1e-6)
    assert amplitude(gear, mesh + 3.7) < 1e-6


def test_a_belts_lines_lie_below_the_shaft_rate_and_at_its_own_multiples():
    signal = simulate_machine(make_machine(belts=(Belt(0.31, (5.0,) * 20),)), RATE, 10.0, 0)
    for harmonic in range(1, 21):
        assert amplitude(signal, harmonic * 0.31 * SHAFT) == pytest.approx(5, rel=0.05)
    assert 0.31 * SHAFT < SHAFT
    assert amplitude(signal, 0.5 * 0.31 * SHAFT) < 0.2


def test_a_drive_switches_with_sidebands_of_twice_the_electrical_frequency_and_ripples_at_six_times(noise):
    drive = make_drive(Drive(4_000.0, (1.0,), 2, slip=0.04, sideband=0.5, ripples=(0.3, 0.2)), TIME, SHAFT, RATE, noise)
    electrical = 2 * SHAFT / 0.96  # 62.5 Hz
    assert amplitude(drive, 4_000) == pytest.approx(1, abs=1e-6)
    for side in (-2, 2):
        assert amplitude(drive, 4_000 + side * electrical) == pytest.approx(0.25, abs=1e-6)
    assert [amplitude(drive, 6 * electrical), amplitude(drive, 12 * electrical)] == pytest.approx([0.3, 0.2], abs=1e-6)
    assert amplitude(drive, 4_000 + electrical) < 1e-6


def test_wear_raises_a_band_and_has_no_line(noise):
    worn = make_wear(Resonance(2_500, 0.5, 2.0), TIME, RATE, noise)
    assert worn.std() == pytest.approx(2, rel=1e-9)
    lines = [amplitude(envelope(worn), order * SHAFT) for order in (*BEARING.orders, *OTHER.orders)]
    assert max(lines) < 0.03  # of noise: the root of one over bandwidth x duration is 0.006


@pytest.mark.parametrize("depth", [0.05, 0.15])
@pytest.mark.parametrize("label", FAULTS)
def test_a_faint_line_lies_at_its_parts_rate_and_is_as_deep_as_asked(label, depth):
    order = {"Ball": 2 * BEARING.orders.bsf, "InnerRace": BEARING.orders.bpfi, "OuterRace": BEARING.orders.bpfo}[label]
    fault = Fault(label, zone_floor=1.0)  # no load zone, no slip, no jitter
    heights = []
    for seed in range(8):  # the depth of a line in noise is known to some 0.006
        made = make_faint_line(FaintLine(fault, MODE, depth), BEARING, TIME, SHAFT, RATE, np.random.default_rng(seed))
        # A squared envelope varies by twice the depth.
        heights.append([line(made, harmonic * order * SHAFT, width=0.1) / 2 for harmonic in (1, 2)])
    first, second = np.mean(heights, axis=0)
    assert np.hypot(first, second) == pytest.approx(depth, rel=0.3, abs=0.01)
    assert first > 1.3 * second


def test_a_neighbour_strikes_at_the_orders_of_its_own_geometry():
    other = Neighbour(OTHER, Fault("OuterRace", snr_db=10))
    signal = simulate_machine(make_machine(neighbours=(other,)), RATE, 10.0, 0)
    assert line(signal, OTHER.orders.bpfo * SHAFT) > 10 * line(signal, BEARING.orders.bpfo * SHAFT)


def test_a_spall_strikes_with_sidebands_of_the_cage_and_fills_the_time_between_entry_and_exit(noise):
    made = make_spall(Spall(Fault("OuterRace"), cage=0.4), BEARING, TIME, SHAFT, RATE, noise)
    rate, cage = BEARING.orders.bpfo * SHAFT, BEARING.orders.ftf * SHAFT
    between = line(made, rate + cage / 2, width=0.2)
    assert line(made, rate) > 10 * between
    assert min(line(made, rate + side, width=0.2) for side in (-cage, cage)) > 3 * between


def test_a_smooth_spall_is_its_two_edges_an_arc_apart(noise):
    smooth = Spall(Fault("OuterRace", resonances=(Resonance(3_000, 0.3),)), arc=0.25, entry=0.5, ground_db=-200)
    made = make_spall(smooth, BEARING, TIME, SHAFT, RATE, noise)
    interval = RATE / (BEARING.orders.bpfo * SHAFT)
    after = {share: np.mean(made[: -round(interval)] * np.roll(made, -round(share * interval))[: -round(interval)])
             for share in (0.25, 0.4)}  # fmt: skip
    assert after[0.25] > 0.3 * np.var(made)  # an entry of half the exit's strength: 0.5 / (1 + 0.25) at the most
    assert abs(after[0.4]) < 0.1 * np.var(made)


def test_a_step_changes_everything_from_its_moment_on():
    gain = make_steps((Step(0.5, 2.0), Step(0.8, 0.25)), TIME)
    assert gain[[0, round(4.9 * RATE)]].tolist() == [1, 1]
    assert gain[[round(5.1 * RATE), round(7.9 * RATE)]] == pytest.approx([2, 2])
    assert gain[-1] == pytest.approx(0.5)
    calm, stepped = (simulate_machine(make_machine(steps=steps), RATE, 4.0, 0) for steps in ((), (Step(0.5, 2.0),)))
    assert stepped[:RATE] == pytest.approx(calm[:RATE])
    assert stepped[-RATE:] == pytest.approx(2 * calm[-RATE:])


@pytest.mark.parametrize("kind", [Fault, Spall])
def test_a_fault_is_so_many_decibels_over_everything_else(kind):
    fault = Fault("InnerRace", snr_db=3.0)
    gears = (Gear(31, 17, (2.0,)),)
    damaged = make_machine(gears=gears, fault=fault if kind is Fault else Spall(fault))
    without = simulate_machine(make_machine(gears=gears), RATE, 10.0, 3)
    added = simulate_machine(damaged, RATE, 10.0, 3) - without
    assert 10 * np.log10(np.var(added) / np.var(without)) == pytest.approx(3, abs=0.05)


def test_the_same_seed_gives_the_same_samples_and_another_gives_others():
    machine = make_machine(
        gears=(Gear(23, 46, (1.0,), 0.3, 0.2),),
        belts=(Belt(0.3, (1.0, 0.5)),),
        drives=(Drive(4_000.0, (1.0,)),),
        wear=(Resonance(2_000, 0.5, 2.0),),
        faint=(FaintLine(Fault("Ball", jitter=0.01), MODE, 0.1),),
        neighbours=(Neighbour(OTHER, Fault("Ball")),),
        steps=(Step(0.4, 1.5),),
        fault=Spall(Fault("InnerRace")),
    )
    signal = simulate_machine(machine, RATE, 1.0, 5)
    assert len(signal) == RATE
    assert np.array_equal(signal, simulate_machine(machine, RATE, 1.0, 5))
    assert not np.array_equal(signal, simulate_machine(machine, RATE, 1.0, 6))
