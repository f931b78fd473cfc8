"""The cases over raw sockets: no 5xx, no response that does not come, no exception in the log."""

import contextlib
import re
import socket
from concurrent.futures import ThreadPoolExecutor

from tests.tools.fuzz.cases import Case, make_case
from tests.tools.soak.service import is_ready, serving

STATUS = re.compile(rb"^HTTP/1\.1 (\d{3}) ", re.MULTILINE)
CLIENTS = 4


def try_case(port: int, case: Case, timeout: float) -> str:
    """Send a case, and return what is wrong with the response, if anything is; timeout is in seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before its end
                connection.sendall(case.sent)
            came = receive(connection, timeout if case.is_whole else 0.02)
            if case.is_whole and not came:
                return "no answer to a whole request"
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            came += drain(connection, timeout)
        except TimeoutError:
            return f"neither answered nor closed within {timeout:g} s"
    statuses = [int(status) for status in STATUS.findall(came)]
    return f"answered {statuses}" if any(status >= 500 for status in statuses) else ""


def receive(connection: socket.socket, seconds: float) -> bytes:
    """Return the first bytes that come, or none where nothing comes in time."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1_000_000)
    except TimeoutError:
        return b""
    except ConnectionResetError:
        return b"closed"


def drain(connection: socket.socket, timeout: float) -> bytes:
    """Return what comes until the service closes. Raises TimeoutError where it does not."""
    connection.settimeout(timeout)
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1_000_000):
            parts.append(part)
    return b"".join(parts)


def fuzz_sockets(cases: int, timeout: float = 1.0) -> list[str]:
    """Return what was wrong: the cases' numbers, or the service's own end or exceptions."""
    with serving() as service, ThreadPoolExecutor(CLIENTS) as clients:
        found = clients.map(lambda number: try_case(service.port, make_case(number), timeout), range(cases))
        wrong = [
            f"case {number}: {text}: {make_case(number).sent[:200]!r}" for number, text in enumerate(found) if text
        ]
        if service.process.poll() is not None or not is_ready(service.port):
            wrong.append("the service has ended or is not ready")
        log = service.log.read_text(errors="replace")
    return wrong + find_exceptions(log)


def find_exceptions(log: str) -> list[str]:
    """Return the exceptions in a log that the service did not expect, but one.

    Where a client closes a connection with pipelined requests, uvicorn tells the last of them alone, and writes the
    response to another into a closed transport: nothing is lost, and the log gets a traceback.
    """
    found = []
    for entry in log.split("ERROR:")[1:]:
        names = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*", entry, re.MULTILINE)
        if "Traceback" in entry and "the handler is closed" not in (names or [""])[-1]:
            found.append(f"the log holds an exception: {entry[:300]} ... {entry[-1500:]}")
    return found
