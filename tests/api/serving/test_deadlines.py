import asyncio

from api.serving.deadlines import Deadlines
from tests.api.serving.asgi import Client, answer_length, make_middleware, make_scope


async def never_answer(_scope, receive, _send):
    await receive()
    await asyncio.Event().wait()


def ask(app, body=None, **settings):
    async def ask_once():
        middleware = make_middleware(app, **settings)
        client = Client(middleware, make_scope(x_request_id="find-me"))
        if body is not None:
            client.send(body)
        response = await client.response()
        return response, middleware

    return asyncio.run(ask_once())


def test_a_body_that_does_not_arrive_gives_408():
    (status, headers, content), middleware = ask(answer_length, sending_timeout=0.01)
    assert (status, content) == (408, {"detail": "the request's body took longer than 0.01 s to come in"})
    assert headers["connection"] == "close"
    assert not middleware.deadlines.running


def test_a_response_that_does_not_start_gives_503():
    (status, headers, content), middleware = ask(never_answer, b"[]", request_timeout=0.01)
    assert (status, content) == (503, {"detail": "no answer in time: try again"})
    assert headers["retry-after"] == "1"
    assert headers["x-request-id"] == "find-me"
    assert (middleware.admission.queued, middleware.admission.buffered) == (0, 0)


def test_a_response_that_has_started_has_no_deadline(monkeypatch):
    looks, cancel_late = [], Deadlines.cancel_late
    monkeypatch.setattr(Deadlines, "cancel_late", lambda deadlines: looks.append(cancel_late(deadlines)))

    async def answer_slowly(_scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        before = len(looks)
        while len(looks) < before + 2:
            await asyncio.sleep(0.01)
        await send({"type": "http.response.body", "body": b"1"})

    (status, _, content), _ = ask(answer_slowly, b"[]", request_timeout=0.01)
    assert (status, content) == (200, 1)
