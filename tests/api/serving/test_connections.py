"""Connections without a complete request, and clients that do not read their responses."""

import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection

import pytest
import requests

from tests.conftest import ROOT, environment, running
from tests.tools.bench.load import NPY
from tests.tools.soak.bodies import ask_for_npy, make_records, write_npy

HALF = b"GET /health/live HTTP/1.1\r\nHost: here\r\nX-Slow: "
WHOLE = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"
pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def short_timeouts(tmp_path_factory):
    """The URL of a service that waits for a second."""
    narrow = {"SENDING_TIMEOUT": "1", "REQUEST_TIMEOUT": "1", "MAX_QUEUE": "4"}
    with running(tmp_path_factory.mktemp("short_timeouts"), **narrow) as url:
        yield url


def connect(url):
    return socket.create_connection(address_of(url), timeout=30)


def address_of(url):
    return "127.0.0.1", int(url.rpartition(":")[2])


@pytest.mark.parametrize(
    ("before", "said"), [(b"", b""), (b"", b"\r\n"), (b"", HALF), (WHOLE, HALF)],
    ids=["nothing", "a line", "half", "half a second one"],
)  # fmt: skip
def test_a_connection_without_a_complete_request_is_closed(short_timeouts, before, said):
    with connect(short_timeouts) as connection:
        if before:
            connection.sendall(before)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(said)
        with suppress(ConnectionError):  # the socket's own timeout is an error of another class
            while connection.recv(4096):
                pass


def test_a_connection_that_is_idle_between_two_requests_stays_open(short_timeouts):
    connection = HTTPConnection(short_timeouts.removeprefix("http://"))
    for _ in range(2):
        connection.request("GET", "/health/live")
        answer = connection.getresponse()  # would raise where the connection was closed
        assert (answer.status, answer.read()) == (200, b'{"status":"live"}')
        with connect(short_timeouts) as without_request, suppress(ConnectionError):
            assert without_request.recv(4096) == b""  # closed for its age, while the idle one is older
    connection.close()


@pytest.mark.parametrize("part", [b"y" * 1000, b"a: b\r\n" * 200], ids=["one header", "many headers"])
def test_headers_without_an_end_are_refused(short_timeouts, part):
    with connect(short_timeouts) as connection:
        connection.sendall(HALF)
        with pytest.raises(ConnectionError):
            connection.sendall(part * 20_000)


def test_long_headers_are_accepted(short_timeouts):
    answer = requests.get(f"{short_timeouts}/health/live", headers={"X-Long": "y" * 30_000}, timeout=5)
    assert answer.status_code == 200


def test_clients_that_do_not_read_responses_do_not_delay_others(short_timeouts):
    request = ask_for_npy(make_records(50))

    def flood():
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)  # else the kernel reads megabytes for it
            connection.connect(address_of(short_timeouts))
            with suppress(ConnectionError):  # which the service closes
                while True:
                    connection.sendall(request)

    clients = [threading.Thread(target=flood) for _ in range(5)]  # one more than the queue holds
    for client in clients:
        client.start()
    deadline = time.monotonic() + 60
    few = write_npy(make_records(1))
    while (
        requests.post(f"{short_timeouts}/batch_predict/", few, headers={"Content-Type": NPY}, timeout=5).status_code
        != 200
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for client in clients:
        client.join(timeout=60)
        assert not client.is_alive()


def test_a_listener_of_another_process_goes_on_listening(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for _ in range(2):
            command = [sys.executable, "-m", "uvicorn", "api.api:app", "--fd", str(listener.fileno())]
            with (tmp_path / "log").open("w") as log:
                process = subprocess.Popen(
                    command, cwd=ROOT, env=environment(), pass_fds=[listener.fileno()], stdout=log, stderr=log
                )
            assert requests.get(f"{url}/health/live", timeout=20).status_code == 200
            process.terminate()
            assert process.wait(timeout=20) == 0
