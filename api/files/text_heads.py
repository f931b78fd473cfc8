"""What the lines before a text's numbers say of the sampling rate and the speed."""

import math
import re
from itertools import product

from api.files.channels import shown

RATES = (1_000, 10_000_000)  # Hz; a file that seems to say less or more is misread
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
