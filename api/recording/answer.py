"""What is answered to an uploaded recording: its diagnosis, the evidence, what the file said, warnings and plots."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from api.files import formats
from api.files.errors import UnreadableError, shown
from api.files.limits import Limits
from api.recording import plots as series
from api.recording.fields import Fields, parse_bearing
from model.bearings import Bearing
from model.recording.baseline import Healthy, describe_baseline
from model.recording.checks import normalise
from model.recording.diagnosis import Diagnosis, RecordingDiagnosis
from model.recording.evidence import Evidence, envelope_spectra, highest_order, weigh
from model.recording.lines import BANDS, LEAST_RATE, WINDOW_SECONDS
from model.recording.recording import Recording
from model.recording.shaft_check import find_contradiction
from model.recording.windows import cut

CONSTANT = "every sample is {:g}: the sensor was off, or its channel is another one"
MISSING = {
    "sampling_rate": "the file does not say at what rate it was sampled: give sampling_rate in Hz",
    "rpm": "the file does not say how fast the shaft turned: give rpm",
}
DISSENT = 0.25  # of the windows
SAME = 2e-3  # a share by which two statements of a rate or speed may differ and still be the same


@dataclass
class Stated:
    """A recording with the rate (Hz) and speed (rpm) that hold for it."""

    recording: Recording
    sampling_rate: float
    rpm: float
    warnings: list[str]
    name: str = ""

    @property
    def settled(self) -> Recording:
        return replace(self.recording, sampling_rate=self.sampling_rate, rpm=self.rpm)


class MistakeError(ValueError):
    """What a caller can mend: fields and what was expected of each, and what the file said."""

    def __init__(self, mistakes: dict[str, str], came: object = None) -> None:
        super().__init__("; ".join(mistakes.values()))
        self.mistakes = mistakes
        self.came = came


def answer(
    diagnosis: RecordingDiagnosis, fields: Fields, files: list[tuple[str, bytes]], limits: Limits
) -> dict[str, Any]:
    (name, content), *healthy = files
    bearing = parse_bearing(fields.bearing)
    stated = state(read(content, name, fields.channel, limits), fields.sampling_rate, fields.rpm)
    baseline = [read_baseline(content, name, fields, stated, limits) for name, content in healthy]
    found = diagnose(diagnosis, stated, bearing, baseline)
    windows = cut_windows(stated)
    evidence = weigh(windows, stated.sampling_rate, stated.rpm / 60, bearing.orders, found.prediction)
    result = describe(found, evidence) | {
        "recording": describe_recording(name, stated, fields, bearing),
        "baseline": [describe_baseline_file(each) for each in baseline],
        "warnings": [*collect_warnings(stated, baseline, fields), *found.warnings, *find_dissent(found)],
        "series": plot(stated, windows, evidence) if fields.series else {},
        "baseline_series": plot_baseline(baseline, bearing, evidence)
        if baseline and fields.series and evidence.lines
        else None,
    }
    if fields.series:
        result["windows"] = add_spectra(result["windows"], evidence)
    return result


def read(content: bytes, name: str, channel: str, limits: Limits) -> Recording:
    try:
        return formats.read(content, name, channel, limits)
    except UnreadableError as error:
        raise MistakeError({error.field: f"{shown(name)}: {error}"}) from error


def state(recording: Recording, sampling_rate: float | None, rpm: float | None) -> Stated:
    """Settle rate and speed: what was given holds, else what the file says, else somebody has to say it."""
    warnings = []
    given = {"sampling_rate": (sampling_rate, recording.sampling_rate, " Hz"), "rpm": (rpm, recording.rpm, "")}
    for name, (stated, own, unit) in given.items():
        if stated and own and abs(stated / own - 1) > SAME:
            warnings.append(f"{name} {stated:,g}{unit} was given and holds; the file says {own:,g}{unit}")
    settled = {name: stated or own for name, (stated, own, _) in given.items()}
    missing = {name: MISSING[name] for name, value in settled.items() if not value}
    if missing:
        said = {name: value for name, value in settled.items() if value}
        raise MistakeError(missing, said | {"channel": recording.channel, "channels": recording.channels})
    if settled["sampling_rate"] < LEAST_RATE:
        raise MistakeError(
            {"sampling_rate": f"the recording was sampled at {settled['sampling_rate']:,g} Hz, expected {LEAST_RATE:,} "
             "Hz or more: what lies above half the rate cannot be made up"}
        )  # fmt: skip
    if np.ptp(recording.signal) == 0:
        raise MistakeError({"file": CONSTANT.format(recording.signal[0])})
    return Stated(recording, settled["sampling_rate"], settled["rpm"], [*warnings, *recording.warnings])


def read_baseline(content: bytes, name: str, fields: Fields, present: Stated, limits: Limits) -> Stated:
    """Read a healthy recording; its own fields hold, else what its file says, else what holds for the present one.

    Where both files say the same, the word that overruled the present one overrules it here too.
    """
    try:
        recording = read_channel(content, name, fields.channel, limits)
        own, same = recording, present.recording
        own_rate = present.sampling_rate if own.sampling_rate == same.sampling_rate else own.sampling_rate
        own_rpm = present.rpm if own.rpm == same.rpm else own.rpm
        rate, rpm = fields.baseline_sampling_rate or own_rate, fields.baseline_rpm or own_rpm
        stated = state(recording, rate or present.sampling_rate, rpm or present.rpm)
    except MistakeError as error:
        raise MistakeError({"baseline": str(error)}) from error
    stated.name = name
    return stated


def read_channel(content: bytes, name: str, channel: str, limits: Limits) -> Recording:
    """Read the channel of that name, or the only one whatever its name."""
    try:
        return read(content, name, channel, limits)
    except MistakeError:
        recording = read(content, name, "", limits)
        if len(recording.channels) > 1:
            raise
        return recording


def diagnose(diagnosis: RecordingDiagnosis, stated: Stated, bearing: Bearing, baseline: list[Stated]) -> Diagnosis:
    healthy: Healthy | tuple = ()
    try:
        if baseline:
            healthy = describe_baseline([each.settled for each in baseline], bearing)
    except ValueError as error:
        raise MistakeError({"baseline": str(error)}) from error
    try:
        return diagnosis.diagnose(stated.settled, bearing, healthy)
    except ValueError as error:
        raise MistakeError({"file": str(error)}) from error


def cut_windows(stated: Stated) -> np.ndarray:
    return cut(normalise(stated.recording.signal), stated.sampling_rate)[1]


def describe(found: Diagnosis, evidence: Evidence) -> dict[str, Any]:
    agreement = {name: getattr(evidence, name) for name in ("verdict", "explanation", "band", "lines")}
    return {
        "prediction": found.prediction,
        "reason": found.reason,
        "probabilities": found.probabilities,
        "familiarity": found.familiarity,
        "agreement": agreement,
        "window_seconds": WINDOW_SECONDS,
        "windows": [vars(window) for window in found.windows],
    }


def describe_recording(name: str, stated: Stated, fields: Fields, bearing: Bearing) -> dict[str, Any]:
    recording = stated.recording
    return {
        "file": name,
        "channel": recording.channel,
        "channels": recording.channels,
        "samples": len(recording.signal),
        "seconds": len(recording.signal) / stated.sampling_rate,
        "sampling_rate": stated.sampling_rate,
        "rpm": stated.rpm,
        "from_file": {"sampling_rate": recording.sampling_rate, "rpm": recording.rpm},
        "bearing": fields.bearing,
        "orders": bearing.orders._asdict(),
    }


def describe_baseline_file(baseline: Stated) -> dict[str, Any]:
    seconds = len(baseline.recording.signal) / baseline.sampling_rate
    return {"file": baseline.name, "seconds": seconds, "sampling_rate": baseline.sampling_rate, "rpm": baseline.rpm}


def collect_warnings(stated: Stated, baseline: list[Stated], fields: Fields) -> list[str]:
    warnings = list(stated.warnings)
    if "bearing" not in fields.model_fields_set:
        warnings.append(f"no bearing was given: the lines are those of {fields.bearing}")
    warnings += filter(None, [find_contradiction(stated.recording.signal, stated.sampling_rate, stated.rpm)])
    for each in baseline:
        contradiction = find_contradiction(each.recording.signal, each.sampling_rate, each.rpm)
        warnings += [f"baseline {shown(each.name)}: {text}" for text in [*each.warnings, contradiction] if text]
    return warnings


def find_dissent(found: Diagnosis) -> list[str]:
    """Return a warning where many windows say otherwise than the whole: a fault may come and go, or the load change."""
    counts = Counter(window.prediction for window in found.windows)
    if len(found.windows) - counts[found.prediction] < DISSENT * max(len(found.windows), 1):
        return []
    said = ", ".join(f"{count} {label}" for label, count in counts.most_common())
    return [f"the windows disagree ({said}): look at them one by one"]


def plot(stated: Stated, windows: np.ndarray, evidence: Evidence) -> dict[str, Any]:
    signal = stated.recording.signal
    unit = float(np.abs(signal - signal.mean()).max())  # that windows are normalised to
    return {
        "waveform": series.waveform(signal, stated.sampling_rate, len(windows)),
        "spectrum": series.spectrum(windows, stated.sampling_rate, unit) if len(windows) else None,
        "envelope_spectrum": series.envelope_spectrum(evidence.spectra, evidence.spacing) if evidence.lines else None,
    }


def add_spectra(windows: list[dict], evidence: Evidence) -> list[dict]:
    return [
        window | {"envelope_spectrum": series.short(spectrum)}
        for window, spectrum in zip(windows, evidence.spectra, strict=False)
    ]


def plot_baseline(baseline: list[Stated], bearing: Bearing, evidence: Evidence) -> dict[str, Any]:
    """Return the spectra of the longest healthy recording, in the band of the evidence."""
    longest = max(baseline, key=lambda each: len(each.recording.signal) / each.sampling_rate)
    windows, shaft_rate = cut_windows(longest), longest.rpm / 60
    spectra = envelope_spectra(windows, longest.sampling_rate, highest_order(bearing.orders) * shaft_rate)
    spacing = longest.sampling_rate / windows.shape[1] / shaft_rate
    return {
        "spectrum": plot(longest, windows, evidence)["spectrum"],
        "envelope_spectrum": series.envelope_spectrum(spectra[BANDS.index(evidence.band)], spacing),
    }
