"""Changes of alarms reach receivers that fail, hang, or are gone, in order and once; none is lost by a kill."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api.machine.notify.outbox import LEASE, DeliveryError, Outbox
from api.machine.notify.webhook import Webhook
from api.machine.reading import list_changes
from api.machine.tables import Delivery
from tests.api.machine.conftest import POINT, fill
from tests.conftest import ROOT, environment, wait_until

SIGNED_WITH = "a-secret-of-the-tests"
ENOUGH = slice(15, 50)  # of the life: it is learned, and a warning and an alarm are raised


class List:
    """A receiver that takes all but what `refuse` says."""

    def __init__(self, refuse: Callable[[dict], bool] = lambda _: False) -> None:
        self.taken, self.refuse = [], refuse

    def send(self, message: dict) -> None:
        if self.refuse(message):
            raise DeliveryError("answered 500")
        self.taken.append(message)


@pytest.fixture
def told(store, life):
    """A store with a receiver, in which a warning and an alarm were raised."""
    store.receivers = ("webhook",)
    fill(store, life[ENOUGH])
    return store


def make_due(store) -> None:
    with Session(store.engine) as session, session.begin():
        session.execute(update(Delivery).values(next_try_at=0.0))


def waiting(store) -> list[Delivery]:
    with Session(store.engine) as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.change_id)))


def send_all(outbox: Outbox) -> None:
    while outbox.deliver_due():
        pass


def test_changes_are_sent_in_order_once_and_leave_the_outbox(told):
    receiver = List()
    send_all(Outbox(told.engine, {"webhook": receiver}))
    changes = list_changes(told, "pump", "drive-end")[::-1]
    assert [message["id"] for message in receiver.taken] == [change.id for change in changes]
    assert [(message["kind"], message["level"]) for message in receiver.taken] == [
        ("raised", "warning"), ("cleared", "warning"), ("raised", "alarm"),
    ]  # fmt: skip
    assert receiver.taken[0]["machine"] == "pump"
    assert receiver.taken[2]["reason"]
    assert waiting(told) == []


def test_a_receiver_that_fails_in_its_own_way_keeps_the_others_from_nothing(told):
    def fail(_: dict) -> bool:
        raise ValueError("nobody thought of this")

    other = List()
    send_all(Outbox(told.engine, {"webhook": List(refuse=fail), "mqtt": other}))
    assert [each.error for each in waiting(told) if each.tries] == ["nobody thought of this"]


def test_what_is_refused_is_tried_again_after_growing_pauses_and_keeps_its_place(told):
    receiver = List(refuse=lambda message: message["kind"] == "cleared")
    outbox, pauses = Outbox(told.engine, {"webhook": receiver}), []
    for _ in range(5):
        send_all(outbox)
        first = waiting(told)[0]
        pauses.append(first.next_try_at - time.time())
        make_due(told)
    assert len(receiver.taken) == 1  # what comes after it at the same point waits
    assert first.tries == 5
    assert first.error == "answered 500"
    assert all(0.9 * 2**number < pause <= 2**number for number, pause in enumerate(pauses))
    receiver.refuse = lambda _: False
    send_all(outbox)
    assert [message["kind"] for message in receiver.taken] == ["raised", "cleared", "raised"]


def test_another_point_does_not_wait_for_one_that_is_refused(told, life):
    told.put_point("mill", "drive-end", **POINT)
    for each in life[ENOUGH]:
        told.add_recording("mill", "drive-end", each)
    receiver = List(refuse=lambda message: message["machine"] == "pump")
    send_all(Outbox(told.engine, {"webhook": receiver}))
    assert [message["machine"] for message in receiver.taken] == ["mill"] * 3


def test_of_two_processes_one_sends_a_change(told):
    first, second = List(), List()
    one, other = (Outbox(told.engine, {"webhook": receiver}) for receiver in (first, second))
    (found,) = one.find_due("webhook")
    assert one.claim("webhook", found)
    assert not other.claim("webhook", found)
    assert other.deliver_due() == 0
    assert waiting(told)[0].next_try_at == pytest.approx(time.time() + LEASE, abs=30)
    assert one.deliver("webhook", first, found)
    send_all(other)
    assert (len(first.taken), len(second.taken)) == (1, 2)


@contextmanager
def receiving(answer: Callable[[BaseHTTPRequestHandler, int], None]):
    """A real receiver; answer(request, number of requests so far) answers. Yields its URL and the bodies that came."""
    came: list[tuple[dict, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((dict(self.headers), body))
            answer(self, len(came))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alarms", came
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer_with(*statuses: int):
    def answer(request: BaseHTTPRequestHandler, number: int) -> None:
        request.send_response(statuses[min(number, len(statuses)) - 1])
        request.send_header("Location", "/elsewhere")
        request.end_headers()

    return answer


def test_a_receiver_that_fails_and_comes_back_is_told_all_once(told):
    with receiving(answer_with(500, 302, 404, 204)) as (url, came):
        outbox = Outbox(told.engine, {"webhook": Webhook(url, SIGNED_WITH)})
        for _ in range(8):
            outbox.deliver_due()
            make_due(told)
    identities = [json.loads(body)["id"] for _, body in came]
    assert identities[:4] == identities[:1] * 4
    assert len(came) == 3 + 3
    assert waiting(told) == []


def test_nobody_at_the_address_is_a_try_that_failed(told):
    outbox = Outbox(told.engine, {"webhook": Webhook("http://127.0.0.1:9/", SIGNED_WITH)})
    assert outbox.deliver_due() == 0
    assert waiting(told)[0].error == "no answer: ConnectionError"


SENDER = """
import json, sys
from api.machine.database import open_engine
from api.machine.notify.outbox import Outbox
from api.machine.notify.webhook import Webhook

outbox = Outbox(open_engine(sys.argv[1]), {"webhook": Webhook(sys.argv[2], sys.argv[3])})
outbox.start()
outbox.thread.join()
"""


@pytest.mark.processes
def test_a_kill_in_the_middle_of_a_sending_loses_nothing(url, told):
    def answer(request: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            sender.kill()
        answer_with(204)(request, number)

    with receiving(answer) as (address, came):
        command = [sys.executable, "-c", SENDER, url, address, SIGNED_WITH]
        with subprocess.Popen(command, cwd=ROOT, env=environment()) as sender:
            sender.wait(60)
        make_due(told)  # as once the lease is over
        with subprocess.Popen(command, cwd=ROOT, env=environment()) as sender:
            wait_until(lambda: not waiting(told))
            sender.kill()
    identities = [json.loads(body)["id"] for _, body in came]
    changes = [change.id for change in list_changes(told, "pump", "drive-end")][::-1]
    assert identities in (changes, [changes[0], *changes])  # the first may come again, with the same id


def test_it_ends_at_once_where_nothing_is_sent(told):
    outbox = Outbox(told.engine, {})
    outbox.start()
    outbox.stop(30)
    assert not outbox.thread.is_alive()
