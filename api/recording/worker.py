"""`python -m api.recording.worker LIMITS`: the child process that reads uploads and diagnoses them one by one.

It alone imports scipy, and it alone meets what strangers upload: memory, processor time and the right to write files
are limited, and where it dies, another takes its place. A question is a line of JSON, {"fields", "files": [{"name",
"size"}, ...]}, and the files' bytes; an answer is a line of JSON, {"status", "size", "log"}, and as many bytes of JSON.
"""

import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import BinaryIO

import numpy as np
from pydantic_core import to_json

from api.recording.answer import MistakeError, answer
from api.recording.fields import Fields
from api.recording.process import READY
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.lines import LEAST_RATE
from model.recording.recording import Recording

TOO_MUCH = "reading the file takes more memory than is allowed: send a shorter part"


def main() -> None:
    ignore_what_stops_the_service()
    limits = json.loads(sys.argv[1])
    limit_process(limits["memory"])
    questions, answers = take_pipes()
    diagnosis = RecordingDiagnosis.load(Path(limits["diagnosis"]))
    noise = np.random.default_rng(0).standard_normal(20_000)
    diagnosis.diagnose(Recording(noise, LEAST_RATE, 1_800))  # warm: tables, first FFTs
    answers.write(READY)
    answers.flush()
    while line := questions.readline():
        question = json.loads(line)
        files = [(file["name"], questions.read(file["size"])) for file in question["files"]]
        limit_time(limits["seconds"])
        status, body, log = answer_question(diagnosis, question["fields"], files)
        limit_time(0)  # none
        del files
        answers.write(json.dumps({"status": status, "size": len(body), "log": log}).encode() + b"\n" + body)
        answers.flush()


def ignore_what_stops_the_service() -> None:
    """Leave the end to the parent: systemd and a terminal signal this process too, while its answer is waited for."""
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
    """Return standard input and output for questions and answers; what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, answers


def answer_question(
    diagnosis: RecordingDiagnosis, fields: dict, files: list[tuple[str, bytes]]
) -> tuple[int, bytes, str]:
    """Return HTTP status, JSON, and what belongs into the log: this process may not write even there."""
    try:
        return 200, to_json(answer(diagnosis, Fields(**fields), files), inf_nan_mode="null"), ""
    except MistakeError as error:
        return 422, describe_mistakes(error.mistakes, error.came), ""
    except MemoryError:
        return 422, describe_mistakes({"file": TOO_MUCH}), ""
    except Exception:
        return 500, to_json({"detail": "Internal Server Error"}), traceback.format_exc()


def describe_mistakes(mistakes: dict[str, str], came: object = None) -> bytes:
    return to_json(
        {"detail": [{"type": "recording", "loc": ["body", name], "msg": text, "input": came}
                    for name, text in mistakes.items()]}
    )  # fmt: skip


if __name__ == "__main__":
    main()
