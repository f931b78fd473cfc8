"""The lines before a text's numbers: where they end, and what they say of the sampling rate, the speed and columns."""

import math
import re
from itertools import product

from api.files.errors import UnreadableError, counted, shown
from api.files.text_lines import LONGEST_LINE, end_of_line, find_numbers, is_number, split_fields, too_long, unquote
from api.files.time_axes import RATES, TIME_UNITS

MAX_HEAD = 50  # lines before the numbers
SPEEDS = (10, 200_000)  # rpm

# Numbers of the head. What repeats is possessive, so that no line is passed over twice.
GROUP_MARKS = r"[ '\u2019\u00a0\u202f]"
NUMBER = rf"(?P<number>(?:\d{{1,3}}(?:{GROUP_MARKS}\d{{3}})++(?!\d)|\d++)(?:[.,]\d++)*+(?:[eE][-+]?\d++)?+)"
IS = r"\s*+(?:[:=;,]\s*+|(?<=\s))"
START = r"(?:^[\s#%]*+|[,;]\s*+)"  # where a key stands rather than in prose
RATE = (
    r"(?:sampl(?:e|ing)[ _-]?(?:rate|freq(?:uency)?)|fs|sr)(?:[ _]?[(\[]?(?P<before>[km]?)hz[)\]]?)?"
    rf"{IS}{NUMBER}\s*+(?P<after>[km](?=hz|s/s|sps)|k\b)?+(?!(?:g|m?v|pa|m/s)\b)"  # fs is full scale, too: 5000 g
)
RPM = rf"(?:speed[ _]?)?[(\[]?rpm[)\]]?{IS}{NUMBER}"
RATE_LINES = [re.compile(pattern, re.IGNORECASE) for pattern in (START + RATE, r"\b" + RATE)]
RPM_LINES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        START + RPM,
        rf"\brpm\s*+[:=]\s*+{NUMBER}",
        rf"(?<!\d)(?<!\d )\b{RPM}",
        rf"(?<![\d.,]){NUMBER}\s*+rpm\b(?!\s*[:=])",
    )
]
SCALES = {"": 1, "k": 1e3, "m": 1e6}
CLOCK = re.compile(r"(?:\d[\d./-]*+[T ])?\d\d?:\d\d(?::\d\d)?+(?:[.,]\d++)?+(?!\w)")
UNIT = re.compile(
    rf"[(\[].*|-|%|{'|'.join(TIME_UNITS)}|m?g|g'?s|gn|m?V|volts?|k?Pa|k?Hz|rpm|[mu\u00b5]?m"
    r"|(?:mm?|in)/s(?:(?:\^|\*\*)?2|\u00b2)?|\u00b0?C|EU",
    re.IGNORECASE,
)
COMMENT = "Comment"  # LabVIEW names a column for remarks, and the rows of numbers have none


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


def read_head(head: list[str], has_commas: bool) -> tuple[float | None, float | None, list[str]]:
    """Return the sampling rate in Hz and the rpm that the lines before the numbers give, and notes on them."""
    rate, rate_line = find_number(head, RATE_LINES, RATES, has_commas)
    rpm, rpm_line = find_number(head, RPM_LINES, SPEEDS, has_commas)
    notes = [f"the sampling rate {rate:,.10g} Hz was read from the line '{shown(rate_line)}'"] if rate else []
    notes += [f"the speed {rpm:,.10g} rpm was read from the line '{shown(rpm_line)}'"] if rpm else []
    return rate, rpm, notes


def find_number(
    head: list[str], patterns: list[re.Pattern], limits: tuple[float, float], has_commas: bool
) -> tuple[float | None, str]:
    """Return the first number within limits that a line gives, by the first pattern that finds one, and the line."""
    for pattern, line in product(patterns, head):
        for match in pattern.finditer(line):
            found = match.groupdict()
            scale = SCALES[(found.get("before") or found.get("after") or "").lower()]
            number = scale * as_number(found["number"], has_commas)
            if limits[0] <= number <= limits[1]:
                return number, line
    return None, ""


def as_number(text: str, has_commas: bool) -> float:
    """Return a number of a head line, where 12,000 is twelve thousand unless the file's decimals have commas."""
    group = "[.]" if has_commas else ","
    text = re.sub(rf"{GROUP_MARKS}|{group}(?=\d{{3}}(?!\d))", "", text)
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


def name_columns(head: list[str], separator: str | None, columns: int, has_commas: bool) -> list[str]:
    """Return the names that the last fitting head line gives, with its units where they have a line; else 0, 1, ...

    A name may be a whole number, but none with decimals.
    """
    lines = [line for line in head if line.strip()]
    if columns == 1:  # then any remark would fit
        lines = [line for line in lines[-1:] if not line.startswith(("#", "%"))]
    lines = [line for line in lines if not read_head([line], has_commas)[2]]
    rows = [split_fields(line.lstrip("#% "), separator if columns > 1 else "\n") for line in lines]
    rows = [row[:-1] if row[columns:] == [COMMENT] else row for row in rows]
    rows = [row for row in rows if len(row) == columns and not any(map(is_decimal, row))]
    names = rows[-1] if rows else [""] * columns
    if len(rows) > 1 and all(map(UNIT.fullmatch, filter(None, names))):
        units = [f"({unit.strip('()[]')})" if unit else "" for unit in names]
        names = [f"{name} {unit}".strip() for name, unit in zip(rows[-2], units, strict=True)]
    return [
        str(index) if not name else f"{name}[{index}]" if name in names[:index] else name
        for index, name in enumerate(names)
    ]


def is_decimal(name: str) -> bool:
    return not name.isdecimal() and is_number(name, None)
