"""SIGTERM: say "not ready", let routers notice, take no new connection, answer what was accepted, exit with 0."""

import asyncio
import ctypes
import os
import signal
import socket
import struct
from contextlib import suppress
from threading import current_thread, main_thread
from types import FrameType

import uvicorn
from starlette.datastructures import State

NOTICE = 1.0  # s from "not ready" to the first connection that is not taken, for whoever routes requests here
SETTLE = 0.2  # s from there to closed listeners and idle connections: who has just connected has yet to send
ATTACH_FILTER = 26  # SO_ATTACH_FILTER, which Python does not name
IGNORE_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 2), (0x06, 0, 0, 0), (0x06, 0, 0, 2**32 - 1))
"""Load the byte of TCP's flags; where SYN is in it take nothing of the packet, else all: Linux's filter.rst."""


def stop_gently_on_sigterm(state: State) -> None:
    """Let uvicorn, however it was started, stop without breaking an accepted request; other servers have their own way.

    Called on the server's event loop; state.ready becomes False when the signal comes. A reloader should not wait.
    """
    handler = signal.getsignal(signal.SIGTERM)
    server = getattr(handler, "__self__", None)
    if not isinstance(server, uvicorn.Server) or server.config.should_reload or current_thread() is not main_thread():
        return
    loop = asyncio.get_running_loop()

    async def stop() -> None:
        await asyncio.sleep(NOTICE)
        if server.config.workers == 1:  # else the listeners are other processes' as well
            take_no_more(server)
        await asyncio.sleep(SETTLE)
        server.should_exit = True

    def begin_to_stop(_signal: int, _frame: FrameType | None) -> None:
        state.ready = False
        state.stopping = asyncio.run_coroutine_threadsafe(stop(), loop)

    signal.signal(signal.SIGTERM, begin_to_stop)


def take_no_more(server: uvicorn.Server) -> None:
    """Let the kernel ignore who wants to connect from now on: closing at once would reset who waits to be accepted."""
    steps = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in IGNORE_SYN))
    program = struct.pack("HP", len(IGNORE_SYN), ctypes.addressof(steps))
    for listener in (listener for each in server.servers for listener in each.sockets):
        with suppress(OSError), socket.socket(fileno=os.dup(listener.fileno())) as twin:  # OSError: not on Linux
            twin.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, program)
