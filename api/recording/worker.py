"""`python -m api.recording.worker LIMITS`: the process that reads uploads and diagnoses them one by one.

It alone imports scipy, and it alone parses what strangers upload: its memory, its processor time and its right to write
files are limited, and where it ends, the service starts another. api.recording.protocol says what it reads and writes.
"""

import os
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import scipy.io.wavfile  # noqa: F401 - now, before the memory is limited: the readers import it when they need it
from pydantic_core import to_json

from api.files.limits import MAX_CHANNELS, Limits
from api.recording.answer import MistakeError, answer_files
from api.recording.channels import ALL, answer_channels
from api.recording.fields import Fields, add_bearings
from api.recording.measured import measure_recording
from api.recording.models import WorkerAnswer
from api.recording.protocol import (
    READY,
    File,
    PointHead,
    Purpose,
    ReportHead,
    Response,
    WorkerLimits,
    read_request,
    write_response,
)
from api.recording.report.html import write_report
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.lines import RATE
from model.recording.recording import Recording

TOO_MUCH = "reading the file takes more memory than is allowed: send a shorter part"


def main() -> None:
    ignore_what_stops_the_service()
    limits = WorkerLimits.model_validate_json(sys.argv[1])
    limit_process(limits.memory)
    requests, responses = take_pipes()
    diagnosis = load_warm(Path(limits.diagnosis))
    if limits.bearings:
        add_bearings(Path(limits.bearings))
    responses.write(READY)
    responses.flush()
    while request := read_request(requests):
        limit_time(limits.seconds)
        response = respond(diagnosis, *request, Limits(limits.samples, limits.unpacked, MAX_CHANNELS))
        limit_time(0)  # none
        del request
        responses.write(write_response(response))
        responses.flush()


def ignore_what_stops_the_service() -> None:
    """Let the service end this process: systemd and a terminal signal it too, while a client waits for its response."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)


def limit_process(memory: int) -> None:
    """Allow so many bytes more than the imports took, no files, and no core dump of somebody's recording."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    most = pages * os.sysconf("SC_PAGESIZE") + memory
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(seconds: float) -> None:
    """Let the system end this process if it computes for longer; Python could not interrupt a parser's C code.

    From now on, not up to a total: RLIMIT_CPU counts ticks of the clock, which in a process of many short turns run
    ahead of its time.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return standard input and output for requests and responses; what a library prints goes to standard error."""
    responses = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, responses


def load_warm(path: Path) -> RecordingDiagnosis:
    """Return the diagnosis after a first use, which makes its tables and the first Fourier transforms."""
    diagnosis = RecordingDiagnosis.load(path)
    noise = np.random.default_rng(0).standard_normal(20_000)
    diagnosis.diagnose(Recording(noise, RATE, 1_800))
    return diagnosis


def respond(
    diagnosis: RecordingDiagnosis, fields: dict[str, Any], files: list[File], purpose: Purpose, limits: Limits
) -> Response:
    try:
        if isinstance(purpose, PointHead):
            found = measure_recording(diagnosis, Fields(**fields), files, purpose, limits)
        elif isinstance(purpose, ReportHead):
            found = answer_upload(diagnosis, Fields(**fields | {"series": True}), files, limits)
            return Response(200, write_report(found, purpose.provenance).encode())
        else:
            found = answer_upload(diagnosis, Fields(**fields), files, limits)
        return Response(200, found.model_dump_json(exclude_unset=True).encode())
    except MistakeError as error:
        return Response(422, describe_mistakes(error.mistakes, error.came))
    except MemoryError:
        return Response(422, describe_mistakes({"file": TOO_MUCH}))
    except Exception:
        return Response(500, to_json({"detail": "Internal Server Error"}), traceback.format_exc())


def answer_upload(diagnosis: RecordingDiagnosis, fields: Fields, files: list[File], limits: Limits) -> WorkerAnswer:
    answer = answer_channels if fields.channel == ALL else answer_files
    return answer(diagnosis, fields, files, limits)


def describe_mistakes(mistakes: dict[str, str], came: object = None) -> bytes:
    return to_json(
        {"detail": [{"type": "recording", "loc": ["body", name], "msg": text, "input": came}
                    for name, text in mistakes.items()]}
    )  # fmt: skip


if __name__ == "__main__":
    main()
