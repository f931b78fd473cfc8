"""Ask a running service to diagnose recordings: `python api/diagnose.py recording.mat --rpm 1750`.

One file is shown in full; several, or a folder, become a table and a CSV file.
"""

import argparse
import csv
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import requests
from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

SUFFIXES = (".mat", ".csv", ".txt", ".wav", ".npy", ".gz")
FIELDS = ("sampling_rate", "rpm", "bearing", "channel", "baseline_sampling_rate", "baseline_rpm")
TRIES = 5
LONGEST_WAIT = 30.0  # s, whatever Retry-After says
TIMEOUT = (10, 150)  # s to connect, and to be answered: the service itself gives up after two minutes
BESIDE = 100  # columns from which both tables stand side by side
ROWS = 3  # of the spectrum
BLOCKS, ASCII_BLOCKS = " ▁▂▃▄▅▆▇█", " _.-:=+*#"


class Kind(NamedTuple):
    words: str
    letter: str
    style: str


KINDS = {
    "OuterRace": Kind("outer race", "O", "red"),
    "InnerRace": Kind("inner race", "I", "magenta"),
    "Ball": Kind("ball", "B", "cyan"),
    "Normal": Kind("healthy", "N", "green"),
    "Unknown": Kind("unknown", "?", "yellow"),
}
VERDICTS = {
    "supports": ("The lines support the network", "green"),
    "contradicts": ("The lines contradict the network", "red"),
    "inconclusive": ("The lines are inconclusive", "yellow"),
}
PROBABILITIES = ("Ball", "InnerRace", "Normal", "OuterRace")
FACTS = ("rpm", "sampling_rate", "seconds")
Mark = tuple[int, str, str]  # column, text, style
COLUMNS = ("file", "prediction", *PROBABILITIES, "familiarity", "agreement", *FACTS, "warnings", "error")


class NoAnswerError(Exception):
    """A recording was not diagnosed; the text says why."""


class Service:
    """Whom to ask, and what to say of every recording."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.url, self.baseline = arguments.url.rstrip("/"), arguments.baseline
        self.form = {name: str(value) for name in FIELDS if (value := getattr(arguments, name)) is not None}
        self.form |= {"series": "false"} if arguments.several else {}  # one file's spectrum is drawn
        self.most_bytes = self.ask_limit()

    def ask_limit(self) -> float:
        try:
            return float(self.send("GET", "/model/").json()["upload"]["most_bytes"])
        except (ValueError, KeyError, TypeError):
            return float("inf")

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
        raise NoAnswerError(printable(f"{response.status_code} from {response.url}: {response.text[:500]}"))

    def read_files(self, path: Path) -> list[tuple[str, tuple[str, bytes]]]:
        """Return field, name and content of a recording and its baseline, unless the service would not take them."""
        files = [("file", path), *(("baseline", each) for each in self.baseline)]
        try:
            size = sum(each.stat().st_size for _, each in files)
            if size > self.most_bytes:
                raise NoAnswerError(f"{path}: {size:,} bytes to send, the service takes {self.most_bytes:,.0f} at most")
            return [(field, (printable(each.name), each.read_bytes())) for field, each in files]
        except OSError as error:
            raise NoAnswerError(printable(f"{error.filename} cannot be read: {error.strerror}")) from error

    def send(self, method: str, path: str, **content: Any) -> requests.Response:
        """Return the response; where it says when to ask again, ask again then."""
        for tries_left in reversed(range(TRIES)):
            try:
                response = requests.request(method, self.url + path, timeout=TIMEOUT, **content)
            except requests.RequestException as error:
                start = "start it with `python -m api`" if "refused" in str(error) else str(error)
                raise NoAnswerError(f"no service at {self.url}: {start}") from error
            wait = response.headers.get("Retry-After")
            if response.status_code != 503 or not wait or not tries_left:
                break
            time.sleep(min(float(wait), LONGEST_WAIT) if wait.isdecimal() else 1)
        return response


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
    add("--sampling-rate", type=float, metavar="HZ", help="where the files do not say it")
    add("--rpm", type=float, help="speed of the shaft, where the files do not say it")
    add("--bearing", help='designation, or geometry as in "9, 7.94, 39.04, 0"')
    add("--channel", help="drive_end unless given, where a file has several")
    add("--baseline", type=Path, action="append", default=[], metavar="FILE", help="of the healthy machine; repeatable")
    add("--baseline-sampling-rate", type=float, metavar="HZ", help="where it differs")
    add("--baseline-rpm", type=float, metavar="RPM", help="where it differs")
    add("--url", default="http://127.0.0.1:8000", help="where the service listens (%(default)s)")
    add("--json", action="store_true", help="print the service's answers, one a line, and nothing else")
    add("--csv", type=Path, metavar="FILE", help="one row a file (diagnoses.csv for several files, unless --json)")
    arguments = parser.parse_args()
    arguments.several = len(arguments.paths) > 1 or arguments.paths[0].is_dir()
    if arguments.several and not arguments.json:
        arguments.csv = arguments.csv or Path("diagnoses.csv")
    written, healthy = arguments.csv and arguments.csv.resolve(), {path.resolve() for path in arguments.baseline}
    arguments.files = find_recordings(arguments.paths, {written, *healthy})
    if not arguments.files:
        parser.error(f"no {', '.join(SUFFIXES)} in {', '.join(map(str, arguments.paths))}")
    if written in {*healthy, *(path.resolve() for path in arguments.files)}:
        parser.error(f"{arguments.csv} is a recording and would be overwritten: give another --csv")
    return arguments


def find_recordings(paths: list[Path], left_out: set[Path | None]) -> list[Path]:
    """Return each recording once, in the order given; what is left out of folders may still be named itself."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file())
        wanted = [each for each in inside if each.resolve() not in left_out]
        found |= dict.fromkeys(wanted if path.is_dir() else [path])
    return list(found)


def run(arguments: argparse.Namespace) -> int:
    """Return the exit status."""
    service, rows = Service(arguments), []
    with (arguments.csv or Path(os.devnull)).open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, COLUMNS)
        writer.writeheader()
        for path, answer in ask_for_all(service, arguments):
            rows.append(make_row(path, answer))
            writer.writerow(rows[-1])
            table.flush()  # a run that breaks off keeps what it had
            if arguments.json and (arguments.several or not rows[-1]["error"]):
                print(json.dumps({"file": str(path)} | answer if arguments.several else answer), flush=True)
    if not arguments.several and rows[-1]["error"]:
        raise NoAnswerError(answer["error"])
    if not arguments.json:
        console = Console(markup=False, highlight=False, emoji=False)
        console.print(draw_summary(rows, arguments.csv) if arguments.several else draw(printable(answer), console))
    return int(any(row["error"] for row in rows))


def ask_for_all(service: Service, arguments: argparse.Namespace) -> Iterator[tuple[Path, dict]]:
    """Yield each path with the service's answer, or with {"error": words}."""
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    hidden = arguments.json or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=len(arguments.files))
        for path in arguments.files:
            progress.update(task, description=printable(path.name))
            try:
                yield path, service.diagnose(path)
            except NoAnswerError as error:
                yield path, {"error": str(error)}
            progress.advance(task)


def printable(value: Any) -> Any:
    """Return an answer or a text without what would steer a terminal: names in it come from files."""
    if isinstance(value, dict):
        return {key: printable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [printable(each) for each in value]
    return "".join(c if c.isprintable() else "?" for c in value) if isinstance(value, str) else value


def describe_mistakes(response: requests.Response) -> str:
    """Return a line for each mistake, and one for what came."""
    try:
        mistakes = response.json()["detail"]
        lines = [f"{mistake['loc'][-1]}: {mistake['msg']}".removeprefix("file: ") for mistake in mistakes]
        lines += [describe_input(mistake["input"]) for mistake in mistakes if mistake.get("input")]
    except (ValueError, KeyError, TypeError, IndexError):
        return printable(f"422 from {response.url}: {response.text[:500]}")
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


def draw_summary(rows: list[dict[str, Any]], written: Path) -> Group:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("file", "diagnosis", "probability", "familiarity", "lines"):
        table.add_column(name, justify="right" if name.endswith("ity") else "left", overflow="fold")
    common = os.path.commonpath([Path(row["file"]).parent for row in rows])
    names = [os.path.relpath(row["file"], common) for row in rows]
    for name, row in zip(names, rows, strict=True):
        table.add_row(name, *([Text("error", "bold red")] if row["error"] else summarise(row)))
    errors = [Text(f"\n{text}", "red") for text in tell_once(names, [row["error"] for row in rows])]
    errors += [Text(f"\n! {text}", "yellow") for text in tell_once(names, [row["warnings"] for row in rows])]
    counts = Counter("error" if row["error"] else KINDS[row["prediction"]].words for row in rows)
    words = ", ".join(f"{number} {kind}" for kind, number in counts.most_common())
    return Group(table, *errors, f"\n{words}: written to {written}")


def tell_once(names: list[str], texts: list[str]) -> Iterator[str]:
    """Yield each text once, with the files for which it holds."""
    alike: dict[str, list[str]] = {}
    for name, text in zip(names, texts, strict=True):
        alike.setdefault(text, []).append(name)
    alike.pop("", None)
    return (f"{files[0]}{f' and {len(files) - 1} more' * (len(files) > 1)}: {text}" for text, files in alike.items())


def summarise(row: dict[str, Any]) -> list[str | Text]:
    (words, _, style), verdict = KINDS[row["prediction"]], row["agreement"]
    share = percent(row[row["prediction"]]) if row["prediction"] in PROBABILITIES else ""
    return [Text(words.capitalize(), style), share, percent(row["familiarity"]), Text(verdict, VERDICTS[verdict][1])]


def draw(answer: dict, console: Console) -> Group:
    """Return all that a person wants to see of one recording."""
    model, milliseconds = answer["provenance"]["diagnosis_sha256"][:12], answer["execution_time_ms"]
    verdict, explanation = answer["agreement"]["verdict"], answer["agreement"]["explanation"]
    return Group(
        draw_verdict(answer),
        *(Text(f"! {warning}", "yellow") for warning in answer["warnings"]),
        "",
        draw_tables(answer, console.width),
        Text.assemble("\n", VERDICTS[verdict], f": {explanation}\n"),
        *draw_spectrum(answer, console.width, ASCII_BLOCKS if console.options.ascii_only else BLOCKS),
        *draw_windows(answer, console.width),
        Text(f"\nanswered in {milliseconds:.0f} ms by diagnosis model {model}", "dim"),
    )


def draw_verdict(answer: dict) -> Panel:
    kind, recording = answer["prediction"], answer["recording"]
    words, _, style = KINDS[kind]
    if kind == "Unknown":
        verdict = f"Unknown: {answer['reason']}"
    else:
        fault = "" if kind == "Normal" else " fault"
        verdict = f"{words.capitalize()}{fault}, {percent(answer['probabilities'][kind])}"
    names = f"{recording['file']}, channel {recording['channel']}, bearing {recording['bearing']}"
    facts = f"{recording['seconds']:.3g} s at {recording['sampling_rate']:,g} Hz, {recording['rpm']:,g} rpm"
    return Panel(Group(Text(verdict, f"bold {style}"), f"{names}, {facts}"), border_style=style)


def percent(share: float) -> str:
    """Return a share in words that never claim certainty."""
    return "over 99 %" if share > 0.995 else "under 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def draw_tables(answer: dict, width: int) -> Table | Group:
    physics = draw_physics(answer["agreement"]["lines"], answer["recording"]["rpm"] / 60)
    if width < BESIDE:
        return Group(draw_network(answer, max(min(width, 80) - 30, 6)), "", physics)
    both = Table.grid(padding=(0, 3))
    both.add_row(draw_network(answer, width - BESIDE + 10), physics)
    return both


def draw_network(answer: dict, bar: int) -> Table:
    table = Table("network", "", box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column(justify="right")
    shares = sorted(answer["probabilities"].items(), key=lambda pair: -pair[1])
    for kind, share in [*shares, ("Unknown", 1 - answer["familiarity"])]:
        words, _, style = KINDS[kind]
        name = Text(words.capitalize() + ("*" if kind == "Unknown" else ""), style)
        table.add_row(name, ProgressBar(1, share, bar, complete_style=style, finished_style=style), percent(share))
    table.add_row("", Text("* outside the sum", "dim"), "")
    return table


def draw_physics(lines: list[dict], shaft_rate: float) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", show_header=bool(lines))
    for name in ("physics", "line", "order", "Hz", "harmonics", "stands out"):
        table.add_column(name, justify="right" if name in ("order", "Hz") else "left", overflow="fold")
    for line in lines:
        words, _, style = KINDS[line["fault"]]
        heights = " ".join(f"{height:.{0 if height >= 10 else 1}f}x" for height in line["heights"])
        numbers = f"{line['order']:.3f}", f"{line['order'] * shaft_rate:.1f}", heights
        clear = Text("yes", style) if line["stands_out"] else Text("no", "dim")
        table.add_row(Text(words.capitalize(), style), line["name"], *numbers, clear)
    return table


def draw_spectrum(answer: dict, width: int, blocks: str) -> Iterator[Text]:
    """Yield the envelope spectrum over shaft orders, and under it where the bearing's lines lie."""
    spectrum, (low, high) = answer.get("series", {}).get("envelope_spectrum"), answer["agreement"]["band"]
    if not spectrum:
        return
    lines, amplitudes, spacing = answer["agreement"]["lines"], spectrum["amplitude"], spectrum["orders_per_point"]
    marks = find_marks(lines, spacing, len(amplitudes), width)
    kinds = [(KINDS[line["fault"]], line["name"].replace(" ", "")) for line in lines]
    letters = [(f"  {letter}={name}", style) for (_, letter, style), name in kinds]
    yield Text.assemble((f"envelope spectrum, {low:,} to {high:,} Hz", "dim"), *letters)
    yield from draw_cells(highest_in_cells(amplitudes, width), marks, blocks)
    yield from place_marks(marks)
    end = len(amplitudes) * spacing
    axis = f"{end:.1f} orders, {end * answer['recording']['rpm'] / 60:,.0f} Hz"
    yield Text(f"0{axis:>{width - 1}}\n", "dim")


def highest_in_cells(values: list[float], width: int) -> list[float]:
    """Return the highest value of each of width equal stretches; where values are fewer, they are repeated."""
    starts = [cell * len(values) // width for cell in range(width + 1)]
    return [max(values[start : max(end, start + 1)]) for start, end in pairwise(starts)]


def find_marks(lines: list[dict], spacing: float, points: int, width: int) -> list[Mark]:
    """Return a mark for every harmonic within the spectrum, from left to right."""
    marks = []
    for line in lines:
        _, letter, style = KINDS[line["fault"]]
        for harmonic in range(1, len(line["heights"]) + 1):
            point = round(harmonic * line["order"] / spacing)
            if point < points:
                text = f"{letter}{harmonic}" if harmonic > 1 else letter
                marks.append((((point + 1) * width - 1) // points, text, style))
    return sorted(marks)


def draw_cells(cells: list[float], marks: list[Mark], blocks: str) -> Iterator[Text]:
    steps = len(blocks) - 1
    heights = [max(round(ROWS * steps * cell / (max(cells) or 1)), 1) for cell in cells]
    for row in reversed(range(ROWS)):
        text = Text("".join(blocks[min(max(height - row * steps, 0), steps)] for height in heights))
        for column, _, style in marks:
            text.stylize(style, column, column + 1)
        yield text


def place_marks(marks: list[Mark]) -> list[Text]:
    """Return as many lines as it takes for no mark to cover another."""
    rows: list[Text] = []
    for column, text, style in marks:
        row = next((row for row in rows if len(row) < column), None)
        if row is None:
            rows.append(row := Text())
        row.append(" " * (column - len(row))).append(text, style)
    return rows


def draw_windows(answer: dict, width: int) -> Iterator[Text]:
    """Yield a letter for each window, or for the commonest of several where they outnumber the columns."""
    slots = {round(2 * each["start"] / answer["window_seconds"]): each["prediction"] for each in answer["windows"]}
    if not slots:
        return
    each, strip = max(slots) // width + 1, Text()
    for first in range(0, max(slots) + 1, each):
        inside = Counter(slots[slot] for slot in range(first, first + each) if slot in slots)
        _, letter, style = KINDS[inside.most_common(1)[0][0]] if inside else ("", " ", "")
        strip.append(letter, style)
    counts = [(KINDS[kind], number) for kind, number in Counter(slots.values()).most_common()]
    yield Text(f"{len(slots)} windows of {answer['window_seconds']:.2f} s, overlapping by half", "dim")
    yield strip
    yield Text(f"0{answer['recording']['seconds']:>{max(len(strip) - 3, 7)}.3g} s", "dim")
    yield Text(", ").join(Text(f"{letter} {words} {number}", style) for (words, letter, style), number in counts)


if __name__ == "__main__":
    main()
