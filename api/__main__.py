"""`python -m api`: the service listens on $HOST:$PORT, with one process unless WORKERS_PROCESSES says more."""

import sys
from typing import Any

import uvicorn

from api.settings import require_model, settings

# s for accepted requests to finish. After a SIGTERM, NOTICE and the checks in api/serving/shutdown.py take 2 s at most
# before it (3 s where processes share a socket), and the log takes EXIT_TIMEOUT at most after it: 10 s in all.
GRACE = 6
PATIENCE = 30  # s for a process to start, and to tell its parent that it lives, before another takes its place
OPTIONS: dict[str, Any] = {
    "host": settings.host,
    "port": settings.port,
    "timeout_keep_alive": settings.keep_alive,
    "timeout_graceful_shutdown": GRACE,
    "access_log": False,
    "proxy_headers": False,
}


def main() -> None:
    try:
        require_model(settings.assets)
    except FileNotFoundError as error:  # here, because uvicorn would print a traceback around it
        sys.exit(str(error))
    if settings.workers_processes > 1:
        from api.processes import serve_together

        processes = {"workers": settings.workers_processes, "timeout_worker_healthcheck": PATIENCE}
        serve_together(uvicorn.Config("api.api:app", **processes, **OPTIONS))
    else:
        from api.api import app

        uvicorn.run(app, **OPTIONS)


if __name__ == "__main__":
    main()
