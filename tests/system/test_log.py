"""The log of a started service: who does not read it stops neither the requests nor the end of the process."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
import requests

from pipeline.service import free_port, wait_until_ready
from tests.conftest import ROOT, environment

REQUESTS = 2_000
COMMANDS = {
    "python -m api": [sys.executable, "-m", "api"],
    "uvicorn": [sys.executable, "-m", "uvicorn", "api.api:app", "--port", "{port}"],
}


@contextmanager
def running(command, **settings):
    """Start the service with both streams in pipes that nobody reads; yield its process and its port."""
    port = free_port()
    process = subprocess.Popen(
        [part.format(port=port) for part in COMMANDS[command]], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(PORT=str(port), LOG_REQUESTS="true", **settings),
    )  # fmt: skip
    with process:  # closes the pipes and waits
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", process, None, timeout=60)
            yield process, port
        finally:
            process.kill()


def send(port, requests_to_send, path="/health/live", **headers):
    """Send requests over one connection and return their statuses."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    statuses = []
    for _ in range(requests_to_send):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


def send_invalid(port, number):
    """Send what is no HTTP so many times; uvicorn logs a warning to stderr each time."""
    for _ in range(number):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            assert connection.recv(4_096).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_log_that_is_not_read_stops_neither_requests_nor_the_exit(command):
    with running(command) as (process, port):
        assert send(port, REQUESTS) == [200] * REQUESTS
        assert send(port, 100, "/" + "x" * 20_000) == [404] * 100  # lines of 20 kB
        process.terminate()
        assert process.wait(timeout=20) == 0
        assert len(process.stdout.read()) >= 45_000  # the pipe was full: 16 pages, each of which ends with a line


def test_dropped_lines_are_counted():
    with running("python -m api") as (process, port):
        deadline = time.monotonic() + 60
        while not count_dropped(port):
            assert time.monotonic() < deadline
            assert send(port, 20, "/" + "x" * 30_000) == [404] * 20
        process.terminate()
        assert process.wait(timeout=20) == 0


def count_dropped(port):
    lines = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=20).text.splitlines()
    [value] = [line.partition(" ")[2] for line in lines if line.startswith("log_lines_dropped_total ")]
    return float(value)


def test_errors_that_are_not_read_stop_nothing():
    with running("python -m api") as (process, port):
        send_invalid(port, 2_500)
        assert send(port, 1) == [200]
        process.terminate()
        assert process.wait(timeout=20) == 0
        assert process.stderr.read().count(b"Invalid HTTP request received.") > 100


def test_the_last_lines_are_written_before_the_process_ends():
    with running("python -m api") as (process, port):
        assert send(port, 5, **{"X-Request-ID": "find-me"}) == [200] * 5
        process.terminate()
        log, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert log.count(b"find-me") == 5
        assert b"Finished server process" in errors


def test_a_closed_pipe_stops_nothing():
    with running("python -m api") as (process, port):
        process.stdout.close()
        assert send(port, 200) == [200] * 200
        process.terminate()
        assert process.wait(timeout=20) == 0
