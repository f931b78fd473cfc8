"""SIGTERM: report "not ready", then accept no new connection, answer the accepted requests, and exit with 0."""

import asyncio
import ctypes
import os
import signal
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from types import FrameType

import uvicorn
from starlette.datastructures import State

from api.serving.uvicorn_internals import (
    close_listeners,
    is_reloading,
    latest_request,
    list_connections,
    list_listeners,
    stop,
)

NOTICE = 1.0  # s from "not ready" until new connections are ignored, in which routers choose another instance
LEAST_CHECKS, MOST_CHECKS = 10, 50  # from there until listeners and idle connections are closed
INTERVAL = 0.02  # s between two checks
ATTACH_FILTER = 26  # SO_ATTACH_FILTER, which Python does not name
IGNORE_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 2), (0x06, 0, 0, 0), (0x06, 0, 0, 2**32 - 1))
"""Load the byte of TCP's flags; where SYN is set, keep nothing of the packet, else all of it: Linux's filter.rst."""


def drain_on_sigterm(server: uvicorn.Server, state: State) -> None:
    """Let uvicorn, however it was started, stop without breaking an accepted request.

    Called on the server's event loop before it listens; state.ready becomes False when the signal arrives.
    """
    if is_reloading(server):  # under development: a restart should not wait
        return
    loop, inherited = asyncio.get_running_loop(), list_open_inodes()

    async def drain() -> None:
        await asyncio.sleep(NOTICE)
        own = [each for each in list_listeners(server) if os.fstat(each).st_ino not in inherited]
        ignore_new_connections(own)
        await wait_for_first_requests(server)
        if not own:  # who connects from now on is another process's client
            close_listeners(server)
            await wait_for_first_requests(server)
        stop(server)

    def begin(_signal: int, _frame: FrameType | None) -> None:
        state.ready = False
        state.draining = asyncio.run_coroutine_threadsafe(drain(), loop)  # kept, or it could be collected

    signal.signal(signal.SIGTERM, begin)


def drain_with_parent() -> None:
    """Let this process, where another one has started it to serve, stop as on SIGTERM when that one is killed."""
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=wait, name="parent", daemon=True).start()


async def wait_for_first_requests(server: uvicorn.Server) -> None:
    """Wait until each open connection has sent a request; each short sleep lets a busy event loop read more of them."""
    for check in range(MOST_CHECKS):
        await asyncio.sleep(INTERVAL)
        if check >= LEAST_CHECKS and all(latest_request(each) for each in list_connections(server)):
            return


def list_open_inodes() -> set[int]:
    """Return the inodes of all open files; a listener among them belongs to another process as well."""
    found = set()
    for descriptor in Path("/dev/fd").iterdir():
        with suppress(OSError):  # the descriptor of this listing is closed by now
            found.add(descriptor.stat().st_ino)
    return found


def ignore_new_connections(listeners: Iterable[int]) -> None:
    """Let the kernel ignore new connections to listeners, which are given by their file descriptors.

    To close them would reset the connections that wait to be accepted.
    """
    steps = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in IGNORE_SYN))
    program = struct.pack("HP", len(IGNORE_SYN), ctypes.addressof(steps))
    for descriptor in listeners:
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as twin:  # OSError: not on Linux
            twin.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, program)
