"""Several processes that serve on one port, under a parent that imports no app: it starts the others and ends them."""

import os
import sys
import time
from socket import socket
from tempfile import TemporaryDirectory

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from api.serving.shutdown import NOTICE, ignore_new_connections
from api.settings import SHARED_METRICS


def serve_together(config: uvicorn.Config) -> None:
    """Serve with config.workers processes until a signal; a process that is killed is replaced."""
    listener = config.bind_socket()
    with TemporaryDirectory(prefix="metrics-") as folder:
        os.environ[SHARED_METRICS] = folder
        parent = Parent(config, listener)
        parent.run()
    if parent.has_failed():
        sys.exit("the service could not start, see above")


class Parent(Multiprocess):
    """uvicorn's own parent, which leaves no connection waiting on the socket that its processes share."""

    def __init__(self, config: uvicorn.Config, listener: socket) -> None:
        super().__init__(config, [listener])

    def keep_subprocess_alive(self) -> None:
        """Replace processes that have ended or do not answer, and stop where one could not start.

        A parent that holds the process's end of their pipe open would wait for the answer of one that has ended.
        """
        for each in self.processes:
            each.child_conn.close()
        super().keep_subprocess_alive()

    def terminate_all(self) -> None:
        """Tell all processes to stop; where routers have had time to choose another instance, ignore new connections.

        Each process would do so by itself, but for sockets that others may go on to listen on.
        """
        super().terminate_all()
        time.sleep(NOTICE)
        ignore_new_connections(listener.fileno() for listener in self.sockets)

    def has_failed(self) -> bool:
        """Return whether a process ended before it served anything: its log says why."""
        return any(each.exitcode == STARTUP_FAILURE for each in self.processes)
