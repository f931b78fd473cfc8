"""The tensors of the Open Inference Protocol v2, as JSON or binary: requests to records, probabilities to responses."""

from itertools import chain
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from annotated_types import Len
from pydantic import BaseModel, FailFast, StrictBool, StrictInt, TypeAdapter
from pydantic_core import to_json

from api.settings import settings
from api.window.json_objects import in_turn, read_objects
from api.window.mistakes import conform, invalid, shorten
from api.window.reader import Body

MODEL, VERSION = "bearing", "1"
HEADER = "Inference-Header-Content-Length"
DATATYPES = {"FP32": "<f4", "FP64": "<f8", "INT16": "<i2", "INT32": "<i4"}


class Parameters(BaseModel):
    """What a request, an input or an output may ask for; Triton's other forms of output are refused."""

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
    """The JSON of a request. FailFast, because a million mistakes would make a million errors."""

    id: str | None = None
    parameters: Parameters = Parameters()
    inputs: Annotated[list[RequestInput], FailFast(), Len(1, 1)]
    outputs: Annotated[list[RequestOutput], FailFast(), Len(0, 2)] = []


INFER_REQUEST = TypeAdapter(InferRequest)


class InferAnswer(NamedTuple):
    """The body of a response, and where its JSON ends if binary tensors follow it."""

    body: bytes
    json_size: int | None


def read_request(body: Body, header: str | None, window_length: int) -> tuple[InferRequest, np.ndarray]:
    """Return the request and its records, float32 (records, window_length).

    header is the value of HEADER, None where it is missing. Raises InvalidRecordsError or TooManyRecordsError.
    """
    head, binary = split(body, header)
    with in_turn(head):
        request = conform(INFER_REQUEST, read_objects(head))
        records = read_records(request.inputs[0], binary, window_length)
        request.inputs[0].data = None  # objects of many times the records' size
    return request, records


def split(body: Body, header: str | None) -> tuple[Body, memoryview]:
    """Return the JSON of a request, and the bytes of the binary tensor behind it."""
    if header is None:
        return body, memoryview(b"")
    if not (header.isascii() and header.isdigit() and len(header) < 10 and int(header) <= len(body)):
        expected = f"{HEADER} should be how many of the body's {len(body)} bytes are JSON"
        raise invalid("header", [], expected, ascii(header))
    return body[: int(header)], memoryview(body)[int(header) :]


def read_records(tensor: RequestInput, binary: memoryview, window_length: int) -> np.ndarray:
    """Return the records of a tensor, float32 (records, window_length), from its numbers in JSON or its bytes."""
    count, dtype = check_shape(tensor, window_length), np.dtype(DATATYPES[tensor.datatype])
    check_size(tensor, binary, count * window_length * dtype.itemsize)
    if tensor.data is None:
        samples = np.frombuffer(binary, dtype)
    else:
        samples = read_numbers(tensor.data, count, window_length, dtype)
    with np.errstate(over="ignore"):
        return np.require(samples.reshape(count, window_length), np.float32, ["C_CONTIGUOUS", "ALIGNED"])


def check_shape(tensor: RequestInput, window_length: int) -> int:
    """Return the number of records that the shape announces. Raises InvalidRecordsError."""
    most = settings.max_records
    count = tensor.shape[0] if len(tensor.shape) == 2 else 1
    if tensor.shape[-1:] != [window_length] or len(tensor.shape) > 2 or not 1 <= count <= most:
        expected = f"Shape should be [{window_length}] or [1 to {most}, {window_length}]"
        raise invalid("shape", ["inputs", 0, "shape"], expected, str(tensor.shape[:9]))
    return count


def check_size(tensor: RequestInput, binary: memoryview, size: int) -> None:
    """Raise InvalidRecordsError unless the samples came either as JSON or as so many bytes behind it."""
    announced = tensor.parameters.binary_data_size
    if (announced is None) == (tensor.data is None):
        raise invalid("data", ["inputs", 0], "Input should have data or else binary_data_size", "both or neither")
    needed = 0 if announced is None else size
    if (announced or 0) != needed or len(binary) != needed:
        expected = f"{needed} bytes should be announced by binary_data_size and follow the JSON"
        came = f"{announced or 0} announced, {len(binary)} after the JSON"
        raise invalid("binary_data", ["inputs", 0], expected, came)


def read_numbers(data: list, count: int, window_length: int, dtype: np.dtype) -> np.ndarray:
    """Return JSON's numbers, nested as the shape says or flat, as float64 (count * window_length,)."""
    place: list[str | int] = ["inputs", 0, "data"]
    if data and isinstance(data[0], list):
        if len(data) != count or any(not isinstance(row, list) or len(row) != window_length for row in data):
            raise invalid("data", place, f"Rows should be {count} of {window_length} numbers", "others")
        data = list(chain.from_iterable(data))
    if len(data) != count * window_length:
        raise invalid("data", place, f"There should be {count * window_length} numbers", str(len(data)))
    if not set(map(type, data)) <= {int, float}:
        first = next(index for index, value in enumerate(data) if type(value) not in (int, float))
        raise invalid("data", [*place, first], "Input should be a valid number", str(shorten(data[first])))
    try:
        numbers = np.array(data, dtype=np.float64)
    except OverflowError:
        raise invalid("data", place, "Numbers should be float64's", "a larger integer") from None
    if dtype.kind == "i" and (wrong := not_whole(numbers, dtype)).any():
        expected = f"Numbers should be integers of {dtype.itemsize} bytes"
        raise invalid("data", place, expected, str(numbers[wrong][0]))
    return numbers


def not_whole(numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return which numbers the integer type does not hold."""
    with np.errstate(over="ignore", invalid="ignore"):
        return numbers.astype(dtype) != numbers


def write_answer(request: InferRequest, probabilities: np.ndarray, classes: list[str]) -> InferAnswer:
    """Return the outputs that the request asks for, of probabilities float32 (records, classes)."""
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
    return InferAnswer(b"".join([head, *tensors]), len(head) if tensors else None)


def to_binary(values: np.ndarray) -> bytes:
    """Return numbers as little-endian FP32, and strings as BYTES, each behind its length in four bytes."""
    if values.dtype.kind == "f":
        return values.astype("<f4").tobytes()
    texts = [text.encode() for text in values.tolist()]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)
