"""The lines of a text and their fields: what separates fields, and what is a number."""

import re
from collections.abc import Iterator

from api.files.errors import UnreadableError

LONGEST_LINE = 16_384  # characters
QUOTED = re.compile(r'"\s*+[-+]?[\d.]++,[\d.,]++(?:[eE][-+]?\d++)?+\s*+"')  # a number with a comma in it
GROUPED = re.compile(r"[-+]?\d{1,3}(?:[.,]\d{3})++(?:[.,]\d++)?+")  # such a number is refused, but it is one
DECIMAL = r"[-+]?\d++(?:,\d++)?+(?:[eE][-+]?\d++)?+"
DECIMALS = re.compile(rf"{DECIMAL}(?:\s++{DECIMAL})*+")
WHOLE = re.compile(r"([-+]?\d++),(\d++)")
FRACTION = re.compile(r"^-0,|,0\d|,\d\d+[eE]", re.MULTILINE)  # what whole numbers between commas do not look like


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


def too_long(number: int) -> UnreadableError:
    return UnreadableError(f"line {number:,} has more than {LONGEST_LINE:,} characters: expected one sample a line")


def unquote(line: str) -> str:
    """Return a line without quotes; a comma in a quoted number becomes a point, because it separates nothing."""
    if '"' not in line:
        return line
    return QUOTED.sub(lambda number: number[0].replace(",", "."), line).replace('"', "")


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


def have_one_whole_part(rows: list[str]) -> bool:
    """Return whether rows are two runs of digits, of which the first stays: it may be the whole part of one number."""
    found = [WHOLE.fullmatch(row.strip()) for row in rows]
    return all(found) and len({each[1] for each in found}) == 1 < len({each[2] for each in found})


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


def find_numbers(line: str) -> list[bool]:
    """Return for each field of a line that is not empty whether it is a number."""
    separator = guess_separator([line])
    fields = filter(None, split_fields(line, separator))
    return [is_number(value, separator) or bool(GROUPED.fullmatch(value)) for value in fields]
