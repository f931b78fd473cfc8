"""What the service and a worker process say to each other, over the worker's standard input and output.

The service starts `python -m api.recording.worker` with its limits as one argument of JSON, and the worker writes READY
once it can answer. From then on the service sends one request at a time and the worker sends one response to each:

- a request is a line of JSON, RequestHead, and the bytes of its files one after the other;
- a response is a line of JSON, ResponseHead, and `size` bytes, the body for the client: JSON, or HTML for a report.

The worker ends when its input ends. Whatever else comes from it, the service kills it and starts another: a file that
overcame a parser could write anything.
"""

from typing import Any, BinaryIO, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

READY = b"ready\n"
MAX_LINE = 2**20  # bytes of a head
MAX_BODY = 2**26  # bytes of a response; the longest with all its plots has some 2 MB

File = tuple[str, bytes]  # name and content


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class WorkerLimits(Strict):
    """What a worker is started with."""

    diagnosis: str  # path of diagnosis.json
    bearings: str  # path of a person's own table of bearings, or empty
    memory: int  # bytes that it may take beyond its imports
    seconds: float  # of processor time for each request
    samples: int  # of the channel that is read
    unpacked: int  # bytes that a file may unpack to


class FileHead(Strict):
    name: str
    size: int = Field(ge=0)


class PointHead(Strict):
    """The machine's point that a recording belongs to: what holds where neither form nor file say otherwise."""

    unit: str
    sampling_rate: float | None
    rpm: float | None
    diagnose: bool  # whether a recording that is long enough is diagnosed too
    level: str = "learning"  # of the point before this recording; see api.recording.measured


class ReportHead(Strict):
    """A diagnosis is asked for as a page to hand on."""

    provenance: dict[str, str]  # of the models and the code, which the page names


Purpose = PointHead | ReportHead | None  # None: a diagnosis as JSON


class RequestHead(Strict):
    fields: dict[str, Any]  # of the form, as api.recording.fields.Fields takes them
    purpose: Purpose = None
    files: list[FileHead]  # the recording first; then its baseline, or a point's past as api.recording.past packed it


class ResponseHead(Strict):
    status: Literal[200, 422, 500]
    size: int = Field(ge=0, le=MAX_BODY)
    log: str  # for the service's log: a worker may not write there itself


class Response(NamedTuple):
    """An HTTP status, JSON or a page for the client, and what belongs into the service's log."""

    status: int
    body: bytes
    log: str = ""


def write_request(fields: dict[str, Any], files: list[File], purpose: Purpose = None) -> list[bytes]:
    """Return the parts of a request, none of the files copied."""
    heads = [FileHead(name=name, size=len(content)) for name, content in files]
    head = RequestHead(fields=fields, files=heads, purpose=purpose)
    return [head.model_dump_json().encode() + b"\n", *(content for _, content in files)]


def read_request(stream: BinaryIO) -> tuple[dict[str, Any], list[File], Purpose] | None:
    """Return the fields, files and purpose of the next request, or None where the service has ended."""
    line = stream.readline()
    if not line:
        return None
    head = RequestHead.model_validate_json(line)
    return head.fields, [(file.name, stream.read(file.size)) for file in head.files], head.purpose


def write_response(response: Response) -> bytes:
    log = make_encodable(response.log)
    head = ResponseHead(status=response.status, size=len(response.body), log=log)
    return head.model_dump_json().encode() + b"\n" + response.body


def make_encodable(text: str) -> str:
    """Return a text with ? for what UTF-8 cannot hold: surrogates, which a client's charset or a repr can bring."""
    return text.encode("utf-8", "replace").decode()
