"""Recordings as text: numbers in lines and columns, with or without a head, in any customary way to write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from api.channels import (
    EXPECTED,
    MAX_CHANNELS,
    Recording,
    UnreadableError,
    Vector,
    check_length,
    choose,
    counted,
    pick,
    positive,
    shown,
)

MAX_HEAD = 50  # lines before the numbers
LONGEST_LINE = 16_384  # characters
FIRST_ROWS = 1000  # looked at to tell a time axis
NUMBER = r"([-+]?[\d.,]++(?:[eE][-+]?\d+)?)"
IS = r"\s*+(?:[:=;,]\s*+|(?<=\s))"  # possessive, so that a line of blanks is passed once
RATE_LINE = re.compile(
    rf"\b(?:sampl(?:e|ing)[ _-]?(?:rate|frequency)|fs|sr)\s*+(?:[(\[](k?)hz[)\]])?{IS}{NUMBER}\s*(k?)(?:hz)?",
    re.IGNORECASE,
)
RPM_LINE = re.compile(rf"(?<!\d)(?<!\d )\b(?:speed[ _]?)?[(\[]?rpm[)\]]?{IS}{NUMBER}|{NUMBER}\s*+rpm\b", re.IGNORECASE)
DECIMAL_COMMAS = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?(?:\s+[-+]?\d+,\d+(?:[eE][-+]?\d+)?)+")
TIME_UNITS = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "usec", "\u00b5s", "\u03bcs", "microsecond", "microseconds"), 1e-6),
}
TIME_NAMES = {"t", "time", "timestamp", "elapsed", "s", "sec", "secs", "second", "seconds", *TIME_UNITS}


class Lines:
    """The lines of a text, blank ones left out, remembering the last one: what is wrong is wrong there."""

    def __init__(self, text: str, number: int) -> None:
        """number counts the lines that stand before the text."""
        self.text, self.number, self.line = text, number, ""

    def __iter__(self) -> Iterator[str]:
        start = 0
        while start < len(self.text):
            stop = end_of_line(self.text, start)
            self.number += 1
            if stop - start > LONGEST_LINE:
                raise too_long(self.number)
            line = self.text[start:stop]
            if line and not line.isspace():
                self.line = line
                yield line
            start = stop + 1


def end_of_line(text: str, start: int) -> int:
    stop = text.find("\n", start)
    return stop if stop >= 0 else len(text)


@dataclass
class Table:
    """The numbers of a text file, not yet parsed, and how they are written."""

    text: str
    first_line: int  # how many lines stand before the text
    separator: str | None  # None: blanks
    names: list[str]
    sampling_rate: float | None
    rpm: float | None
    notes: list[str] = field(default_factory=list)


def read_text(content: bytes, name: str, channel: str) -> Recording:
    table = open_table(decode(content, name), name)
    has_axis = len(table.names) > 1 and is_axis(table.names[0], load(table, [0], FIRST_ROWS)[:, 0])
    names = table.names[1:] if has_axis else table.names
    chosen = choose(names, channel)
    # The last column is read so that a line with too few is noticed.
    wanted = sorted({0, table.names.index(chosen), len(table.names) - 1})
    columns = dict(zip(wanted, load(table, wanted).T, strict=True))
    if has_axis:
        read_axis(table, columns[0])
    vector = Vector(columns[table.names.index(chosen)], table.sampling_rate, table.rpm)
    recording = pick({chosen: vector}, chosen, table.notes)
    recording.channels = names
    return recording


def decode(content: bytes, name: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16")
    elif b"\0" in content:
        raise UnreadableError(f"{shown(name)} is neither text nor of a format known here; {EXPECTED}")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace('"', "")


def open_table(text: str, name: str) -> Table:
    """Tell how a text writes its numbers, and read what stands before them."""
    head, start, line = split_head(text, name)
    separator = guess_separator(line)
    text = text[start:] if separator == "," else text[start:].replace(",", ".")
    columns = len(split_fields(line, separator))
    if columns > MAX_CHANNELS + 1:
        raise UnreadableError(f"line {len(head) + 1} has {columns:,} columns, expected at most {MAX_CHANNELS}")
    sampling_rate, rpm = read_head(head)
    check_length(count_rows(text), sampling_rate, least=0)
    check_columns(Lines(text, len(head)), separator, columns)
    return Table(text, len(head), separator, name_columns(head, separator, columns), sampling_rate, rpm)


def count_rows(text: str) -> int:
    # Lines are counted before they are parsed: this takes milliseconds, and parsing millions takes seconds.
    return text.rstrip().count("\n") + 1


def read_head(head: list[str]) -> tuple[float | None, float | None]:
    """Return the sampling rate in Hz and the rpm that the lines before the numbers give."""
    rate_line = next(filter(None, map(RATE_LINE.search, head)), None)
    rpm_line = next(filter(None, map(RPM_LINE.search, head)), None)
    sampling_rate = as_number(rate_line[2]) if rate_line else None
    if sampling_rate and "k" in f"{rate_line[1]}{rate_line[3]}".lower():
        sampling_rate *= 1000
    return positive(sampling_rate), positive(as_number(rpm_line[1] or rpm_line[2]) if rpm_line else None)


def split_head(text: str, name: str) -> tuple[list[str], int, str]:
    """Return the lines before the numbers, where the numbers start, and their first line."""
    head, start = [], 0
    while len(head) <= MAX_HEAD and start < len(text):
        stop = end_of_line(text, start)
        if stop - start > LONGEST_LINE:
            raise too_long(len(head) + 1)
        line = text[start:stop].strip(" ")
        separator = guess_separator(line)
        fields = split_fields(line, separator)
        if any(fields) and all(is_number(value, separator) for value in fields if value):
            return head, start, line
        head.append(line[:200])
        start = stop + 1
    first = next(filter(None, head), "blank lines")
    raise UnreadableError(
        f"{shown(name)} starts with '{shown(first)}', and {counted(len(head), 'line')} on there are no numbers yet"
    )


def too_long(number: int) -> UnreadableError:
    return UnreadableError(f"line {number:,} has more than {LONGEST_LINE:,} characters: expected one sample a line")


def guess_separator(line: str) -> str | None:
    for mark in ";\t":
        if mark in line:
            return mark
    return "," if "," in line and not DECIMAL_COMMAS.fullmatch(line.strip()) else None


def split_fields(line: str, separator: str | None) -> list[str]:
    """Return a line's fields; a separator at its end ends the last one."""
    fields = [value.strip() for value in line.strip(" ").split(separator)]
    return fields[:-1] if fields and not fields[-1] else fields


def is_number(value: str, separator: str | None) -> bool:
    try:
        float(value if separator == "," else value.replace(",", "."))
    except ValueError:
        return False
    return True


def as_number(text: str) -> float | None:
    """Return a number of a head line, where 12,000 is twelve thousand and 25,6 is not."""
    text = re.sub(r",(?=\d{3}(?:\D|$))", "", text.rstrip(".,")).replace(",", ".")
    return float(text) if is_number(text, ",") else None


def check_columns(lines: Lines, separator: str | None, columns: int) -> None:
    for line in islice(lines, MAX_HEAD):
        came = len(split_fields(line, separator))
        if came != columns:
            raise UnreadableError(
                f"line {lines.number:,} has {counted(came, 'column')}, those before it have {columns:,}"
            )


def name_columns(head: list[str], separator: str | None, columns: int) -> list[str]:
    """Return the names that the last fitting head line gives, with its units where they have a line; else 0, 1, ..."""
    lines = [line for line in head if line.strip()]
    if columns == 1:  # then any remark would fit
        lines = [line for line in lines[-1:] if not line.startswith(("#", "%"))]
    lines = [line for line in lines if not RATE_LINE.search(line) and not RPM_LINE.search(line)]
    rows = [split_fields(line.lstrip("#% "), separator if columns > 1 else "\n") for line in lines]
    rows = [row for row in rows if len(row) == columns]
    names = rows[-1] if rows else [""] * columns
    if len(rows) > 1 and all(unit.startswith(("(", "[")) for unit in names if unit):
        names = [f"{name} {unit}".strip() for name, unit in zip(rows[-2], names, strict=True)]
    return [
        str(index) if not name else f"{name}[{index}]" if name in names[:index] else name
        for index, name in enumerate(names)
    ]


def load(table: Table, columns: list[int], rows: int | None = None) -> np.ndarray:
    """Parse some columns, float64 (rows, columns). Raises UnreadableError that names the line."""
    lines = Lines(table.text, table.first_line)
    try:
        return np.loadtxt(
            lines, delimiter=table.separator, usecols=columns, comments=None, ndmin=2, max_rows=rows, dtype=np.float64
        )
    except UnreadableError:
        raise
    except ValueError:
        fields = split_fields(lines.line, table.separator)
        came = [fields[column] for column in columns if column < len(fields)]
        wrong = next((value for value in came if not is_number(value, ",")), lines.line.strip())
        expected = f"{len(table.names):,} columns of numbers" if len(table.names) > 1 else "a number"
        raise UnreadableError(f"line {lines.number:,} has '{shown(wrong)}', expected {expected}") from None


def time_unit(name: str) -> float | None:
    """Return the seconds that a time axis of this name counts in; None where the name is none of a time axis."""
    words = re.findall(r"[^\W_]+", name.lower())
    if not words or words[0] not in TIME_NAMES:
        return None
    return next((TIME_UNITS[word] for word in words if word in TIME_UNITS), 1.0)


def is_axis(name: str, values: np.ndarray) -> bool:
    """Return whether the first rows of the first column count time, or samples: by its name, or by even steps."""
    steps = np.diff(values)
    if not len(steps) or not np.isfinite(steps).all() or steps.min() < 0 or values[-1] <= values[0]:
        return False
    return time_unit(name) is not None or (len(steps) >= 3 and has_even_steps(values))


def has_even_steps(times: np.ndarray) -> bool:
    """Return whether all steps are within 1 % of the median, or no time is far from its place: then it was rounded."""
    steps = np.diff(times)
    step = np.median(steps)
    line = np.linspace(times[0], times[-1], len(times))
    is_rounded = np.abs(times - line).max() <= 0.05 * (line[1] - line[0])
    return bool(step > 0 and (np.abs(steps - step).max() <= 0.01 * step or is_rounded))


def read_axis(table: Table, times: np.ndarray) -> None:
    """Take the sampling rate from the time axis, unless the head has given one, and note what was done."""
    name = table.names[0]
    called = "the first column" if name.isdecimal() else f"the column {shown(name)}"
    unit = time_unit(name) or 1.0
    if not np.isfinite(times).all() or len(times) < 3 or not has_even_steps(times):
        table.notes.append(f"no sampling rate was read from {called}: its steps are uneven")
        return
    rate = (len(times) - 1) / ((times[-1] - times[0]) * unit)
    rate = float(round(rate)) if abs(rate - round(rate)) < 1e-4 * rate else float(rate)
    if rate == 1:
        table.notes.append(f"{called} counts samples and was left out")
    elif table.sampling_rate is None:
        table.sampling_rate = rate
        table.notes.append(f"the sampling rate {rate:,.10g} Hz was read from {called}")
    elif abs(table.sampling_rate / rate - 1) > 0.01:
        table.notes.append(
            f"the file gives a sampling rate of {table.sampling_rate:,.10g} Hz, and {called} one of {rate:,.10g} Hz"
        )
