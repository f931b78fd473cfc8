"""Send held-out windows to a running service and print its predictions beside the truth.

Where there is no hold-out (no recordings, no `dvc repro`), synthetic records are sent and compared with the answers
that the pipeline wrote down for them.
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
import requests

if __package__:
    from api.client import NoAnswerError, add_service_arguments, read_json, send
else:  # started as a program: its own folder is searched then, not the repository
    from client import NoAnswerError, add_service_arguments, read_json, send

ROOT = Path(__file__).resolve().parent.parent
HOLDOUT = ROOT / "data" / "holdout"
ASSETS = ROOT / "assets"
RECORDS_PER_REQUEST = 50
TOLERANCE = 1e-4  # of a probability, between one machine and another


def main() -> None:
    arguments = parse_arguments()
    wait_until_ready(arguments.url, arguments.wait)
    try:
        if (HOLDOUT / "records.npy").is_file():
            as_measured = check_holdout(arguments.url, arguments.key, arguments.show)
        else:
            as_measured = check_examples(arguments.url, arguments.key)
    except NoAnswerError as error:
        sys.exit(str(error))
    sys.exit(0 if as_measured else 1)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_service_arguments(parser)
    parser.add_argument("--show", type=int, default=20, help="how many windows to print (%(default)s)")
    parser.add_argument("--wait", type=float, default=0, help="seconds to wait for the service (%(default)s)")
    return parser.parse_args()


def wait_until_ready(url: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            requests.get(f"{url}/health/ready", timeout=10).raise_for_status()
        except requests.RequestException as error:
            if time.monotonic() > deadline:
                sys.exit(f"no service is ready at {url}: {error}")
            time.sleep(0.1)
        else:
            return


def check_holdout(url: str, key: str, show: int) -> bool:
    """Return whether every held-out window is answered as the pipeline measured; print the truth beside it."""
    records = np.load(HOLDOUT / "records.npy")
    expected = np.load(HOLDOUT / "probabilities.npy")
    with (HOLDOUT / "truth.csv").open(newline="") as file:
        truth = list(csv.DictReader(file))
    analyses = []
    for start in range(0, len(records), RECORDS_PER_REQUEST):
        analyses += ask(url, key, [{"record": r} for r in records[start : start + RECORDS_PER_REQUEST].tolist()])
    right = [answer["Prediction"] == window["label"] for answer, window in zip(analyses, truth, strict=True)]
    shown = set(np.linspace(0, len(records) - 1, min(show, len(records))).astype(int).tolist())
    print(f"{'recording':>9}  {'sample':>6}  {'truth':<10} {'prediction':<10} {'probability':>11}")
    for index, (answer, window) in enumerate(zip(analyses, truth, strict=True)):
        if index in shown or not right[index]:
            print_window(answer, window, right[index])
    print(f"{sum(right):,} of {len(right):,} held-out windows right" + (": all right" if all(right) else ""))
    difference = np.abs([list(answer["Probabilities"].values()) for answer in analyses] - expected).max()
    if difference > TOLERANCE:
        print(f"But this is not the model that the pipeline measured: probabilities are up to {difference:.0e} apart")
    return bool(difference <= TOLERANCE)


def print_window(answer: dict, window: dict, right: bool) -> None:
    prediction = answer["Prediction"]
    print(
        f"{window['recording']:>9}  {window['start']:>6}  {window['label']:<10} {prediction:<10} "
        f"{answer['Probabilities'][prediction]:>11.4f}{'' if right else '  wrong'}"
    )


def check_examples(url: str, key: str) -> bool:
    """Return whether the synthetic records are answered as the pipeline wrote down."""
    request = json.loads((ASSETS / "example.json").read_text())
    golden = json.loads((ASSETS / "example_answer.json").read_text())["Analysis"]
    differences = [
        max(
            abs(answer["Probabilities"][label] - expected["Probabilities"][label])
            for label in expected["Probabilities"]
        )
        for answer, expected in zip(ask(url, key, request), golden, strict=True)
    ]
    all_right = max(differences) <= TOLERANCE
    print(
        f"No held-out windows here: {len(request)} synthetic records were sent instead, and their probabilities are up "
        f"to {max(differences):.0e} from the golden answers: {'all right' if all_right else 'WRONG'}"
    )
    return all_right


def ask(url: str, key: str, records: list[dict]) -> list[dict]:
    """Return the analyses of records. Raises NoAnswerError."""
    return read_json(send(url, key, "POST", "/batch_predict/", json=records))["Analysis"]


if __name__ == "__main__":
    main()
