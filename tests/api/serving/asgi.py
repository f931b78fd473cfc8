"""ServingMiddleware around a small app, asked without a socket."""

import asyncio
import json
from types import SimpleNamespace

from starlette.datastructures import State
from starlette.requests import ClientDisconnect

from api.serving.bodies import read_body
from api.serving.exchange import Exchange
from api.serving.keys import Keys
from api.serving.metrics import Metrics
from api.serving.middleware import ServingMiddleware
from api.settings import Settings

PATH = "/batch_predict/"


def make_scope(path=PATH, method="POST", **headers):
    """Return the scope of a request; x_api_key becomes the header x-api-key."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    state = State({"model_header": b"model=1", "ready": True})
    return {"type": "http", "method": method, "path": path, "headers": pairs, "app": SimpleNamespace(state=state)}


def make_exchange(path=PATH, method="POST", **headers):
    return Exchange(make_scope(path, method, **headers))


def make_middleware(app, keys=(), most=1_000, **settings):
    values = Settings(log_requests=False, max_body=1_000, max_upload=1_000, max_buffered=200_000).model_copy(
        update=settings
    )
    return ServingMiddleware(app, values, Metrics(), Keys(keys), {PATH: most})


async def answer_length(scope, receive, send):
    """An app that answers with the length of the body."""
    try:
        body = str(len(await read_body(receive))).encode()
    except ClientDisconnect:
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


class Client:
    """One request, whose parts are sent when the test says so."""

    def __init__(self, middleware, scope=None):
        self.parts = asyncio.Queue()
        self.messages = []
        self.task = asyncio.create_task(middleware(scope or make_scope(), self.parts.get, self.receive))

    def send(self, body, more=False):
        self.parts.put_nowait({"type": "http.request", "body": body, "more_body": more})

    async def receive(self, message):
        self.messages.append(message)

    async def response(self):
        """Return status, headers and body of the response."""
        await asyncio.wait_for(self.task, 20)
        start, body = self.messages
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], headers, json.loads(body["body"])


async def until(condition):
    """Wait until the condition holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)
