"""How api/diagnose.py sends a folder to a machine's point: in the order of its time stamps, each file once."""

import argparse
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import requests

if __package__:
    from api.client import NoAnswerError, describe, read_json
    from api.drawing import printable, with_progress
else:  # started as a program: its own folder is searched then, not the repository
    from client import NoAnswerError, describe, read_json
    from drawing import printable, with_progress

# A date and a time of day, as in 2026-01-31T12-00-05.123Z, 20260131_120005 or 2003.10.22.12.06.24
STAMP = re.compile(
    r"(?<!\d)(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})[-_.T ]?(\d{2})[-_.:h]?(\d{2})[-_.:m]?(\d{2})(?:[.,](\d{1,6})(?!\d))?(Z)?"
)
PAGE = 1_000  # recordings that the service tells at once
PAUSE = 2.0  # s between two looks at a watched folder
Find = Callable[[], list[Path]]
Ask = Callable[..., requests.Response]


class RefusedFileError(NoAnswerError):
    """The service does not take this file, whenever it is sent."""


class Seen(NamedTuple):
    """A file in a watched folder, at one look."""

    size: int
    taken_at: datetime


class PointClient:
    """A point of a machine behind a service; `ask` is Service.send of api/diagnose.py."""

    def __init__(self, ask: Ask, arguments: argparse.Namespace) -> None:
        self.ask, self.path = ask, f"/machines/{arguments.machine}/points/{arguments.point}"
        known = {"sampling_rate": arguments.sampling_rate, "rpm": arguments.rpm, "channel": arguments.channel}
        self.form = {name: str(value) for name, value in known.items() if value is not None}
        self.settings = {name: value for name, value in known.items() if value is not None}
        self.settings |= {"bearing": arguments.bearing, "unit": arguments.unit}
        self.form |= {} if arguments.diagnosis else {"diagnose": "false"}

    def open(self) -> dict[str, Any]:
        """Return the point, which is created where there is none and its bearing is given. Raises NoAnswerError."""
        answer = self.ask("GET", self.path)
        if answer.status_code == 404 and "no point" in answer.text:
            if not self.settings["bearing"]:
                raise NoAnswerError(f"the service has no {self.path}: give --bearing, and it is created")
            answer = self.ask("PUT", self.path, json=self.settings)
        return read_json(answer)

    def count_moments(self) -> Counter[datetime]:
        """Return how many recordings the service has of each moment. Raises NoAnswerError."""
        moments: dict[int, datetime] = {}
        until: dict[str, str] = {}
        while True:
            query = {"limit": str(PAGE)} | until
            told = read_json(self.ask("GET", f"{self.path}/recordings", params=query))
            page = {each["id"]: datetime.fromisoformat(each["taken_at"]) for each in told}
            if page.keys() <= moments.keys():
                return Counter(moments.values())
            moments |= page
            until = {"until": min(page.values()).isoformat()}

    def send(self, path: Path, taken_at: datetime) -> dict[str, Any]:
        """Return the answer to a recording. Raises NoAnswerError, RefusedFileError where the file is at fault."""
        try:
            files = {"file": (printable(path.name), path.read_bytes())}
        except OSError as error:
            raise RefusedFileError(f"{path} cannot be read: {error.strerror}") from error
        form = self.form | {"taken_at": taken_at.isoformat()}
        answer = self.ask("POST", f"{self.path}/recordings", data=form, files=files)
        if answer.status_code in (400, 413, 422):
            raise RefusedFileError(find_words(answer))
        return read_json(answer)


def find_words(answer: requests.Response) -> str:
    try:
        detail = answer.json()["detail"]
        return printable(detail if isinstance(detail, str) else "; ".join(each["msg"] for each in detail))
    except (ValueError, KeyError, TypeError):
        return printable(describe(answer))


def read_stamp(path: Path) -> datetime:
    """Return when a file was recorded: as its name says, in the local zone unless with a Z, or when it was changed."""
    found = STAMP.search(path.name)
    if found:
        *numbers, fraction, zulu = found.groups()
        try:
            moment = datetime(*map(int, numbers), int((fraction or "0").ljust(6, "0")))
            return moment.replace(tzinfo=UTC) if zulu else moment.astimezone()
        except ValueError:
            pass  # digits that are no date
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def send_folder(point: PointClient, find: Find, watch: bool) -> int:
    """Send what the service does not have yet; return 1 where a file was refused. Raises NoAnswerError."""
    if watch:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # what a system ends a service with is a Ctrl-C, too
    level, there, counts = point.open()["state"]["level"], point.count_moments(), Counter()
    for path in follow(find) if watch else with_progress(sorted(find(), key=read_stamp), hidden=False):
        try:
            taken_at = read_stamp(path)
            if there[taken_at]:
                there[taken_at] -= 1
                counts["there already"] += 1
                continue
            state = (send_patiently if watch else PointClient.send)(point, path, taken_at)["state"]
        except (RefusedFileError, FileNotFoundError) as error:  # it may vanish while those before it are sent
            counts["refused"] += 1
            say(f"{path}: {error}")
            continue
        counts["sent"] += 1
        if state["level"] != level:
            say(f"{taken_at:%Y-%m-%d %H:%M} {level} -> {state['level']}: {state['reason']}")
        level = state["level"]
    say(", ".join(f"{name}: {counts[name]}" for name in ("sent", "there already", "refused")))
    state = point.open()["state"]
    print(printable(f"{state['level']}{': ' + state['reason'] if state['reason'] else ''}"))
    return int(counts["refused"] > 0)


def say(text: str) -> None:
    print(printable(text), file=sys.stderr, flush=True)


def look_at(files: Iterable[Path]) -> dict[Path, Seen]:
    """Return what is seen of each file; one that vanished after it was listed is left out."""
    found = {}
    for path in files:
        with suppress(FileNotFoundError):
            found[path] = Seen(path.stat().st_size, read_stamp(path))
    return found


def follow(find: Find) -> Iterator[Path]:
    """Yield files in order, then each that arrives, once its size has not changed between two looks; Ctrl-C ends it."""
    done: set[Path] = set()
    before: dict[Path, Seen] = {}
    try:
        while True:
            present = look_at(path for path in find() if path not in done)
            ready = [path for path, seen in present.items() if path in before and before[path].size == seen.size]
            for path in sorted(ready, key=lambda path: present[path].taken_at):
                done.add(path)
                yield path
            before = present
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        return


def send_patiently(point: PointClient, path: Path, taken_at: datetime) -> dict[str, Any]:
    """Return the answer to a recording, however long the service is gone. Raises RefusedFileError."""
    told = False
    while True:
        try:
            return point.send(path, taken_at)
        except RefusedFileError:
            raise
        except NoAnswerError as error:
            if not told:
                say(f"{error}; trying again until it answers")
            told = True
            time.sleep(PAUSE)
