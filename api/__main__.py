"""`python -m api`: serve on $HOST:$PORT, and stop on SIGTERM without breaking an accepted request."""

import signal
from contextlib import suppress
from threading import Timer
from types import FrameType

import uvicorn

from api.api import app
from api.settings import settings

GRACE = 8  # s for accepted requests to finish, so that it all ends within 10 s
NOTICE = 1.0  # s from "not ready" to the closed listener, for whoever routes requests here


class DrainingServer(uvicorn.Server):
    """A server that says "not ready" before it stops listening, and ends with exit status 0."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM:
            app.state.ready = False
            Timer(NOTICE, self.stop).start()
        else:
            super().handle_exit(sig, frame)

    def stop(self) -> None:
        self.should_exit = True


def main() -> None:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        timeout_keep_alive=round(settings.keep_alive),
        timeout_graceful_shutdown=GRACE,
        access_log=False,
        proxy_headers=False,
    )
    with suppress(KeyboardInterrupt):
        DrainingServer(config).run()


if __name__ == "__main__":
    main()
