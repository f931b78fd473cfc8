"""Recordings as text: numbers in lines and columns, with or without a head, in any customary way to write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from api.files.channels import (
    EXPECTED,
    MAX_CHANNELS,
    Recording,
    UnreadableError,
    Vector,
    check_length,
    choose,
    counted,
    pick,
    shown,
)
from api.files.text_heads import RATES, read_head
from api.files.time_axes import has_even_steps, is_axis, time_unit

MAX_HEAD = 50  # lines before the numbers
LONGEST_LINE = 16_384  # characters
SEEN = MAX_HEAD * LONGEST_LINE  # characters of the numbers' first lines
FIRST_ROWS = 1000  # looked at to tell a time axis
QUOTED = re.compile(r'"\s*+[-+]?[\d.]++,[\d.,]++(?:[eE][-+]?\d++)?+\s*+"')  # a number with a comma in it
GROUPED = re.compile(r"[-+]?\d{1,3}(?:[.,]\d{3})++(?:[.,]\d++)?+")  # such a number is refused, but it is one
DECIMAL = r"[-+]?\d++(?:,\d++)?+(?:[eE][-+]?\d++)?+"
DECIMALS = re.compile(rf"{DECIMAL}(?:\s++{DECIMAL})*+")
FRACTION = re.compile(r"^-0,|,0\d|,\d\d+[eE]", re.MULTILINE)  # what whole numbers between commas do not look like
CLOCK = re.compile(r"(?:\d[\d./-]*+[T ])?\d\d?:\d\d(?::\d\d)?+(?:[.,]\d++)?+(?!\w)")

UNIT = re.compile(
    r"[(\[].*|-|%|[mnu\u00b5]?s|min|h|m?g|m?V|k?Pa|k?Hz|rpm|[mu\u00b5]?m|mm?/s(?:\^?2|\u00b2)?|\u00b0?C", re.IGNORECASE
)


class Lines:
    """The lines of a text, blank ones left out, remembering the last one: what is wrong is wrong there."""

    def __init__(self, text: str, number: int, separator: str | None = ",") -> None:
        """number counts the lines that stand before the text; commas that do not separate become points."""
        self.text, self.number, self.separator, self.line = text, number, separator, ""

    def __iter__(self) -> Iterator[str]:
        start = 0
        while start < len(self.text):
            stop = end_of_line(self.text, start)
            self.number += 1
            if stop - start > LONGEST_LINE:
                raise too_long(self.number)
            line = self.text[start:stop]
            if line and not line.isspace():
                self.line = unquote(line)
                yield self.line if self.separator == "," else self.line.replace(",", ".")
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
    notes: list[str]


def read_text(content: bytes, channel: str) -> Recording:
    table = open_table(decode(content))
    has_axis = len(table.names) > 1 and is_axis(table.names[0], load(table, [0], FIRST_ROWS)[:, 0])
    names = table.names[1:] if has_axis else table.names
    chosen = choose(names, channel)
    # The last column is read so that a line with too few is noticed.
    wanted = sorted({0, table.names.index(chosen), len(table.names) - 1})
    columns = dict(zip(wanted, load(table, wanted).T, strict=True))
    if has_axis:
        read_axis(table, columns[0])
    vector = Vector(columns[table.names.index(chosen)], table.sampling_rate, table.rpm)
    return replace(pick({chosen: vector}, chosen, table.notes), channels=tuple(names))


def decode(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16")
    elif b"\0" in content:
        raise UnreadableError(f"the file is neither text nor of a format known here; {EXPECTED}")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def unquote(line: str) -> str:
    """Return a line without quotes; a comma in a quoted number becomes a point, because it separates nothing."""
    if '"' not in line:
        return line
    return QUOTED.sub(lambda number: number[0].replace(",", "."), line).replace('"', "")


def open_table(text: str) -> Table:
    """Tell how a text writes its numbers, and read what stands before them."""
    head, start = split_head(text)
    text = text[start:]
    rows = list(islice(Lines(text[:SEEN], len(head)), MAX_HEAD))
    separator = guess_separator(rows)
    columns = len(split_fields(rows[0], separator))
    if columns > MAX_CHANNELS + 1:
        raise UnreadableError(f"line {len(head) + 1} has {columns:,} columns, expected at most {MAX_CHANNELS}")
    has_commas = "," in text and (separator != "," or ('"' in text and bool(QUOTED.search(text))))
    sampling_rate, rpm, notes = read_head(head, has_commas)
    # Lines are counted before they are parsed: this takes milliseconds, and parsing millions takes seconds.
    check_length(text.rstrip().count("\n") + 1, sampling_rate, least=0)
    check_marks(text, len(head), has_commas, rows if separator == "," else [])
    check_columns(Lines(text, len(head), separator), columns)
    names = name_columns(head, separator, columns, has_commas)
    return Table(text, len(head), separator, names, sampling_rate, rpm, notes)


def check_marks(text: str, first_line: int, has_commas: bool, rows: list[str]) -> None:
    """Raise UnreadableError where a mark has two meanings; rows are the first ones where commas separate."""
    if has_commas and "." in text:
        place = max(text.index(","), text.index("."))
        number = first_line + text.count("\n", 0, place) + 1
        line = text[text.rfind("\n", 0, place) + 1 : end_of_line(text, place)]
        raise UnreadableError(
            f"line {number:,} has '{shown(line)}': the numbers hold both ',' and '.', so that thousands and decimals "
            "cannot be told apart; save them without thousands separators"
        )
    if FRACTION.search("\n".join(rows)) and not any("." in row for row in rows):
        raise UnreadableError(
            f"line {first_line + 1} has '{shown(rows[0])}': commas stand both between the numbers and for their "
            "decimals; separate the numbers with ';', or write decimals with '.'"
        )


def split_head(text: str) -> tuple[list[str], int]:
    """Return the lines before the numbers, and where the numbers start: one alone above names is of the head."""
    lines, start, found = [], 0, None
    while len(lines) <= MAX_HEAD + (found is not None) and start < len(text):
        stop = end_of_line(text, start)
        if stop - start > LONGEST_LINE:
            raise too_long(len(lines) + 1)
        line = unquote(text[start:stop]).strip(" ")
        are_numbers = find_numbers(line)
        if found and are_numbers and (all(are_numbers) or len(are_numbers) == 1):
            break
        if are_numbers:
            found = (len(lines), start) if all(are_numbers) else None
        if found and len(are_numbers) > 1:
            break
        lines.append(line[:200])
        start = stop + 1
    if not found:
        raise no_numbers(lines)
    return lines[: found[0]], found[1]


def find_numbers(line: str) -> list[bool]:
    """Return for each field of a line that is not empty whether it is a number."""
    separator = guess_separator([line])
    fields = filter(None, split_fields(line, separator))
    return [is_number(value, separator) or bool(GROUPED.fullmatch(value)) for value in fields]


def no_numbers(lines: list[str]) -> UnreadableError:
    for number, line in enumerate(lines, 1):
        clock = CLOCK.search(line)
        if clock and any(find_numbers(line)):
            return UnreadableError(
                f"line {number} holds the clock time '{shown(clock[0])}': leave that column out, or give seconds"
            )
    first = next(filter(None, lines), "blank lines")
    return UnreadableError(
        f"the file starts with '{shown(first)}', and {counted(len(lines), 'line')} on there are no rows of numbers yet"
    )


def too_long(number: int) -> UnreadableError:
    return UnreadableError(f"line {number:,} has more than {LONGEST_LINE:,} characters: expected one sample a line")


def guess_separator(rows: list[str]) -> str | None:
    """Return what separates the first two rows of numbers, None for blanks; all rows tell whether commas do."""
    start = "".join(rows[:2])
    for mark in ";\t":
        if mark in start:
            return mark
    return "," if "," in start and not has_decimal_commas([row.strip() for row in rows]) else None


def has_decimal_commas(rows: list[str]) -> bool:
    """Return whether commas are for decimals: between blanks, or where no two whole numbers would look so."""
    is_clear = any(" " in row for row in rows) or FRACTION.search("\n".join(rows))
    return bool(is_clear) and all(map(DECIMALS.fullmatch, rows))


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


def check_columns(lines: Lines, columns: int) -> None:
    for line in islice(lines, MAX_HEAD):
        came = len(split_fields(line, lines.separator))
        if came != columns:
            raise UnreadableError(
                f"line {lines.number:,} has {counted(came, 'column')}, those before it have {columns:,}"
            )


def name_columns(head: list[str], separator: str | None, columns: int, has_commas: bool) -> list[str]:
    """Return the names that the last fitting head line gives, with its units where they have a line; else 0, 1, ..."""
    lines = [line for line in head if line.strip()]
    if columns == 1:  # then any remark would fit
        lines = [line for line in lines[-1:] if not line.startswith(("#", "%"))]
    lines = [line for line in lines if not read_head([line], has_commas)[2]]
    rows = [split_fields(line.lstrip("#% "), separator if columns > 1 else "\n") for line in lines]
    rows = [row for row in rows if len(row) == columns]
    names = rows[-1] if rows else [""] * columns
    if len(rows) > 1 and all(map(UNIT.fullmatch, filter(None, names))):
        units = [f"({unit.strip('()[]')})" if unit else "" for unit in names]
        names = [f"{name} {unit}".strip() for name, unit in zip(rows[-2], units, strict=True)]
    return [
        str(index) if not name else f"{name}[{index}]" if name in names[:index] else name
        for index, name in enumerate(names)
    ]


def load(table: Table, columns: list[int], rows: int | None = None) -> np.ndarray:
    """Parse some columns, float64 (rows, columns). Raises UnreadableError that names the line."""
    lines = Lines(table.text, table.first_line, table.separator)
    try:
        return np.loadtxt(
            lines, delimiter=table.separator, usecols=columns, comments=None, ndmin=2, max_rows=rows, dtype=np.float64
        )
    except UnreadableError:
        raise
    except ValueError:
        fields = split_fields(lines.line, table.separator)
        came = [fields[column] for column in columns if column < len(fields)]
        wrong = next((value for value in came if not is_number(value, table.separator)), lines.line.strip())
        expected = f"{len(table.names):,} columns of numbers" if len(table.names) > 1 else "a number"
        raise UnreadableError(f"line {lines.number:,} has '{shown(wrong)}', expected {expected}") from None


def read_axis(table: Table, times: np.ndarray) -> None:
    """Take the sampling rate from the time axis, unless the head has given one, and note what was done."""
    name = table.names[0]
    called = "the first column" if name.isdecimal() else f"the column {shown(name)}"
    unit = time_unit(name)
    if not np.isfinite(times).all() or len(times) < 3 or not has_even_steps(times):
        table.notes.append(f"no sampling rate was read from {called}: its steps are uneven")
        return
    rate = (len(times) - 1) / ((times[-1] - times[0]) * (unit or 1.0))
    rate = float(round(rate)) if abs(rate - round(rate)) < 1e-4 * rate else float(rate)
    if rate == 1:
        table.notes.append(f"{called} counts samples and was left out")
    elif unit is None:
        table.notes.append(f"no sampling rate was read from {called}: its unit is not known")
    elif table.sampling_rate is None and RATES[0] <= rate <= RATES[1]:
        table.sampling_rate = rate
        table.notes.append(f"the sampling rate {rate:,.10g} Hz was read from {called}")
    elif table.sampling_rate is None:
        table.notes.append(f"no sampling rate was read from {called}: its steps would mean {rate:,.10g} Hz")
    elif abs(table.sampling_rate / rate - 1) > 0.01:
        table.notes.append(
            f"the file gives a sampling rate of {table.sampling_rate:,.10g} Hz, and {called} one of {rate:,.10g} Hz"
        )
