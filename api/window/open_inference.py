"""The routes of the Open Inference Protocol v2, which KServe and Triton clients speak: health, metadata, inference."""

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import perf_counter
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from api.serving.bodies import read_body
from api.serving.errors import error_content
from api.window.checks import check
from api.window.inference import Inference
from api.window.mistakes import InvalidRecordsError, TooManyRecordsError
from api.window.reader import Body
from api.window.tensors import HEADER, MODEL, VERSION, InferAnswer, read_request, write_answer

PREFIX, HEALTH = "/v2/", "/v2/health/"  # of the protocol's paths, and of those that need no key
PATH, VERSION_PATH = f"/models/{MODEL}", f"/models/{MODEL}/versions/{VERSION}"
PLATFORMS = {"onnx": "onnxruntime_onnx", "torch": "pytorch_state_dict"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object", "required": ["inputs"]}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}
STOPPING: dict[int | str, dict[str, Any]] = {503: {"description": "Starting or stopping"}}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "What came, where, and what was expected"},
    408: {"description": "The body did not arrive in time"},
    413: {"description": "Too large"},
    415: {"description": "Compressed"},
    503: {"description": "Too many requests at once; Retry-After says when to try again"},
}


class OpenInferenceRoute(APIRoute):
    """A route whose errors are `{"error": message}`, as the protocol has them."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:
        answer = super().get_route_handler()

        async def answer_or_refuse(request: Request) -> Response:
            try:
                return await answer(request)
            except HTTPException as error:
                return refuse(error.status_code, error.detail, error.headers)
            except InvalidRecordsError as error:
                return refuse(400, say(error.mistake))
            except TooManyRecordsError as error:
                return refuse(413, str(error))

        return answer_or_refuse


def refuse(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(error_content(PREFIX, detail), status, headers)


def say(mistake: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in mistake["loc"][1:])
    return f"{place or 'body'}: {mistake['msg']} (came: {mistake['input']})"


router = APIRouter(prefix=PREFIX.rstrip("/"), route_class=OpenInferenceRoute, tags=["Open Inference Protocol v2"])


@router.get("")
async def server(request: Request) -> dict[str, Any]:
    """Tell the name and version of the server, and the protocol's extensions that it supports."""
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
    inference: Inference = request.app.state.inference
    predictor = inference.predictor
    return {
        "name": MODEL,
        "versions": [VERSION],
        "platform": PLATFORMS[predictor.backend.name],
        "inputs": [{"name": "records", "datatype": "FP32", "shape": [-1, predictor.window_length]}],
        "outputs": [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, len(predictor.classes)]},
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
        ],
        "parameters": {"classes": ",".join(predictor.classes)},  # the protocol's parameters hold no arrays
    }


@router.post(f"{PATH}/infer", openapi_extra={"requestBody": BODY}, responses=ERRORS)
@router.post(f"{VERSION_PATH}/infer", include_in_schema=False)
async def infer(request: Request) -> Response:
    """Diagnose windows of raw vibration; they come, and the answers go, as JSON or as binary tensors."""
    body, state = await read(request), request.app.state
    compute = partial(answer_body, body, request.headers.get(HEADER), state.inference, perf_counter())
    answer = await get_running_loop().run_in_executor(state.workers, compute)
    if answer.json_size is None:
        return Response(answer.body, media_type="application/json")
    return Response(answer.body, headers={HEADER: str(answer.json_size)}, media_type="application/octet-stream")


@router.api_route("", methods=METHODS, include_in_schema=False)
@router.api_route("/{path:path}", methods=METHODS, include_in_schema=False)
async def unknown(request: Request) -> None:
    """Refuse, in the protocol's form, another model, another version or another method."""
    what = ascii(f"{request.method} {request.url.path}")[1:-1][:120]
    raise HTTPException(404, f"{what} is not served: the only model is {MODEL!r}, its only version {VERSION!r}")


async def read(request: Request) -> Body:
    """Return the body. Raises HTTPException where it is compressed or the client disconnects."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415, "the request is compressed: send it as it is, without Content-Encoding")
    try:
        return await read_body(request.receive)
    except ClientDisconnect as error:
        raise HTTPException(400, "the client disconnected before the end of the body") from error


def answer_body(body: Body, header: str | None, inference: Inference, complete: float) -> InferAnswer:
    """Return the answer to a body that was complete at a moment of perf_counter.

    Raises InvalidRecordsError or TooManyRecordsError.
    """
    start, predictor = perf_counter(), inference.predictor
    inference.metrics.time("queue", start - complete)
    try:
        request, records = read_request(body, header, predictor.window_length)
        check(records, predictor.least_variation)
    finally:
        inference.metrics.time("parse", perf_counter() - start)
    return write_answer(request, inference.predict(records, PREFIX), predictor.classes)
