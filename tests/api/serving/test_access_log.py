import json
from types import SimpleNamespace

import pytest

from api.serving.access_log import BATCH, AccessLog
from tests.api.serving.asgi import make_exchange

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def written():
    return []


@pytest.fixture
def write(written):
    """Return a function that logs a request and passes its line on."""
    queue = SimpleNamespace(write=lambda text, lines: written.append((text, lines)))

    def write_one(exchange, form="json"):
        log = AccessLog(form, queue)
        log.write(exchange, 0.0123456)
        log.flush()
        return written[-1][0]

    return write_one


def test_a_line_tells_what_was_asked_and_answered(write):
    exchange = make_exchange(x_request_id="find-me", traceparent=TRACEPARENT, x_api_key="not-to-be-written")
    exchange.status, exchange.received = 200, 17
    line = write(exchange)
    facts = json.loads(line)
    assert facts.pop("time") > 1e9
    assert facts == {
        "request_id": "find-me", "method": "POST", "path": "/batch_predict/", "status": 200, "milliseconds": 12.346,
        "bytes": 17, "trace_id": TRACEPARENT.split("-")[1],
    }  # fmt: skip
    assert "not-to-be-written" not in line


def test_text_holds_the_same_facts(write):
    line = write(make_exchange(x_request_id="find-me"), "text")
    assert " request_id=find-me method=POST path=/batch_predict/ status=0 milliseconds=12.346 bytes=0" in line


def test_a_line_cannot_be_forged(write):
    line = write(make_exchange("/x\nforged\x1b[31m€"))
    assert json.loads(line)["path"] == "/x%0Aforged%1B%5B31m%E2%82%AC"


def test_many_lines_are_passed_on_before_the_next_look(written):
    log = AccessLog("text", SimpleNamespace(write=lambda text, lines: written.append((text, lines))))
    while not written:
        log.write(make_exchange("/" + "x" * 5_000), 0)
    [(text, lines)] = written
    assert BATCH < len(text) < BATCH + 6_000
    assert lines == len(text.splitlines())
