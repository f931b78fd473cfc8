import asyncio

import pytest

from api.serving.admission import Admission
from api.settings import FORM_BYTES
from tests.api.serving.asgi import Client, answer_length, make_exchange, make_middleware, make_scope, until


@pytest.mark.parametrize(
    ("method", "path", "most"),
    [
        ("POST", "/batch_predict/", 10),
        ("POST", "/v2/models/bearing/infer", 20),
        ("GET", "/v2/models/bearing", None),
        ("POST", "/", None),
    ],
)
def test_bodies_are_limited_by_their_path(method, path, most):
    admission = Admission({"/batch_predict/": 10, "/v2/": 20}, max_buffered=100, max_queue=1)
    assert admission.limit_of(make_exchange(path, method)) == most


def test_a_body_that_is_announced_as_too_large_is_refused_before_it_arrives():
    async def ask():
        client = Client(make_middleware(answer_length), make_scope(content_length="999999"))
        return await client.response()

    status, headers, content = asyncio.run(ask())
    assert (status, content) == (413, {"detail": "the request is too large, expected 1,000 bytes at most"})
    assert headers["connection"] == "close"


def test_a_body_that_turns_out_too_large_is_refused():
    async def ask():
        client = Client(make_middleware(answer_length))
        client.send(b"x" * FORM_BYTES, more=True)
        client.send(b"x" * 1_001, more=True)
        client.send(b"the rest is read, so that the client sees the response")
        return await client.response()

    status, headers, _ = asyncio.run(ask())
    assert status == 413
    assert "connection" not in headers


def test_a_full_queue_gives_503_at_once_and_recovers():
    async def ask():
        may_answer = asyncio.Event()

        async def app(scope, receive, send):
            await receive()
            await may_answer.wait()
            await answer_length(scope, lambda: asyncio.sleep(0, {"type": "http.request", "body": b""}), send)

        middleware = make_middleware(app, max_queue=1)
        first = Client(middleware)
        first.send(b"[]")
        await until(lambda: middleware.admission.queued == 1)
        second = Client(middleware)
        second.send(b"[]")
        refused = await second.response()
        may_answer.set()
        answered = await first.response()
        third = Client(middleware)
        third.send(b"[]")
        return refused, answered, await third.response(), middleware.admission

    refused, answered, recovered, admission = asyncio.run(ask())
    assert refused[0] == 503
    assert refused[1]["retry-after"] == "1"
    assert refused[2] == {"detail": "too many requests at once: try again"}
    assert (answered[0], recovered[0]) == (200, 200)
    assert (admission.queued, admission.buffered) == (0, 0)


def test_without_room_for_all_bodies_one_is_refused_and_the_other_answered():
    async def ask():
        middleware = make_middleware(answer_length, max_buffered=1_500)
        first, second = Client(middleware), Client(middleware)
        first.send(b"x" * 1_000, more=True)
        await until(lambda: middleware.admission.buffered == 1_000)
        second.send(b"x" * 1_000)
        refused = await second.response()
        first.send(b"")
        return refused, await first.response(), middleware.admission.buffered

    refused, answered, left = asyncio.run(ask())
    assert (refused[0], refused[1]["retry-after"]) == (503, "1")
    assert (answered[0], answered[2]) == (200, 1_000)
    assert left == 0
