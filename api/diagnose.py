"""Ask a running service to diagnose recordings: `python api/diagnose.py recording.mat --rpm 1750`.

One file is shown in full; several, or a folder, become a table and a CSV file. With --machine and --point, files are
sent to a machine's point in the order of their time stamps.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import requests

if __package__:
    from api.client import NoAnswerError, add_service_arguments, describe, send
    from api.drawing import printable, show_answer, show_table, with_progress
    from api.sending import PointClient, send_folder
else:  # started as a program: its own folder is searched then, not the repository
    from client import NoAnswerError, add_service_arguments, describe, send
    from drawing import printable, show_answer, show_table, with_progress
    from sending import PointClient, send_folder

FIELDS = ("sampling_rate", "rpm", "bearing", "channel", "baseline_sampling_rate", "baseline_rpm")
TRIES = 5  # of a request, while the service is full
CONNECTING, TRANSFER = 10, 10  # s to connect, and that the network may take beside the service's own time
FACTS = ("rpm", "sampling_rate", "seconds")
PROBABILITIES = ("Ball", "InnerRace", "Normal", "OuterRace")
COLUMNS = ("file", "prediction", *PROBABILITIES, "familiarity", "agreement", *FACTS, "warnings", "error")


class Limits(NamedTuple):
    """What the service tells of uploads in GET /model/; the defaults hold for a service that tells nothing."""

    suffixes: tuple[str, ...] = ("",)
    most_bytes: float = float("inf")
    answer_timeout: float = 120


class Service:
    """The service, and what it is told of every recording."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.url, self.key, self.baseline = arguments.url, arguments.key, arguments.baseline
        self.form = {name: str(value) for name in FIELDS if (value := getattr(arguments, name)) is not None}
        self.form |= {"series": "false"} if arguments.several else {}  # one file's spectrum is drawn
        self.limits = Limits()
        self.limits = self.ask_limits()

    def ask_limits(self) -> Limits:
        try:
            told = self.send("GET", "/model/").json()["upload"]
            return Limits(tuple(told["suffixes"]), float(told["most_bytes"]), float(told["answer_timeout"]))
        except (ValueError, KeyError, TypeError):
            return Limits()

    def diagnose(self, path: Path) -> dict:
        """Return the service's answer. Raises NoAnswerError."""
        response = self.send("POST", "/diagnose/", data=self.form, files=self.read_files(path))
        if response.status_code == 422:
            raise NoAnswerError(describe_mistakes(response))
        try:
            if response.ok and "prediction" in response.json():
                return response.json()
        except ValueError:
            pass
        raise NoAnswerError(printable(describe(response)))

    def report(self, path: Path) -> bytes:
        """Return the service's page on a recording. Raises NoAnswerError."""
        form = {"data": self.form, "files": self.read_files(path)}
        response = self.send("POST", "/diagnose/", headers={"Accept": "text/html"}, **form)
        if response.status_code == 422:
            raise NoAnswerError(describe_mistakes(response))
        if response.ok and response.headers.get("Content-Type", "").startswith("text/html"):
            return response.content
        raise NoAnswerError(printable(describe(response)))

    def read_files(self, path: Path) -> list[tuple[str, tuple[str, bytes]]]:
        """Return field, name and content of a recording and its baseline, unless the service would not take them."""
        files, most = [("file", path), *(("baseline", each) for each in self.baseline)], self.limits.most_bytes
        try:
            size = sum(each.stat().st_size for _, each in files)
            if size > most:
                raise NoAnswerError(f"{path}: {size:,} bytes to send, the service takes {most:,.0f} at most")
            return [(field, (printable(each.name), each.read_bytes())) for field, each in files]
        except OSError as error:
            raise NoAnswerError(printable(f"{error.filename} cannot be read: {error.strerror}")) from error

    def send(self, method: str, path: str, **content: Any) -> requests.Response:
        """Return the response; a full service is asked again. Raises NoAnswerError."""
        timeout = (CONNECTING, self.limits.answer_timeout + TRANSFER)
        return send(self.url, self.key, method, path, TRIES, timeout, **content)


def main() -> None:
    sys.stdout.reconfigure(errors="replace")
    try:
        sys.exit(run(parse_arguments()))
    except (NoAnswerError, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("paths", nargs="+", type=Path, metavar="PATH", help="files, and folders of files")
    add("--sampling-rate", type=float, metavar="HZ", help="sampling rate, where the files do not say it")
    add("--rpm", type=float, help="speed of the shaft, where neither the files nor its own lines say it")
    add("--bearing", help='designation, size in mm as in "45 x 100 x 25", or geometry as in "9, 7.94, 39.04, 0"')
    add("--channel", help="channel, where a file has several (drive_end unless given); all for every one")
    add("--baseline", type=Path, action="append", default=[], metavar="FILE", help="of the healthy machine; repeatable")
    add("--baseline-sampling-rate", type=float, metavar="HZ", help="sampling rate of the baseline, where it differs")
    add("--baseline-rpm", type=float, metavar="RPM", help="speed of the baseline, where it differs")
    add("--machine", metavar="NAME", help="send the files to this machine's point instead, what it has left out")
    add("--point", metavar="NAME", help="the machine's point; it is created where there is none and --bearing is given")
    add("--unit", choices=("g", "m/s2", "mm/s"), default="", help="of the signal, where a point is created")
    add("--no-diagnosis", dest="diagnosis", action="store_false", help="only watch: each file takes less time")
    add("--watch", action="store_true", help="go on sending to the point what arrives in the folder, until Ctrl-C")
    add_service_arguments(parser)
    add("--json", action="store_true", help="print the service's answers, one a line, and nothing else")
    add("--report", type=Path, metavar="FILE", help="write a page to hand on instead: HTML that prints; of one file")
    add("--csv", type=Path, metavar="FILE", help="one row a file (diagnoses.csv for several files, unless --json)")
    arguments = parser.parse_args()
    arguments.several = len(arguments.paths) > 1 or arguments.paths[0].is_dir()
    if bool(arguments.machine) != bool(arguments.point):
        parser.error("--machine and --point belong together")
    if arguments.watch and not arguments.machine:
        parser.error("--watch needs --machine and --point")
    if arguments.machine and arguments.baseline:
        parser.error("a machine's own past is its baseline: leave --baseline out")
    if arguments.machine and (arguments.json or arguments.csv):
        parser.error("--json and --csv are of diagnoses: leave them out with --machine")
    if arguments.report and (arguments.several or arguments.machine):
        parser.error("--report is of one file")
    if arguments.several and not arguments.json and not arguments.machine:
        arguments.csv = arguments.csv or Path("diagnoses.csv")
    if arguments.csv and arguments.csv.resolve() in {path.resolve() for path in arguments.paths + arguments.baseline}:
        parser.error(f"{arguments.csv} is a recording and would be overwritten: give another --csv")
    return arguments


def run(arguments: argparse.Namespace) -> int:
    """Return the exit status: 0, 1 where a file was not diagnosed, 2 where there is none."""
    service, rows = Service(arguments), []
    if arguments.machine:
        point = PointClient(service.send, arguments)
        find = partial(find_recordings, arguments, service.limits.suffixes)
        return send_folder(point, find, arguments.watch)
    files = find_recordings(arguments, service.limits.suffixes)
    if arguments.report:
        arguments.report.write_bytes(service.report(files[0]))
        return 0
    if not files:
        kinds, places = ", ".join(filter(None, service.limits.suffixes)), ", ".join(map(str, arguments.paths))
        print(f"no {kinds or 'file'} in {places}", file=sys.stderr)
        return 2
    with (arguments.csv or Path(os.devnull)).open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, COLUMNS)
        writer.writeheader()
        for path, answer in ask_for_all(service, files, arguments.json):
            rows.append(make_row(path, answer))
            writer.writerow(rows[-1])
            table.flush()  # a run that breaks off keeps what it had
            if arguments.json and (arguments.several or not rows[-1]["error"]):
                print(json.dumps({"file": str(path)} | answer if arguments.several else answer), flush=True)
    if not arguments.several and rows[-1]["error"]:
        raise NoAnswerError(answer["error"])
    if arguments.several and not arguments.json:
        show_table(rows, arguments.csv)
    elif not arguments.json:
        show_answer(answer)
    return int(any(row["error"] for row in rows))


def find_recordings(arguments: argparse.Namespace, suffixes: tuple[str, ...]) -> list[Path]:
    """Return each recording once, in the order given; folders are searched for all but the baseline and the table."""
    left_out = {path.resolve() for path in [*arguments.baseline, arguments.csv] if path}
    found: dict[Path, None] = {}
    for path in arguments.paths:
        inside = sorted(each for each in path.rglob("*") if each.name.lower().endswith(suffixes) and each.is_file())
        wanted = [each for each in inside if each.resolve() not in left_out]
        found |= dict.fromkeys(wanted if path.is_dir() else [path])
    return list(found)


def ask_for_all(service: Service, files: list[Path], hidden: bool) -> Iterator[tuple[Path, dict]]:
    """Yield each path with the service's answer, or with {"error": words}."""
    for path in with_progress(files, hidden):
        try:
            yield path, service.diagnose(path)
        except NoAnswerError as error:
            yield path, {"error": str(error)}


def describe_mistakes(response: requests.Response) -> str:
    """Return a line for each mistake, and one for what came."""
    try:
        mistakes = response.json()["detail"]
        lines = [f"{mistake['loc'][-1]}: {mistake['msg']}".removeprefix("file: ") for mistake in mistakes]
        lines += [describe_input(mistake["input"]) for mistake in mistakes if mistake.get("input")]
    except (ValueError, KeyError, TypeError, IndexError):
        return printable(describe(response))
    return "\n".join(dict.fromkeys(map(printable, lines)))


def describe_input(came: Any) -> str:
    if not isinstance(came, dict):
        return f"what came: {came}"
    known = {name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in came.items()}
    return "what is known: " + "; ".join(f"{name} {value}" for name, value in known.items() if value)


def make_row(path: Path, answer: dict) -> dict[str, Any]:
    """Return what the CSV file says of a recording."""
    row = dict.fromkeys(COLUMNS, "") | {"file": printable(str(path))}
    if "error" in answer:
        return row | {"error": "; ".join(map(printable, answer["error"].splitlines()))}
    row |= {name: answer[name] for name in ("prediction", "familiarity")} | answer["probabilities"]
    row |= {name: answer["recording"][name] for name in FACTS}
    return row | {"agreement": answer["agreement"]["verdict"], "warnings": "; ".join(printable(answer["warnings"]))}


if __name__ == "__main__":
    main()
