"""Recordings as text: numbers in lines and columns, with or without a head, in any customary way to write them."""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from api.files.channels import Channels, Vector, make_recordings, select
from api.files.errors import EXPECTED, UnreadableError, counted, shown
from api.files.limits import Limits
from api.files.said import find_unit_of
from api.files.text_heads import MAX_HEAD, name_columns, read_head, split_head
from api.files.text_lines import (
    FRACTION,
    LONGEST_LINE,
    QUOTED,
    Lines,
    end_of_line,
    guess_separator,
    have_one_whole_part,
    is_number,
    split_fields,
)
from api.files.time_axes import FIRST_ROWS, STAMPED, count_stamps, find_axis, read_rate

SEEN = MAX_HEAD * LONGEST_LINE  # characters of the numbers' first lines


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


def read_text(content: bytes, channel: str | None, limits: Limits) -> Channels:
    text, taken_at, notes = count_stamps(decode(content))
    table = open_table(text, limits)
    table.notes += notes
    if taken_at and len(table.names) > 1:
        table.names[0] = STAMPED
    place = table.names.index
    axis, names = find_axis(table.names, lambda name: load(table, [place(name)], FIRST_ROWS)[:, 0])
    chosen = select(names, channel and find_column(table.names, channel))
    # The last column is read so that a line with too few is noticed.
    wanted = sorted({place(axis) if axis else 0, *map(place, chosen), len(table.names) - 1})
    columns = dict(zip(wanted, load(table, wanted).T, strict=True))
    if axis:
        table.sampling_rate, note = read_rate(axis, columns[place(axis)], table.sampling_rate)
        table.notes += [note] if note else []
    vectors = {
        name: Vector(columns[place(name)], table.sampling_rate, table.rpm, find_unit_of(name), taken_at)
        for name in chosen
    }
    return make_recordings(vectors, names, limits, table.notes)


def find_column(names: list[str], wanted: str) -> str:
    """Return the name of the column that is meant: a number that is no column's name counts columns, the first is 0."""
    if wanted not in names and wanted.isdecimal() and int(wanted) < len(names):
        return names[int(wanted)]
    return wanted


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


def open_table(text: str, limits: Limits) -> Table:
    """Tell how a text writes its numbers, and read what stands before them."""
    head, start = split_head(text)
    text = text[start:]
    rows = list(islice(Lines(text[:SEEN], len(head)), MAX_HEAD))
    separator = guess_separator(rows)
    columns = len(split_fields(rows[0], separator))
    if columns > limits.channels + 1:
        raise UnreadableError(f"line {len(head) + 1} has {columns:,} columns, expected at most {limits.channels}")
    has_commas = "," in text and (separator != "," or ('"' in text and bool(QUOTED.search(text))))
    sampling_rate, rpm, notes = read_head(head, has_commas)
    # Lines are counted before they are parsed: this takes milliseconds, and parsing millions takes seconds.
    limits.check_length(text.rstrip().count("\n") + 1, sampling_rate, least=0)
    check_marks(text, head, has_commas, rows if separator == "," else [])
    check_columns(Lines(text, len(head), separator), columns)
    names = name_columns(head, separator, columns, has_commas)
    return Table(text, len(head), separator, names, sampling_rate, rpm, notes)


def check_marks(text: str, head: list[str], has_commas: bool, rows: list[str]) -> None:
    """Raise UnreadableError where a mark has two meanings; rows are the first ones where commas separate."""
    first_line = len(head)
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
    if have_one_whole_part(rows) and "," not in "".join(head[-1:]):
        raise UnreadableError(
            f"line {first_line + 1} has '{shown(rows[0])}': that may be one number or two; write decimals with '.', "
            "separate numbers with ';', or name both columns in a line above"
        )


def check_columns(lines: Lines, columns: int) -> None:
    for line in islice(lines, MAX_HEAD):
        came = len(split_fields(line, lines.separator))
        if came != columns:
            raise UnreadableError(
                f"line {lines.number:,} has {counted(came, 'column')}, those before it have {columns:,}"
            )


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
