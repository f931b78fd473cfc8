"""The health endpoint beside large requests, and the memory that a small service takes."""

import threading
import time

import numpy as np
import requests

from tests.tools.bench.load import load
from tests.tools.soak.bodies import ask_for_json, make_records
from tests.tools.soak.measured import Measured
from tests.tools.soak.service import megabytes_of, serving


def measure_health(requests_sent: int = 400) -> Measured:
    """Eight connections keep sending 200 records: GET /health/live is answered soon, and memory stays small."""
    with serving() as service:
        load(service.port, ask_for_json(make_records(1)), connections=1, requests=1)
        before = megabytes_of(service.process.pid)
        times = time_health(service.port, ask_for_json(make_records(200)), requests_sent)
        after = megabytes_of(service.process.pid)
    late = float(np.percentile(times, 99))
    asked = "beside eight connections of 200 records: GET /health/live p99 < 50 ms, 120 MB before, 256 MB after"
    came = f"p99 {late:.1f} ms of {len(times):,}, {before:.0f} MB before, {after:.0f} MB after"
    return Measured(asked, came, kept=before < 120 and after < 256, in_time=late < 50)


def time_health(port: int, burst: bytes, requests_sent: int) -> list[float]:
    """Return the latencies (ms) of GET /health/live while the other requests are answered."""
    sending = threading.Thread(target=load, args=(port, burst, 8, requests_sent))
    sending.start()
    times = []
    with requests.Session() as session:
        while sending.is_alive():
            begin = time.perf_counter()
            session.get(f"http://127.0.0.1:{port}/health/live", timeout=30).raise_for_status()
            times.append(1000 * (time.perf_counter() - begin))
            time.sleep(0.01)
    sending.join()
    return times
