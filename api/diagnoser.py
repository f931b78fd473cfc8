"""The child process that reads uploads and diagnoses them, one after the other: `python -m api.diagnoser LIMITS`.

It alone imports scipy, and it alone meets what strangers upload: memory, processor time and the right to write files
are limited, and where it dies, another takes its place. A question is a line of JSON, {"fields", "files": [{"name",
"size"}, ...]}, and the files' bytes; an answer is a line of JSON, {"status", "size"}, and as many bytes of JSON.
"""

import json
import os
import resource
import sys
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any, BinaryIO

import numpy as np
from pydantic_core import to_json

from api import series
from api.fields import Fields, parse_bearing
from api.recording_files import Recording, UnreadableError, read_recording
from model.bearings import Bearing
from model.diagnosis import Diagnosis, Healthy, RecordingDiagnosis, cut, describe_baseline, normalise
from model.evidence import Evidence, envelope_spectra, highest_order, weigh
from model.order_lines import BANDS, LEAST_RATE, WINDOW_SECONDS
from model.shaft_check import find_contradiction

TOO_MUCH = "reading the file takes more memory than is allowed: send a shorter part"
CONSTANT = "every sample is {:g}: the sensor was off, or its channel is another one"
DISSENT = 0.25  # of the windows
SAME = 2e-3  # a share by which two statements of a rate or speed may differ and still be the same


@dataclass
class Stated:
    """A recording with the rate (Hz) and speed (rpm) that hold for it."""

    recording: Recording
    sampling_rate: float
    rpm: float
    warnings: list[str]


class MistakeError(ValueError):
    """What a caller can mend: fields and what was expected of each, and what the file said."""

    def __init__(self, mistakes: dict[str, str], came: object = None) -> None:
        super().__init__("; ".join(mistakes.values()))
        self.mistakes = mistakes
        self.came = came


def main() -> None:
    limits = json.loads(sys.argv[1])
    limit_process(limits["memory"])
    questions, answers = take_pipes()
    diagnosis = RecordingDiagnosis.load(Path(limits["diagnosis"]))
    diagnosis.diagnose(np.random.default_rng(0).standard_normal(20_000), LEAST_RATE, 1_800)  # warm: tables, first FFTs
    answers.write(b"ready\n")
    answers.flush()
    while line := questions.readline():
        question = json.loads(line)
        files = [(file["name"], questions.read(file["size"])) for file in question["files"]]
        limit_time(limits["seconds"])
        status, answer = answer_question(diagnosis, question["fields"], files)
        del files
        answers.write(json.dumps({"status": status, "size": len(answer)}).encode() + b"\n" + answer)
        answers.flush()


def limit_process(memory: int) -> None:
    """Allow so many bytes more than the imports took, no files, and no core dump of somebody's recording."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    most = pages * os.sysconf("SC_PAGESIZE") + memory
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(seconds: int) -> None:
    """Let the system end this process if it computes for longer; Python could not interrupt a parser's C code."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(process_time()) + 1 + seconds, resource.RLIM_INFINITY))


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return standard input and output for questions and answers; what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, answers


def answer_question(diagnosis: RecordingDiagnosis, fields: dict, files: list[tuple[str, bytes]]) -> tuple[int, bytes]:
    """Return HTTP status and JSON."""
    try:
        return 200, to_json(answer(diagnosis, Fields(**fields), files), inf_nan_mode="null")
    except MistakeError as error:
        return 422, describe_mistakes(error.mistakes, error.came)
    except MemoryError:
        return 422, describe_mistakes({"file": TOO_MUCH})
    except Exception:
        traceback.print_exc()
        return 500, to_json({"detail": "Internal Server Error"})


def describe_mistakes(mistakes: dict[str, str], came: object = None) -> bytes:
    return to_json(
        {"detail": [{"type": "recording", "loc": ["body", name], "msg": text, "input": came}
                    for name, text in mistakes.items()]}
    )  # fmt: skip


def answer(diagnosis: RecordingDiagnosis, fields: Fields, files: list[tuple[str, bytes]]) -> dict[str, Any]:
    (name, content), *healthy = files
    bearing = parse_bearing(fields.bearing)
    stated = state(read(content, name, fields.channel, "file"), fields.sampling_rate, fields.rpm)
    baseline = [read_baseline(content, name, fields, stated) for name, content in healthy]
    found = diagnose(diagnosis, stated, bearing, baseline)
    windows = cut_windows(stated)
    evidence = weigh(windows, stated.sampling_rate, stated.rpm / 60, bearing.orders, found.prediction)
    result = describe(found, evidence) | {
        "recording": describe_recording(name, stated, fields, bearing),
        "warnings": [*collect_warnings(stated, baseline, fields), *found.warnings, *find_dissent(found)],
        "series": plot(stated, windows, evidence) if fields.series else {},
        "baseline_series": plot_baseline(baseline, bearing, evidence) if baseline and fields.series else None,
    }
    if fields.series:
        result["windows"] = add_spectra(result["windows"], evidence)
    return result


def read(content: bytes, name: str, channel: str, field: str) -> Recording:
    try:
        return read_recording(content, name, channel)
    except UnreadableError as error:
        text = str(error) if error.field == "file" and name[:20] in str(error) else f"{name[:80]}: {error}"
        raise MistakeError({field if field == "baseline" or error.field == "file" else error.field: text}) from error


def state(recording: Recording, sampling_rate: float | None, rpm: float | None) -> Stated:
    """Settle rate and speed: what was given holds, else what the file says, else somebody has to say it."""
    warnings = []
    given = {"sampling_rate": (sampling_rate, recording.sampling_rate, "Hz"), "rpm": (rpm, recording.rpm, "rpm")}
    for name, (stated, own, unit) in given.items():
        if stated and own and abs(stated / own - 1) > SAME:
            warnings.append(f"{name} {stated:,g} {unit} was given and holds; the file says {own:,g} {unit}")
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
    return Stated(recording, settled["sampling_rate"], settled["rpm"], warnings + recording.warnings)


MISSING = {
    "sampling_rate": "the file does not say at what rate it was sampled: give sampling_rate in Hz",
    "rpm": "the file does not say how fast the shaft turned: give rpm",
}


def read_baseline(content: bytes, name: str, fields: Fields, present: Stated) -> Stated:
    """Read a healthy recording; where neither its file nor a field says its rate or speed, the present ones hold."""
    recording = read(content, name, fields.channel, "baseline")
    rate = fields.baseline_sampling_rate or recording.sampling_rate or present.sampling_rate
    try:
        stated = state(recording, rate, fields.baseline_rpm or recording.rpm or present.rpm)
    except MistakeError as error:
        raise MistakeError({"baseline": f"{name[:80]}: {error}"}) from error
    stated.warnings = [f"baseline {name}: {warning}" for warning in stated.warnings]
    return stated


def diagnose(diagnosis: RecordingDiagnosis, stated: Stated, bearing: Bearing, baseline: list[Stated]) -> Diagnosis:
    healthy: Healthy | tuple = ()
    try:
        if baseline:
            healthy = describe_baseline(tuple((b.recording.signal, b.sampling_rate, b.rpm) for b in baseline), bearing)
    except ValueError as error:
        raise MistakeError({"baseline": str(error)}) from error
    try:
        return diagnosis.diagnose(stated.recording.signal, stated.sampling_rate, stated.rpm, bearing, healthy)
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


def collect_warnings(stated: Stated, baseline: list[Stated], fields: Fields) -> list[str]:
    warnings = list(stated.warnings)
    if "bearing" not in fields.model_fields_set:
        warnings.append(f"no bearing was given: the lines are those of {fields.bearing}")
    for each in [stated, *baseline]:
        contradiction = find_contradiction(each.recording.signal, each.sampling_rate, each.rpm)
        if contradiction:
            warnings.append(contradiction if each is stated else f"baseline: {contradiction}")
    return [*warnings, *(warning for each in baseline for warning in each.warnings)]


def find_dissent(found: Diagnosis) -> list[str]:
    """Return a warning where many windows say otherwise than the whole: a fault may come and go, or the load change."""
    counts = Counter(window.prediction for window in found.windows if window.prediction != found.prediction)
    if not counts or counts.most_common(1)[0][1] < DISSENT * len(found.windows):
        return []
    label, count = counts.most_common(1)[0]
    return [f"the windows disagree: {count} of {len(found.windows)} say {label}; look at them one by one"]


def plot(stated: Stated, windows: np.ndarray, evidence: Evidence) -> dict[str, Any]:
    signal = stated.recording.signal
    unit = float(np.ptp(signal) / np.ptp(windows)) if len(windows) else 0.0
    return {
        "waveform": series.waveform(signal, stated.sampling_rate, len(windows)),
        "spectrum": series.spectrum(windows, stated.sampling_rate, unit) if len(windows) else None,
        "envelope_spectrum": series.envelope_spectrum(evidence.spectra, evidence.spacing) if len(windows) else None,
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


if __name__ == "__main__":
    main()
