"""The Open Inference Protocol v2, which KServe and Triton clients speak: health, metadata and inference."""

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable
from itertools import chain
from time import perf_counter
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Len
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, FailFast, StrictBool, StrictInt, ValidationError
from pydantic_core import to_json
from starlette.requests import ClientDisconnect

from api.serving.bodies import read_body
from api.serving.metrics import Metrics
from api.settings import settings
from api.window.predictor import Predictor
from api.window.reader import (
    InvalidRecordsError,
    TooManyRecordsError,
    check,
    describe,
    read_objects,
    refusal,
    shorten,
    taking_turns,
)

PREFIX, HEALTH = "/v2/", "/v2/health/"  # of the paths of this protocol, and of those that need no key
MODEL, VERSION = "bearing", "1"
PATH, VERSION_PATH = f"/models/{MODEL}", f"/models/{MODEL}/versions/{VERSION}"
MOST_RECORDS = settings.max_records
HEADER = "Inference-Header-Content-Length"
DATATYPES = {"FP32": "<f4", "FP64": "<f8", "INT16": "<i2", "INT32": "<i4"}
PLATFORMS = {"onnx": "onnxruntime_onnx", "torch": "pytorch_state_dict"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Parameters(BaseModel):
    """What a request, an input or an output may ask for; Triton's other forms of output are refused in words."""

    binary_data: StrictBool | None = None
    binary_data_output: StrictBool = False
    binary_data_size: StrictInt | None = None
    classification: None = None
    shared_memory_region: None = None


class RequestInput(BaseModel):
    name: Literal["records"]
    shape: Annotated[list[StrictInt], FailFast()]
    datatype: Literal["FP32", "FP64", "INT16", "INT32"]
    parameters: Parameters = Parameters()
    data: list[Any] | None = None


class RequestOutput(BaseModel):
    name: Literal["probabilities", "label"]
    parameters: Parameters = Parameters()


class InferRequest(BaseModel):
    """The JSON of a request; FailFast, because a million mistakes would become a million errors."""

    id: str | None = None
    parameters: Parameters = Parameters()
    inputs: Annotated[list[RequestInput], FailFast(), Len(1, 1)]
    outputs: Annotated[list[RequestOutput], FailFast(), Len(0, 2)] = []


class OpenInferenceRoute(APIRoute):
    """A route whose errors are `{"error": words}`, as the protocol has them."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:
        answer_request = super().get_route_handler()

        async def answer_or_refuse(request: Request) -> Response:
            try:
                return await answer_request(request)
            except HTTPException as error:
                return JSONResponse({"error": error.detail}, error.status_code, error.headers)

        return answer_or_refuse


STOPPING: dict[int | str, dict[str, Any]] = {503: {"description": "Starting or stopping"}}
router = APIRouter(prefix="/v2", route_class=OpenInferenceRoute, tags=["Open Inference Protocol v2"])


@router.get("")
async def server(request: Request) -> dict[str, Any]:
    """Tell what serves, and which extensions of the protocol it understands."""
    return {"name": "bearing-diagnosis", "version": request.app.version, "extensions": ["binary_tensor_data"]}


@router.get("/health/live")
async def live() -> dict[str, bool]:
    """Answer as long as the process does."""
    return {"live": True}


@router.get("/health/ready", responses=STOPPING)
async def ready(request: Request) -> dict[str, bool]:
    """Answer 200 from the moment the model is loaded until the service begins to stop."""
    if not request.app.state.ready:
        raise HTTPException(503, "stopping", headers={"Retry-After": "5"})
    return {"ready": True}


@router.get(f"{PATH}/ready", responses=STOPPING)
@router.get(f"{VERSION_PATH}/ready", include_in_schema=False)
async def model_ready(request: Request) -> dict[str, Any]:
    """Answer as /v2/health/ready does: there is one model."""
    return {"name": MODEL, **await ready(request)}


@router.get(PATH)
@router.get(VERSION_PATH, include_in_schema=False)
async def model(request: Request) -> dict[str, Any]:
    """Tell the names, types and shapes of the model's tensors, and the classes in the order of the probabilities."""
    predictor: Predictor = request.app.state.predictor
    return {
        "name": MODEL,
        "versions": [VERSION],
        "platform": PLATFORMS[predictor.backend.name],
        "inputs": [{"name": "records", "datatype": "FP32", "shape": [-1, predictor.window_length]}],
        "outputs": [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, len(predictor.classes)]},
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
        ],
        "parameters": {"classes": ",".join(predictor.classes)},  # the protocol's parameters know no arrays
    }


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "What came, where, and what was expected"},
    408: {"description": "The body did not come in time"},
    413: {"description": "Too large"},
    415: {"description": "Compressed"},
    503: {"description": "Too many requests at once; Retry-After says when to try again"},
}
BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object", "required": ["inputs"]}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


@router.post(f"{PATH}/infer", openapi_extra={"requestBody": BODY}, responses=REFUSALS)
@router.post(f"{VERSION_PATH}/infer", include_in_schema=False)
async def infer(request: Request) -> Response:
    """Diagnose windows of raw vibration that come and go as JSON or as binary tensors."""
    body, state = await read(request), request.app.state
    whole = perf_counter()

    def take_up() -> tuple[bytes, int | None]:
        state.metrics.time("queue", perf_counter() - whole)
        return answer_body(body, request.headers.get(HEADER), state.predictor, state.metrics)

    answer, split_at = await get_running_loop().run_in_executor(state.batch_predictor.workers, take_up)
    if split_at is None:
        return Response(answer, media_type="application/json")
    return Response(answer, headers={HEADER: str(split_at)}, media_type="application/octet-stream")


@router.api_route("", methods=METHODS, include_in_schema=False)
@router.api_route("/{path:path}", methods=METHODS, include_in_schema=False)
async def unknown(request: Request) -> None:
    """Refuse what is not served, in the protocol's form: another model, another version, another method."""
    what = ascii(f"{request.method} {request.url.path}")[1:-1][:120]
    raise HTTPException(404, f"{what} is not served: the only model is {MODEL!r}, its only version {VERSION!r}")


async def read(request: Request) -> bytes | bytearray:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415, "the request is compressed: send it as it is, without Content-Encoding")
    try:
        return await read_body(request.receive)
    except ClientDisconnect as error:
        raise HTTPException(400, "the request broke off") from error


def answer_body(
    body: bytes | bytearray, header: str | None, predictor: Predictor, metrics: Metrics
) -> tuple[bytes, int | None]:
    """Return the answer, and where its JSON ends if tensors follow it. Raises HTTPException in words."""
    start = perf_counter()
    try:
        request, records = read_question(body, header, predictor)
    finally:
        metrics.time("parse", perf_counter() - start)
    start = perf_counter()
    probabilities = predictor.predict(records)
    metrics.time("network", perf_counter() - start)
    metrics.batch.observe(len(records))
    metrics.watch(records)
    metrics.count("/v2/", predictor.classes, probabilities.argmax(axis=1))
    return write_answer(request, probabilities, predictor.classes)


def read_question(body: bytes | bytearray, header: str | None, predictor: Predictor) -> tuple[InferRequest, np.ndarray]:
    """Return what was asked for, and the records. Raises HTTPException in words."""
    try:
        head, tensor = split(body, header)
        with taking_turns(head):
            request = InferRequest.model_validate(read_objects(head))
            records = read_records(request.inputs[0], tensor, predictor.window_length)
            request.inputs[0].data = None  # objects of many times their size
        check(records, predictor.least_variation)
    except ValidationError as error:
        raise HTTPException(400, say(describe(error))) from None
    except InvalidRecordsError as error:
        raise HTTPException(400, say(error.mistake)) from None
    except TooManyRecordsError as error:
        raise HTTPException(413, str(error)) from None
    return request, records


def say(mistake: dict) -> str:
    place = ".".join(str(part) for part in mistake["loc"][1:])
    return f"{place or 'body'}: {mistake['msg']} (came: {mistake['input']})"


def split(body: bytes | bytearray, header: str | None) -> tuple[bytes | bytearray, memoryview]:
    """Return a request's JSON, and the bytes of the tensor behind it."""
    if header is None:
        return body, memoryview(b"")
    if not (header.isascii() and header.isdigit() and len(header) < 10 and int(header) <= len(body)):
        expected = f"{HEADER} should be how many of the body's {len(body)} bytes are JSON"
        raise refusal("header", [], expected, ascii(header))
    return body[: int(header)], memoryview(body)[int(header) :]


def read_records(tensor: RequestInput, raw: memoryview, window_length: int) -> np.ndarray:
    """Return float32 (records, window_length)."""
    count = tensor.shape[0] if len(tensor.shape) == 2 else 1
    if tensor.shape[-1:] != [window_length] or len(tensor.shape) > 2 or not 1 <= count <= MOST_RECORDS:
        expected = f"Shape should be [{window_length}] or [1 to {MOST_RECORDS}, {window_length}]"
        raise refusal("shape", ["inputs", 0, "shape"], expected, str(tensor.shape[:9]))
    size, dtype = tensor.parameters.binary_data_size, np.dtype(DATATYPES[tensor.datatype])
    if (size is None) == (tensor.data is None):
        raise refusal("data", ["inputs", 0], "Input should have data or else binary_data_size", "both or neither")
    needed = 0 if size is None else count * window_length * dtype.itemsize
    if (size or 0) != needed or len(raw) != needed:
        expected = f"{needed} bytes should be announced by binary_data_size and follow the JSON"
        raise refusal("binary_data", ["inputs", 0], expected, f"{size or 0} announced, {len(raw)} after the JSON")
    samples = np.frombuffer(raw, dtype) if size is not None else read_numbers(tensor.data, count, window_length, dtype)
    with np.errstate(over="ignore"):
        return np.require(samples.reshape(count, window_length), np.float32, ["C_CONTIGUOUS", "ALIGNED"])


def read_numbers(data: list, count: int, window_length: int, dtype: np.dtype) -> np.ndarray:
    """Return JSON's numbers, nested as the shape says or flat."""
    if data and isinstance(data[0], list):
        if len(data) != count or any(not isinstance(row, list) or len(row) != window_length for row in data):
            raise refusal("data", ["inputs", 0, "data"], f"Rows should be {count} of {window_length} numbers", "others")
        data = list(chain.from_iterable(data))
    if len(data) != count * window_length:
        raise refusal("data", ["inputs", 0, "data"], f"There should be {count * window_length} numbers", str(len(data)))
    if not set(map(type, data)) <= {int, float}:
        place = next(index for index, value in enumerate(data) if type(value) not in (int, float))
        raise refusal("data", ["inputs", 0, "data", place], "Input should be a valid number", str(shorten(data[place])))
    try:
        numbers = np.array(data, dtype=np.float64)
    except OverflowError:
        raise refusal("data", ["inputs", 0, "data"], "Numbers should be float64's", "a larger integer") from None
    if dtype.kind == "i" and (wrong := not_whole(numbers, dtype)).any():
        came = str(numbers[wrong][0])
        raise refusal("data", ["inputs", 0, "data"], f"Numbers should be integers of {dtype.itemsize} bytes", came)
    return numbers


def not_whole(numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return numbers.astype(dtype) != numbers


def write_answer(request: InferRequest, probabilities: np.ndarray, classes: list[str]) -> tuple[bytes, int | None]:
    """Return the answer, and where its JSON ends if tensors follow it."""
    labels = [classes[best] for best in probabilities.argmax(axis=1).tolist()]
    found = {
        "probabilities": ("FP32", list(probabilities.shape), probabilities.ravel()),
        "label": ("BYTES", [len(labels)], np.array(labels)),
    }
    outputs, tensors = [], []
    for wanted in request.outputs or [RequestOutput(name=name) for name in found]:
        datatype, shape, values = found[wanted.name]
        output = {"name": wanted.name, "datatype": datatype, "shape": shape}
        as_binary = wanted.parameters.binary_data
        if request.parameters.binary_data_output if as_binary is None else as_binary:
            tensors.append(to_binary(values))
            outputs.append(output | {"parameters": {"binary_data_size": len(tensors[-1])}})
        else:
            outputs.append(output | {"data": values.tolist()})
    named = {} if request.id is None else {"id": request.id}
    head = to_json({"model_name": MODEL, "model_version": VERSION, **named, "outputs": outputs})
    return b"".join([head, *tensors]), len(head) if tensors else None


def to_binary(values: np.ndarray) -> bytes:
    """Return numbers as little-endian FP32, texts as BYTES: each behind its length in four bytes."""
    if values.dtype.kind == "f":
        return values.astype("<f4").tobytes()
    texts = [text.encode() for text in values.tolist()]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)
