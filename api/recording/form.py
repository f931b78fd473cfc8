"""The form of an upload: its fields and its files, kept in memory and bounded."""

from collections.abc import AsyncGenerator

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.recording.fields import Fields
from api.recording.pool import refuse
from api.recording.protocol import File, make_encodable
from api.serving.bodies import read_body
from api.settings import settings

NPY = "application/x-npy"


class InMemoryParser(MultiPartParser):
    """Keeps files in memory: they are bounded, and nothing of them is left on a disk."""

    spool_max_size = 2**40

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes]) -> None:
        super().__init__(
            headers, self.check_end(stream), max_files=settings.max_upload_files, max_fields=settings.max_upload_fields
        )
        self.is_whole = False

    def on_end(self) -> None:
        self.is_whole = True

    async def check_end(self, stream: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Yield the stream's parts. Raises MultiPartException at its end, where the form's last part would be lost."""
        async for part in stream:
            yield part
        if not self.is_whole:
            raise MultiPartException("it is cut short, its last boundary is missing")


Form = tuple[Fields, list[File], dict[str, str]]


async def read_request(request: Request, own: tuple[str, ...] = ()) -> Form:
    """Return fields, files and the endpoint's own fields, which the worker does not need.

    Of the files the recording comes first, its baseline after it. Raises RequestValidationError.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == NPY:
        fields, others = split_fields(dict(request.query_params), own)
        return fields, [("body.npy", await read_body(request.receive))], others
    if media_type == "multipart/form-data":
        return await read_form(request, own)
    expected = f"Content-Type should be multipart/form-data or {NPY}"
    mistake = {"type": "content_type", "loc": ["header", "content-type"], "msg": expected}
    raise RequestValidationError([mistake | {"input": media_type[:80] or None}])


async def read_form(request: Request, own: tuple[str, ...]) -> Form:
    try:
        form = await InMemoryParser(request.headers, request.stream()).parse()
    except MultiPartException as error:
        raise refuse("file", f"the form cannot be read: {error.message}") from error
    except UnicodeError as error:
        raise refuse("file", "the form cannot be read: its texts are not in the charset that it names") from error
    try:
        fields, files = await sort_form(form)
    finally:
        await form.close()
    if len(files["file"]) != 1:
        raise refuse("file", f"{len(files['file'])} files came as file, expected one recording")
    checked, others = split_fields(dict(request.query_params) | fields, own)
    return checked, files["file"] + files["baseline"], others


async def sort_form(form: FormData) -> tuple[dict[str, str], dict[str, list[File]]]:
    """Return a form's fields, and names and contents of its files; every text can be written as UTF-8."""
    fields: dict[str, str] = {}
    files: dict[str, list[File]] = {"file": [], "baseline": []}
    for key, value in form.multi_items():
        name = make_encodable(key)
        if not isinstance(value, UploadFile):
            fields[name] = make_encodable(value)
        elif name not in files:
            raise refuse(name[:80], "is a file, expected the files file and baseline")
        elif value.filename or value.size:  # a browser sends an empty one where none was chosen
            files[name].append((make_encodable(value.filename or name), await value.read()))
    return fields, files


def split_fields(fields: dict[str, str], own: tuple[str, ...]) -> tuple[Fields, dict[str, str]]:
    """Return the fields that the worker needs, checked, and those of the endpoint's own."""
    others = {name: value for name, value in fields.items() if name in own and value.strip()}
    return check_fields({name: value for name, value in fields.items() if name not in own}), others


def check_fields(fields: dict[str, str]) -> Fields:
    try:
        return Fields(**{name: value for name, value in fields.items() if value.strip()})  # a form sends empty ones
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False)
        raise RequestValidationError(
            [
                m
                | {"loc": ("body", *m["loc"]), "msg": m["msg"].removeprefix("Value error, ")[:400]}
                | {"input": str(m["input"])[:80]}
                for m in mistakes
            ]
        ) from error
