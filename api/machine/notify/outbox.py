"""The outbox: changes of alarms that receivers have yet to be told, sent in the order of each point."""

import logging
import threading
import time
from typing import Any, Protocol

from sqlalchemy import Engine, Row, and_, delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.machine.database import for_reading
from api.machine.models import describe_change
from api.machine.tables import Change, Delivery

PAUSE = 1.0  # s between two looks at the outbox
LEASE = 60.0  # s for which a change that is being sent is no other process's; longer than a sending takes
LONGEST = 3_600.0  # s from one try to the next; it is twice the last one until then
AT_ONCE = 50
log = logging.getLogger("uvicorn.error")


class DeliveryError(Exception):
    """The receiver did not take a change; the message says why."""


class Receiver(Protocol):
    """Who is told of changes."""

    def send(self, message: dict[str, Any]) -> None:
        """Return once the receiver has taken the message. Raises DeliveryError."""


class Outbox:
    """Sends what is due from a thread of its own; a change leaves the outbox once its receiver has taken it.

    A process that is killed between the receiver's answer and the note of it sends that change again: receivers tell
    repetitions by the id.
    """

    def __init__(self, engine: Engine, receivers: dict[str, Receiver]) -> None:
        self.engine, self.receivers = engine, receivers
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, name="outbox", daemon=True)  # a slow receiver delays no exit

    def start(self) -> None:
        self.thread.start()

    def stop(self, seconds: float) -> None:
        """Let the thread end after what it is sending; what is left waits for the next start."""
        self.stopping.set()
        self.thread.join(seconds)

    def run(self) -> None:
        while not self.stopping.wait(PAUSE):
            try:
                self.deliver_due()
            except SQLAlchemyError as error:
                log.error("the outbox of alarms cannot be read: %s", str(error).splitlines()[0])

    def deliver_due(self) -> int:
        """Send what is due and return how many changes were taken."""
        taken = 0
        for name, receiver in self.receivers.items():
            for row in self.find_due(name):
                if self.stopping.is_set() or not self.claim(name, row):
                    continue
                taken += self.deliver(name, receiver, row)
        return taken

    def find_due(self, name: str) -> list[Row]:
        """Return the oldest waiting change of each point, where it is due."""
        oldest = (
            select(func.min(Change.id))
            .join(Delivery, and_(Delivery.change_id == Change.id, Delivery.receiver == name))
            .group_by(Change.machine, Change.point)
        )
        query = (
            select(Delivery.change_id, Delivery.next_try_at, Delivery.tries)
            .where(Delivery.receiver == name, Delivery.change_id.in_(oldest), Delivery.next_try_at <= time.time())
            .order_by(Delivery.change_id)
            .limit(AT_ONCE)
        )
        with Session(for_reading(self.engine)) as session:
            return list(session.execute(query).all())

    def claim(self, name: str, row: Row) -> bool:
        """Return whether this process is the one to send a change: several may have found it."""
        mine = this_delivery(name, row.change_id), Delivery.next_try_at == row.next_try_at
        with Session(self.engine) as session, session.begin():
            claimed = session.execute(update(Delivery).where(*mine).values(next_try_at=time.time() + LEASE))
            return claimed.rowcount == 1

    def deliver(self, name: str, receiver: Receiver, row: Row) -> bool:
        """Send a change and note whether the receiver took it; return whether it did."""
        with Session(for_reading(self.engine)) as session:
            message = describe_change(session.get_one(Change, row.change_id)).model_dump(mode="json")
        try:
            receiver.send(message)
        except Exception as error:  # mostly DeliveryError; no receiver may end the thread that tells the others
            pause = min(2.0 ** min(row.tries, 12), LONGEST)
            log.warning("%s did not take change %d, next try in %.0f s: %s", name, row.change_id, pause, error)
            failed = {"tries": row.tries + 1, "next_try_at": time.time() + pause, "error": str(error)[:300]}
            with Session(self.engine) as session, session.begin():
                session.execute(update(Delivery).where(this_delivery(name, row.change_id)).values(failed))
            return False
        with Session(self.engine) as session, session.begin():
            session.execute(delete(Delivery).where(this_delivery(name, row.change_id)))
        return True


def this_delivery(name: str, change_id: int) -> Any:
    return and_(Delivery.receiver == name, Delivery.change_id == change_id)
