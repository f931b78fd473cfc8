"""SIGTERM: say "not ready", let routers notice, take no new connection, answer what was accepted, exit with 0."""

import asyncio
import ctypes
import os
import signal
import socket
import struct
from contextlib import suppress
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.datastructures import State

from api.serving.connections import http_connections

NOTICE = 1.0  # s from "not ready" to the first connection that is not taken, for whoever routes requests here
LEAST_LOOKS, MOST_LOOKS = 10, 50  # from there to closed listeners and idle connections
LOOK = 0.02  # s
ATTACH_FILTER = 26  # SO_ATTACH_FILTER, which Python does not name
IGNORE_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 2), (0x06, 0, 0, 0), (0x06, 0, 0, 2**32 - 1))
"""Load the byte of TCP's flags; where SYN is in it take nothing of the packet, else all: Linux's filter.rst."""


def stop_gently_on_sigterm(server: uvicorn.Server, state: State) -> None:
    """Let uvicorn, however it was started, stop without breaking an accepted request.

    Called on the server's event loop before it listens; state.ready becomes False when the signal comes.
    """
    if server.config.should_reload:  # nobody is served there, and somebody waits
        return
    loop, others = asyncio.get_running_loop(), open_sockets()

    async def stop() -> None:
        await asyncio.sleep(NOTICE)
        take_no_more(server, others)
        await let_newcomers_ask(server)
        server.should_exit = True

    def begin_to_stop(_signal: int, _frame: FrameType | None) -> None:
        state.ready = False
        state.stopping = asyncio.run_coroutine_threadsafe(stop(), loop)

    signal.signal(signal.SIGTERM, begin_to_stop)


async def let_newcomers_ask(server: uvicorn.Server) -> None:
    """Wait for the requests of those who have just connected; in short looks, since each lets a late loop read."""
    for look in range(MOST_LOOKS):
        await asyncio.sleep(LOOK)
        if look >= LEAST_LOOKS and all(each.cycle for each in http_connections(server)):
            return


def open_sockets() -> set[int]:
    """Return the inodes of all open files: a listener among them is another process's as well."""
    found = set()
    for descriptor in Path("/dev/fd").iterdir():
        with suppress(OSError):  # that of this listing
            found.add(descriptor.stat().st_ino)
    return found


def take_no_more(server: uvicorn.Server, others: set[int]) -> None:
    """Let the kernel ignore who wants to connect from now on: closing at once would reset who waits to be accepted."""
    steps = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in IGNORE_SYN))
    program = struct.pack("HP", len(IGNORE_SYN), ctypes.addressof(steps))
    for number in (listener.fileno() for each in server.servers for listener in each.sockets):
        if os.fstat(number).st_ino not in others:
            with suppress(OSError), socket.socket(fileno=os.dup(number)) as twin:  # OSError: not on Linux
                twin.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, program)
