"""`POST /diagnose/`: from an uploaded file to the answer of a child process."""

import asyncio
import os
from collections.abc import AsyncGenerator
from json import dumps
from pathlib import Path
from time import perf_counter

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from api.child import Child, DiedError
from api.fields import Fields

PATH = "/diagnose/"
MOST_BYTES = int(os.environ.get("MAX_UPLOAD", "32000000"))
FORM_BYTES = 100_000  # what may surround the files in a form
MOST_FILES, MOST_FIELDS = 9, 20  # the recording and its baseline
MOST_WAITING = 8  # questions; each holds its files in memory
MEMORY = 256 * 2**20  # bytes beyond the imports
COMPUTING = 10  # s of processor time
TIMEOUT = 60.0  # s, the wait for others included
NPY = "application/x-npy"
RECORDING = {"type": "string", "format": "binary"}
BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": RECORDING
                    | {"description": f".mat, .csv, .txt, .wav, .npy or gzipped text, {MOST_BYTES:,} bytes in all"},
                    "baseline": {
                        "type": "array",
                        "items": RECORDING,
                        "description": "recordings of the same machine when it was healthy, 10 s or more",
                    },
                }
                | Fields.model_json_schema()["properties"],
            }
        },
        NPY: {"schema": RECORDING},
    },
}


class InMemoryParser(MultiPartParser):
    """Keeps files in memory: they are bounded by MOST_BYTES, and nothing of them is left on a disk."""

    spool_max_size = MOST_BYTES


class Diagnosers:
    """The children that answer, each one question at a time."""

    def __init__(self, diagnosis: Path, number: int) -> None:
        limits = {"diagnosis": str(diagnosis.resolve()), "memory": MEMORY, "seconds": COMPUTING}
        self.children = [Child("api.diagnoser", limits) for _ in range(number)]
        self.idle: asyncio.Queue[Child] = asyncio.Queue()
        self.inside = 0

    async def start(self) -> None:
        for child in self.children:
            await child.start()
            self.idle.put_nowait(child)

    async def stop(self) -> None:
        for child in self.children:
            await child.stop()

    async def ask(self, fields: Fields, files: list[tuple[str, bytes]]) -> tuple[int, bytes]:
        """Return HTTP status and JSON. Raises HTTPException where the answer is not to be had now, or not at all."""
        try:
            async with asyncio.timeout(TIMEOUT):
                child = await self.idle.get()
        except TimeoutError as error:
            raise busy() from error
        try:
            return await child.ask(fields.model_dump(exclude_unset=True), files, TIMEOUT)
        except DiedError as error:
            limits = f"{COMPUTING} s of computing or {MEMORY // 2**20} MB"
            raise refuse("file", f"reading the file broke off: it is damaged or takes more than {limits}") from error
        except TimeoutError as error:
            raise busy() from error
        finally:
            self.idle.put_nowait(child)


async def answer_upload(request: Request) -> tuple[int, bytes]:
    """Return HTTP status and JSON for a request to PATH."""
    diagnosers: Diagnosers = request.app.state.diagnosers
    if diagnosers is None:
        raise HTTPException(503, "diagnosis.json is not among the assets: run `dvc repro diagnosis`, then `service`")
    if diagnosers.inside >= MOST_WAITING:
        raise busy()
    diagnosers.inside += 1
    try:
        fields, files = await read_request(request)
        start = perf_counter()
        status, answer = await diagnosers.ask(fields, files)
    finally:
        diagnosers.inside -= 1
    if status != 200:
        return status, answer
    milliseconds = 1000 * (perf_counter() - start)
    return status, finish(answer, milliseconds, request.app.state.model.versions)


def finish(answer: bytes, milliseconds: float, provenance: dict[str, str]) -> bytes:
    return b'%b,"execution_time_ms":%.3f,"provenance":%b}' % (answer[:-1], milliseconds, dumps(provenance).encode())


async def read_request(request: Request) -> tuple[Fields, list[tuple[str, bytes]]]:
    """Return fields and files, the recording first, the baseline after it. Raises RequestValidationError."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if media_type == NPY:
            body = b"".join([chunk async for chunk in read_body(request)])
            return check_fields(dict(request.query_params)), [("body.npy", body)]
        if media_type == "multipart/form-data":
            return await read_form(request)
    except ClientDisconnect as error:
        raise HTTPException(400, "the upload broke off") from error
    expected = f"Content-Type should be multipart/form-data or {NPY}"
    mistake = {"type": "content_type", "loc": ["header", "content-type"], "msg": expected}
    raise RequestValidationError([mistake | {"input": media_type[:80] or None}])


async def read_body(request: Request) -> AsyncGenerator[bytes]:
    """Yield the body's parts, up to MOST_BYTES and what surrounds files in a form."""
    announced, came = request.headers.get("content-length", ""), 0
    most = MOST_BYTES + FORM_BYTES
    async for chunk in request.stream():
        came += len(chunk)
        if came > most or (announced.isdecimal() and int(announced) > most):
            raise HTTPException(413, f"the upload is too large, expected {MOST_BYTES:,} bytes at most")
        yield chunk


async def read_form(request: Request) -> tuple[Fields, list[tuple[str, bytes]]]:
    try:
        parser = InMemoryParser(request.headers, read_body(request), max_files=MOST_FILES, max_fields=MOST_FIELDS)
        form = await parser.parse()
    except MultiPartException as error:
        raise refuse("file", f"the form cannot be read: {error.message}") from error
    try:
        fields, files = await sort_form(form)
    finally:
        await form.close()
    if len(files["file"]) != 1:
        raise refuse("file", f"{len(files['file'])} files came as file, expected one recording")
    return check_fields(dict(request.query_params) | fields), files["file"] + files["baseline"]


async def sort_form(form: FormData) -> tuple[dict[str, str], dict[str, list[tuple[str, bytes]]]]:
    """Return a form's fields, and names and contents of its files."""
    fields: dict[str, str] = {}
    files: dict[str, list[tuple[str, bytes]]] = {"file": [], "baseline": []}
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            fields[name] = value
        elif name not in files:
            raise refuse(name[:80], "is a file, expected the files file and baseline")
        elif value.filename or value.size:  # a browser sends an empty one where none was chosen
            files[name].append((value.filename or name, await value.read()))
    return fields, files


def check_fields(fields: dict[str, str]) -> Fields:
    try:
        return Fields(**{name: value for name, value in fields.items() if value.strip()})  # a form sends empty ones
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False)
        raise RequestValidationError(
            [m | {"loc": ("body", *m["loc"]), "msg": m["msg"].removeprefix("Value error, ")} for m in mistakes]
        ) from error


def refuse(field: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": "recording", "loc": ["body", field], "msg": message, "input": None}])


def busy() -> HTTPException:
    return HTTPException(503, "too many recordings at once: try again", headers={"Retry-After": "1"})
