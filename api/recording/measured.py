"""What a worker computes of a recording of a machine's point: its indicators, and its diagnosis where it can."""

from base64 import b64encode
from dataclasses import replace

from api.files.limits import Limits
from api.recording.answer import MISSING, MistakeError, answer, read
from api.recording.fields import Fields, parse_bearing
from api.recording.models import MeasuredAnswer, WorkerAnswer
from api.recording.past import pack_healthy, unpack_healthy
from api.recording.protocol import File, PointHead
from model.bearings import Bearing
from model.machine.indicators import measure
from model.recording.baseline import Healthy
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.recording import Recording


def measure_recording(
    diagnosis: RecordingDiagnosis, fields: Fields, files: list[File], point: PointHead, limits: Limits
) -> MeasuredAnswer:
    """Return what is kept of a file's recording; the other files are the point's healthy past. Raises MistakeError.

    What the form says holds, else what the file says, else what is known of the point. The recording's file is taken
    out of the list, as answer_files does.
    """
    name, content = files.pop(0)
    said = read(content, name, fields.channel, limits)
    del content
    rate = fields.sampling_rate or said.sampling_rate or point.sampling_rate
    rpm = fields.rpm or said.rpm or point.rpm
    if not rate:
        raise MistakeError({"sampling_rate": MISSING["sampling_rate"]})
    recording = replace(said, sampling_rate=rate, rpm=rpm)
    if fields.unit and fields.unit != point.unit:
        raise MistakeError({"unit": f"{fields.unit} came, the point has {point.unit or 'no unit'}: change the point"})
    try:
        indicators = measure(recording, point.unit)
    except ValueError as error:
        raise MistakeError({"file": str(error)}) from error
    known = fields.model_copy(update={"sampling_rate": rate, "rpm": rpm, "series": False})
    past = unpack_healthy([packed for _, packed in files], diagnosis.thresholds)
    found, reason = diagnose(diagnosis, known, said, past, limits) if point.diagnose else (None, "it was not asked for")
    learned = None
    bearing = parse_bearing(fields.bearing)
    # Normal ones fill a past that is too short: those that a person named as learned may have come undiagnosed.
    is_healthy = point.level == "learning" or (point.level == "normal" and past is None)
    if found and is_healthy and isinstance(bearing, Bearing):  # an estimate's lines are not the same each time
        settled = replace(recording, rpm=found.recording.rpm)
        learned = pack_healthy(settled, bearing, diagnosis.thresholds)
    return MeasuredAnswer(
        kept=b64encode(indicators.to_bytes()).decode(),
        healthy=b64encode(learned).decode() if learned else "",
        diagnosis=found,
        why_none=reason,
        warnings=said.warnings,
    )


def diagnose(
    diagnosis: RecordingDiagnosis, fields: Fields, said: Recording, past: Healthy | None, limits: Limits
) -> tuple[WorkerAnswer | None, str]:  # fmt: skip
    """Return the diagnosis, or None and why there is none: a recording may be trended and too short to diagnose."""
    try:
        return answer(diagnosis, fields, said, [], limits, past), ""
    except MistakeError as error:
        return None, str(error)
