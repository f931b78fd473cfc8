"""What a worker computes of a recording of a machine's point: its indicators, and its diagnosis where it can."""

from base64 import b64encode
from dataclasses import replace

from api.files.limits import Limits
from api.recording.answer import MISSING, MistakeError, answer, read
from api.recording.fields import Fields
from api.recording.models import MeasuredAnswer, WorkerAnswer
from api.recording.protocol import File, PointHead
from model.machine.indicators import measure
from model.recording.diagnosis import RecordingDiagnosis


def measure_recording(
    diagnosis: RecordingDiagnosis, fields: Fields, file: File, point: PointHead, limits: Limits
) -> MeasuredAnswer:
    """Return what is kept of a file's recording. Raises MistakeError.

    What the form says holds, else what the file says, else what is known of the point.
    """
    name, content = file
    said = read(content, name, fields.channel, limits)
    rate = fields.sampling_rate or said.sampling_rate or point.sampling_rate
    rpm = fields.rpm or said.rpm or point.rpm
    if not rate:
        raise MistakeError({"sampling_rate": MISSING["sampling_rate"]})
    try:
        indicators = measure(replace(said, sampling_rate=rate, rpm=rpm), point.unit)
    except ValueError as error:
        raise MistakeError({"file": str(error)}) from error
    known = fields.model_copy(update={"sampling_rate": rate, "rpm": rpm, "series": False})
    found, reason = diagnose(diagnosis, known, file, limits) if point.diagnose else (None, "it was not asked for")
    return MeasuredAnswer(
        kept=b64encode(indicators.to_bytes()).decode(), diagnosis=found, why_none=reason, warnings=said.warnings
    )


def diagnose(
    diagnosis: RecordingDiagnosis, fields: Fields, file: File, limits: Limits
) -> tuple[WorkerAnswer | None, str]:  # fmt: skip
    """Return the diagnosis, or None and why there is none: a recording may be trended and too short to diagnose."""
    try:
        return answer(diagnosis, fields, [file], limits), ""
    except MistakeError as error:
        return None, str(error)
