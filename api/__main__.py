"""`python -m api`: the service listens on $HOST:$PORT."""

import sys

import uvicorn

from api.api import app
from api.settings import settings
from api.window.predictor import require_model

# s for accepted requests to finish. After a SIGTERM, NOTICE and the checks in api/serving/shutdown.py take 2 s at most
# before it, and the log takes EXIT_TIMEOUT at most after it, so the process ends within 10 s.
GRACE = 6


def main() -> None:
    try:
        require_model(settings.assets)
    except FileNotFoundError as error:  # here, because uvicorn would print a traceback around it
        sys.exit(str(error))
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        timeout_keep_alive=settings.keep_alive,
        timeout_graceful_shutdown=GRACE,
        access_log=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
