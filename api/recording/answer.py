"""What is answered to an uploaded recording: its diagnosis, the evidence, what the file said, warnings and plots."""

from dataclasses import replace
from typing import Any

import numpy as np

from api.files import formats
from api.files.errors import UnreadableError, shown
from api.files.limits import Limits
from api.recording import plots
from api.recording.fields import Fields, describe_similar, parse_bearing
from api.recording.models import (
    AgreementAnswer,
    BaselineAnswer,
    LineAnswer,
    RecordingAnswer,
    WindowAnswer,
    WorkerAnswer,
)
from model.bearings import Bearing
from model.recording.baseline import BaselineError, Healthy
from model.recording.conclusion import Diagnosis
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.lines import LEAST_RATE, WINDOW_SECONDS
from model.recording.orders.evidence import Evidence
from model.recording.orders.shaft_check import find_contradiction
from model.recording.orders.shaft_speed import find_shaft_rate
from model.recording.recording import Recording
from model.recording.spectra import BANDS
from model.recording.thresholds import ShaftCheck, ShaftSpeed
from model.recording.windows import Analysis
from model.sizes import Estimate

CONSTANT = "every sample is {:g}: the sensor was off, or its channel is another one"
MISSING = {
    "sampling_rate": "the file does not say at what rate it was sampled: give sampling_rate in Hz",
    "rpm": "the file does not say how fast the shaft turned, and its own shaft lines are not clear enough: give rpm",
}
SAME = 2e-3  # a share by which two statements of a rate or speed may differ and still be the same


class MistakeError(ValueError):
    """What a caller can mend: fields and what was expected of each, and what the file said."""

    def __init__(self, mistakes: dict[str, str], came: object = None) -> None:
        super().__init__("; ".join(mistakes.values()))
        self.mistakes = mistakes
        self.came = came


def answer_files(
    diagnosis: RecordingDiagnosis, fields: Fields, files: list[tuple[str, bytes]], limits: Limits
) -> WorkerAnswer:
    """Return the answer to the files of a form, the recording first. Raises MistakeError.

    The recording's file is taken out of the list, so that its bytes do not stay in memory beside its samples.
    """
    name, content = files.pop(0)
    said = read(content, name, fields.channel, limits)
    del content
    return answer(diagnosis, fields, said, files, limits)


def answer(
    diagnosis: RecordingDiagnosis,
    fields: Fields,
    said: Recording,
    healthy: list[tuple[str, bytes]],
    limits: Limits,
    past: Healthy | None = None,
) -> WorkerAnswer:
    """Return the answer to a recording as its file says it is. Raises MistakeError.

    healthy are the files of its baseline, unless its past is known.
    """
    bearing = parse_bearing(fields.bearing)
    speeds = diagnosis.thresholds.shaft_speed
    recording = settle(said, fields.sampling_rate, fields.rpm, speeds)
    baseline = [read_baseline(content, name, fields, said, recording, limits, speeds) for name, content in healthy]
    found = diagnose(diagnosis, recording, bearing, past or baseline)
    warnings = collect_warnings(recording, baseline, fields, diagnosis.thresholds.shaft_check)
    return WorkerAnswer(
        prediction=found.prediction,
        reason=found.reason,
        probabilities=found.probabilities,
        familiarity=found.familiarity,
        speed_factor=round(found.speed_factor, 4),
        agreement=describe_evidence(found.evidence),
        window_seconds=WINDOW_SECONDS,
        windows=describe_windows(found, fields.series),
        recording=describe_recording(said, recording, fields, found.bearing, bearing),
        baseline=[describe_baseline_file(each) for each in baseline],
        warnings=[*warnings, *found.warnings, *find_similar(bearing)],
        series=plot(recording, found) if fields.series else {},
        baseline_series=plot_baseline(baseline, found) if fields.series else None,
    )


def read(content: bytes, name: str, channel: str, limits: Limits) -> Recording:
    try:
        return replace(formats.read(content, name, channel, limits), name=name)
    except UnreadableError as error:
        raise MistakeError({error.field: f"{shown(name)}: {error}"}) from error


def settle(said: Recording, sampling_rate: float | None, rpm: float | None, speeds: ShaftSpeed) -> Recording:
    """Settle rate and speed: what was given holds, else what the file says, else, of the speed, what its lines say."""
    warnings = []
    given = {"sampling_rate": (sampling_rate, said.sampling_rate, " Hz"), "rpm": (rpm, said.rpm, "")}
    for name, (stated, own, unit) in given.items():
        if stated and own and abs(stated / own - 1) > SAME:
            warnings.append(f"{name} {stated:,g}{unit} was given and holds; the file says {own:,g}{unit}")
    settled = {name: stated or own for name, (stated, own, _) in given.items()}
    if not settled["rpm"] and (found := find_rpm(said.signal, settled["sampling_rate"], speeds)):
        settled["rpm"] = found
        warnings.append(f"rpm was not given: the shaft's own lines say {found:,.0f} rpm")
    missing = {name: MISSING[name] for name, value in settled.items() if not value}
    if missing:
        known = {name: value for name, value in settled.items() if value}
        raise MistakeError(missing, known | {"channel": said.channel, "channels": said.channels})
    if settled["sampling_rate"] < LEAST_RATE:
        raise MistakeError(
            {"sampling_rate": f"the recording was sampled at {settled['sampling_rate']:,g} Hz, expected {LEAST_RATE:,} "
             "Hz or more: what lies above half the rate cannot be made up"}
        )  # fmt: skip
    if np.ptp(said.signal) == 0:
        raise MistakeError({"file": CONSTANT.format(said.signal[0])})
    return replace(said, **settled, warnings=(*warnings, *said.warnings))


def find_rpm(signal: np.ndarray, sampling_rate: float | None, speeds: ShaftSpeed) -> float | None:
    """Return the turns a minute that a signal's own lines say, or None where they are not clear enough."""
    if not sampling_rate or sampling_rate < LEAST_RATE:
        return None
    rate = find_shaft_rate(signal, sampling_rate, speeds)
    return rate and round(60 * rate, 1)  # it is known no closer


def read_baseline(
    content: bytes,
    name: str,
    fields: Fields,
    said: Recording,
    present: Recording,
    limits: Limits,
    speeds: ShaftSpeed,
) -> Recording:
    """Read a healthy recording; its own fields hold, else what its file says, else what holds for the present one.

    Where its file says the same as the present one's file said, what overruled that one overrules it here too. A speed
    that nobody gave and its file does not say is that of its own lines, before the present one's.
    """
    try:
        own = read_channel(content, name, fields.channel, limits)
        own_rate = present.sampling_rate if own.sampling_rate == said.sampling_rate else own.sampling_rate
        rate = fields.baseline_sampling_rate or own_rate or present.sampling_rate
        rpm = fields.baseline_rpm or (present.rpm if own.rpm == said.rpm else own.rpm)
        given = fields.baseline_rpm or fields.rpm or own.rpm
        found = None if given else find_rpm(own.signal, rate, speeds)
        return settle(own, rate, found or rpm or present.rpm, speeds)
    except MistakeError as error:
        raise MistakeError({"baseline": str(error)}) from error


def read_channel(content: bytes, name: str, channel: str, limits: Limits) -> Recording:
    """Read the channel of that name, or the only one whatever its name."""
    try:
        return read(content, name, channel, limits)
    except MistakeError:
        recording = read(content, name, "", limits)
        if len(recording.channels) > 1:
            raise
        return recording


def diagnose(
    diagnosis: RecordingDiagnosis, recording: Recording, bearing: Bearing | Estimate, past: Healthy | list[Recording]
) -> Diagnosis:
    try:
        return diagnosis.diagnose(recording, bearing, past)
    except BaselineError as error:
        raise MistakeError({"baseline": str(error)}) from error
    except ValueError as error:
        raise MistakeError({"file": str(error)}) from error


def describe_evidence(evidence: Evidence) -> AgreementAnswer:
    return AgreementAnswer(
        verdict=evidence.verdict,
        explanation=evidence.explanation,
        band=evidence.band,
        lines=[LineAnswer(**vars(line)) for line in evidence.lines],
    )


def describe_windows(found: Diagnosis, series: bool) -> list[WindowAnswer]:
    """Return each window's answer, with its envelope spectrum where that is asked for."""
    if not series:
        return [WindowAnswer(**vars(window)) for window in found.windows]
    spectra = drawn_spectra(found) if found.windows else []  # an unknown recording has spectra and no windows
    return [
        WindowAnswer(**vars(window), envelope_spectrum=plots.short(spectrum))
        for window, spectrum in zip(found.windows, spectra, strict=True)
    ]


def drawn_spectra(found: Diagnosis) -> np.ndarray:
    """Return the envelope spectra (windows, bins) in the band that shows the lines best."""
    return found.analysis.envelope_spectra[BANDS.index(found.evidence.band)]


def describe_recording(
    said: Recording, recording: Recording, fields: Fields, bearing: Bearing, given: Bearing | Estimate
) -> RecordingAnswer:
    return RecordingAnswer(
        file=recording.name,
        channel=recording.channel,
        channels=recording.channels,
        samples=len(recording.signal),
        seconds=recording.seconds,
        sampling_rate=recording.sampling_rate,
        rpm=recording.rpm,
        from_file={"sampling_rate": said.sampling_rate, "rpm": said.rpm},
        bearing=fields.bearing,
        unit=fields.unit or said.unit,
        taken_at=said.taken_at,
        orders=bearing.orders._asdict(),
        order_ranges=given.ranges if isinstance(given, Estimate) else None,
    )


def describe_baseline_file(each: Recording) -> BaselineAnswer:
    return BaselineAnswer(file=each.name, seconds=each.seconds, sampling_rate=each.sampling_rate, rpm=each.rpm)


def collect_warnings(recording: Recording, baseline: list[Recording], fields: Fields, limits: ShaftCheck) -> list[str]:
    warnings = list(recording.warnings)
    if "bearing" not in fields.model_fields_set:
        warnings.append(f"no bearing was given: the lines are those of {fields.bearing}")
    if fields.unit and recording.unit and fields.unit != recording.unit:
        warnings.append(f"unit {fields.unit} was given and holds; the file says {recording.unit}")
    warnings += filter(None, [find_contradiction(recording, limits)])
    for each in baseline:
        contradiction = find_contradiction(each, limits)
        warnings += [f"baseline {shown(each.name)}: {text}" for text in [*each.warnings, contradiction] if text]
    return warnings


def find_similar(bearing: Bearing | Estimate) -> list[str]:
    similar = describe_similar(bearing.size) if isinstance(bearing, Estimate) else ""
    return [similar] if similar else []


def plot(recording: Recording, found: Diagnosis) -> dict[str, Any]:
    windows, shaft_rate = len(found.analysis.starts), recording.rpm * found.speed_factor / 60
    return {
        "waveform": plots.waveform(recording.signal, recording.sampling_rate, windows),
        "spectrum": plot_spectrum(recording, found.analysis) if windows else None,
        "envelope_spectrum": plots.envelope_spectrum(drawn_spectra(found), found.analysis.spacing / shaft_rate)
        if found.evidence.lines and found.resolved
        else None,
    }


def plot_spectrum(recording: Recording, analysis: Analysis) -> dict[str, Any]:
    unit = float(np.abs(recording.signal - recording.signal.mean()).max())  # that signals are divided by for analysis
    return plots.spectrum(unit * analysis.spectrum, recording.sampling_rate)


def plot_baseline(baseline: list[Recording], found: Diagnosis) -> dict[str, Any] | None:
    """Return the spectra of the longest healthy recording, in the band of the evidence; None where there is none."""
    past = found.healthy
    if past is None or not found.evidence.lines or not found.resolved:
        return None
    longest = max(range(len(baseline)), key=lambda number: baseline[number].seconds)
    analysis, rpm = past.analyses[longest], past.levels[longest].rpm
    spectra = analysis.envelope_spectra[BANDS.index(found.evidence.band)]
    return {
        "spectrum": plot_spectrum(baseline[longest], analysis),
        "envelope_spectrum": plots.envelope_spectrum(spectra, analysis.spacing / (rpm / 60)),
    }
