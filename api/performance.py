"""Print how long a running service takes for 1 to 200 records: execution time, and delivery as a client sees it.

The client is the plain one, `requests.post(json=...)`, so delivery includes the client's own encoding of the body.
"""

import argparse
import json
import os
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import mean

import requests

EXAMPLE = Path(__file__).resolve().parent.parent / "assets" / "example.json"
KEY_NEEDED = "give one of its API_KEYS with --key or in the environment variable API_KEY"
SIZES = (1, 5, 10, 25, 50, 100, 150, 200)


def main() -> None:
    arguments = parse_arguments()
    records = json.loads(EXAMPLE.read_text())
    print(f"{'records':>7}  {'execution (ms)':>14}  {'delivery (ms)':>13}   mean of {arguments.rounds} rounds")
    for size in SIZES:
        batch = list(islice(cycle(records), size))
        times = [measure(arguments.url, arguments.key, batch) for _ in range(arguments.rounds)]
        execution, delivery = (mean(column) for column in zip(*times, strict=True))
        print(f"{size:>7}  {execution:>14.2f}  {delivery:>13.2f}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the service listens (%(default)s)")
    parser.add_argument(
        "--key", default=os.environ.get("API_KEY", ""), help="one of the service's API_KEYS ($API_KEY unless given)"
    )
    parser.add_argument("--rounds", type=int, default=10, help="requests of each size (%(default)s)")
    return parser.parse_args()


def measure(url: str, key: str, batch: list[dict]) -> tuple[float, float]:
    """Return execution and delivery time of one request in ms."""
    start = time.perf_counter()
    try:
        response = requests.post(f"{url}/batch_predict/", json=batch, headers={"X-API-Key": key.encode()}, timeout=60)
    except requests.ConnectionError as error:
        sys.exit(f"no service at {url}: {error}")
    delivery = 1000 * (time.perf_counter() - start)
    if response.status_code == 401:
        sys.exit(f"{url} {'does not know this key' if key else 'asks for a key'}: {KEY_NEEDED}")
    if not response.ok:
        sys.exit(f"{response.status_code} from {response.url}: {response.text[:500]}")
    return response.json()["Execution Time"], delivery


if __name__ == "__main__":
    main()
