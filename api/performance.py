"""Print how long a running service takes for 1 to 200 records: execution time, and delivery as a client sees it.

The client is the plain one, `requests.post(json=...)`, so delivery includes the client's own encoding of the body.
"""

import argparse
import json
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import mean

if __package__:
    from api.client import NoAnswerError, add_service_arguments, read_json, send
else:  # started as a program: its own folder is searched then, not the repository
    from client import NoAnswerError, add_service_arguments, read_json, send

EXAMPLE = Path(__file__).resolve().parent.parent / "assets" / "example.json"
SIZES = (1, 5, 10, 25, 50, 100, 150, 200)


def main() -> None:
    arguments = parse_arguments()
    records = json.loads(EXAMPLE.read_text())
    print(f"{'records':>7}  {'execution (ms)':>14}  {'delivery (ms)':>13}   mean of {arguments.rounds} rounds")
    for size in SIZES:
        batch = list(islice(cycle(records), size))
        try:
            times = [measure(arguments.url, arguments.key, batch) for _ in range(arguments.rounds)]
        except NoAnswerError as error:
            sys.exit(str(error))
        execution, delivery = (mean(column) for column in zip(*times, strict=True))
        print(f"{size:>7}  {execution:>14.2f}  {delivery:>13.2f}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_service_arguments(parser)
    parser.add_argument("--rounds", type=int, default=10, help="requests of each size (%(default)s)")
    return parser.parse_args()


def measure(url: str, key: str, batch: list[dict]) -> tuple[float, float]:
    """Return execution and delivery time of one request in ms. Raises NoAnswerError."""
    start = time.perf_counter()
    response = send(url, key, "POST", "/batch_predict/", json=batch)
    delivery = 1000 * (time.perf_counter() - start)
    return read_json(response)["Execution Time"], delivery


if __name__ == "__main__":
    main()
