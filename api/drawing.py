"""How api/diagnose.py draws in a terminal: one answer in full, or many as a table."""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

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
Mark = tuple[int, str, str]  # column, text, style


def show_answer(answer: dict) -> None:
    """Print all that a person wants to see of one recording."""
    console = plain_console()
    console.print(draw(printable(answer), console))


def show_table(rows: list[dict[str, Any]], written: Path) -> None:
    """Print a line for each recording, what went wrong or needs a look, and where the table was written."""
    plain_console().print(draw_summary(rows, written))


def plain_console() -> Console:
    """Return a console that prints texts as they are: brackets in them are no markup."""
    return Console(markup=False, highlight=False, emoji=False)


def with_progress(paths: list[Path], hidden: bool) -> Iterator[Path]:
    """Yield the paths; where stderr is a terminal, show there how far they are."""
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal) as progress:
        task = progress.add_task("", total=len(paths))
        for path in paths:
            progress.update(task, description=printable(path.name))
            yield path
            progress.advance(task)


def printable(value: Any) -> Any:
    """Return an answer or a text without characters that steer a terminal: names in it come from files."""
    if isinstance(value, dict):
        return {key: printable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [printable(each) for each in value]
    return "".join(c if c.isprintable() else "?" for c in value) if isinstance(value, str) else value


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
    share = percent(row[row["prediction"]]) if row["prediction"] in row else ""  # Unknown has none
    return [Text(words.capitalize(), style), share, percent(row["familiarity"]), Text(verdict, VERDICTS[verdict][1])]


def draw(answer: dict, console: Console) -> Group:
    model, milliseconds = answer["provenance"]["diagnosis_sha256"][:12], answer["execution_time_ms"]
    verdict, explanation = answer["agreement"]["verdict"], answer["agreement"]["explanation"]
    return Group(
        draw_verdict(answer),
        *draw_channels(answer.get("all_channels", [])),
        *(Text(f"! {warning}", "yellow") for warning in answer["warnings"]),
        "",
        draw_tables(answer, console.width),
        Text(f"\n* {describe_familiarity(answer['familiarity'])}", "dim"),
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


def draw_channels(channels: list[dict[str, Any]]) -> Iterator[Table]:
    """Yield a table of all channels, the most damaged first, where they were asked for."""
    if not channels:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("channel", "diagnosis", "why"):
        table.add_column(name, overflow="fold")
    for each in channels:
        words, _, style = KINDS.get(each["prediction"], Kind("not diagnosed", "-", "dim"))
        why = each.get("reason") or each["agreement"]["explanation"]
        table.add_row(each["channel"], Text(words.capitalize(), style), why)
    yield table


def percent(share: float) -> str:
    """Return a share in words that never claim certainty."""
    return "over 99 %" if share > 0.995 else "under 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def find_shaft_rate(answer: dict) -> float:
    """Return the turns a second at which the lines were looked for."""
    return answer["speed_factor"] * answer["recording"]["rpm"] / 60


def draw_tables(answer: dict, width: int) -> Table | Group:
    physics = draw_physics(answer["agreement"]["lines"], find_shaft_rate(answer))
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
    return table


def describe_familiarity(familiarity: float) -> str:
    share = percent(1 - familiarity)
    bearings = "the windows of training's bearings, each bearing left out in turn,"
    return f"not in the sum: {share} of {bearings} were less unlike the other bearings"


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
    axis = f"{end:.1f} orders, {end * find_shaft_rate(answer):,.0f} Hz"
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
