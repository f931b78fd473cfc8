"""Stage examples: simulated recordings, as .wav, to try the service and its page with."""

import json
from typing import NamedTuple

import numpy as np
from scipy.io import wavfile

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing
from pipeline import params
from pipeline.params import ASSETS
from pipeline.simulator import Fault, Resonance, Surroundings, simulate

EXAMPLES = ASSETS / "examples"
GAIN = 0.016  # of full scale a unit; one for all, so that a fault can be seen beside its healthy machine
CLIP = 0.2  # of the largest value, where a sensor is overdriven
MOTOR = Surroundings(coloured=(Resonance(2_200, 0.05, 1.5),), shaft=(0.8, 0.3), tones=((100, 0.4),), modulation=0.2)
GEARBOX = Surroundings(coloured=(Resonance(1_600, 0.08, 1.0),), shaft=(0.5, 0.4, 0.2), modulation=0.3)
OUTER = Fault("OuterRace", snr_db=0, jitter=0.01, amplitude_spread=0.2, unbalance=0.2, slip=0.003)
INNER = Fault("InnerRace", snr_db=2, jitter=0.01, amplitude_spread=0.2, zone_floor=0.1, slip=-0.003)
BALL = Fault("Ball", snr_db=4, jitter=0.005, amplitude_spread=0.2, zone_floor=0.2, inner_strength=0.6)
GEOMETRY = "13, 7.5, 42, 0"  # rolling elements, their diameter, pitch diameter, contact angle


class Example(NamedTuple):
    """A machine to simulate; bearing as the form field of that name takes it, label is what it is made as, baseline the
    file of the same machine when it was healthy."""

    file: str
    title: str
    label: str
    bearing: str
    rpm: float
    sampling_rate: int
    faults: tuple[Fault, ...] = ()
    surroundings: Surroundings = MOTOR
    baseline: str = ""
    clipped: bool = False


MACHINES = (
    Example(
        "outer_race.wav",
        "Motor, outer race fault",
        "OuterRace",
        DEFAULT_BEARING,
        1_772,
        12_000,
        (OUTER,),
        baseline="healthy.wav",
    ),
    Example(
        "inner_race.wav", "Another bearing, inner race fault", "InnerRace", GEOMETRY, 1_480, 25_600, (INNER,), GEARBOX
    ),
    Example("ball.wav", "Motor, ball fault", "Ball", DEFAULT_BEARING, 1_772, 12_000, (BALL,)),
    Example("healthy.wav", "The same motor, healthy", "Normal", DEFAULT_BEARING, 1_772, 12_000),
    Example("clipped.wav", "Sensor overdriven", "Unknown", DEFAULT_BEARING, 1_772, 12_000, (OUTER,), clipped=True),
)


def main() -> None:
    section = params.load("examples")
    EXAMPLES.mkdir(parents=True, exist_ok=True)
    for number, example in enumerate(MACHINES):
        seconds = section["baseline_seconds"] if example.label == "Normal" else section["seconds"]
        write_recording(example, seconds, [section["seed"], number])
    index = [describe(example) for example in MACHINES]
    (EXAMPLES / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    print(f"{len(index)} simulated recordings in {EXAMPLES}")


def write_recording(example: Example, seconds: float, seed: list[int]) -> None:
    generator = np.random.default_rng(seed)
    signal = simulate(
        bearing_of(example.bearing), example.rpm, example.sampling_rate, seconds, generator, example.faults,
        example.surroundings,
    )  # fmt: skip
    if example.clipped:
        signal = np.clip(signal, -CLIP * np.abs(signal).max(), CLIP * np.abs(signal).max())
    samples = np.rint(signal * GAIN * 32_767)
    if np.abs(samples).max() > 32_767:
        raise ValueError(f"{example.file} does not fit: its largest sample is {np.abs(samples).max():.0f}")
    wavfile.write(EXAMPLES / example.file, example.sampling_rate, samples.astype(np.int16))


def bearing_of(text: str) -> Bearing:
    if text in BEARINGS:
        return BEARINGS[text]
    elements, *sizes = map(float, text.split(","))
    return Bearing(int(elements), *sizes)


def describe(example: Example) -> dict:
    """Return what a person has to say beside the file, and what it was made as; its rate is in the file."""
    names = ("file", "title", "label", "bearing", "rpm", "baseline")
    return {name: getattr(example, name) for name in names if getattr(example, name)}


if __name__ == "__main__":
    params.run_stage(main)
