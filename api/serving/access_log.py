"""The access log: one line for each request, as text or JSON."""

import atexit
import json
from functools import lru_cache
from time import time
from urllib.parse import quote

from api.serving.exchange import Exchange
from api.serving.log_queue import LogQueue

UNQUOTED = "/:@!$&'()*+,;=~-._"  # characters of a path, beside letters and digits, that a line shows as they are
BATCH = 64_000  # characters


class AccessLog:
    """Collects lines and passes them on in batches: one record in the queue for each line would double their cost."""

    def __init__(self, form: str, queue: LogQueue) -> None:
        """Form is `text` or `json`."""
        self.form = form
        self.queue = queue
        self.lines: list[str] = []
        self.length = 0  # characters
        atexit.register(self.flush)

    def write(self, exchange: Exchange, seconds: float) -> None:
        line = format_line(exchange, seconds, self.form)
        self.lines.append(line)
        self.length += len(line)
        if self.length > BATCH:
            self.flush()

    def flush(self) -> None:
        """Pass the lines on to the thread that writes them."""
        lines, self.lines, self.length = self.lines, [], 0
        if lines:
            self.queue.write("\n".join(lines), len(lines))


@lru_cache(1_000)
def quote_path(path: str) -> str:
    return quote(path, safe=UNQUOTED)


def format_line(exchange: Exchange, seconds: float, form: str) -> str:
    facts = {
        "time": round(time(), 3),
        "request_id": exchange.request_id.decode(),
        "method": exchange.method,
        "path": quote_path(exchange.path),
        "status": exchange.status,  # 0: the client closed the connection before a response
        "milliseconds": round(1000 * seconds, 3),
        "bytes": exchange.received,
    }
    if exchange.traceparent:
        facts["trace_id"] = exchange.trace_id
    return json.dumps(facts) if form == "json" else " ".join(f"{name}={value}" for name, value in facts.items())
