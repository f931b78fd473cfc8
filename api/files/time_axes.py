"""Vectors that count time: by their name and its unit, or, of a table's first column, by even steps."""

import re
from collections.abc import Callable, Mapping

import numpy as np

from api.files.errors import UnreadableError, shown

TIME_UNITS = {
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "usec", "\u00b5s", "\u03bcs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nsec", "nanosecond", "nanoseconds"), 1e-9),
}
RATES = (1_000, 10_000_000)  # Hz; a file that seems to say less or more is misread
MONTHS = {name: f"{number:02}" for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
DATE = (
    r"(?:(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"|(?P<first>\d\d?)[-./ ](?P<second>\d\d?|[A-Za-z]{3})[-./ ](?P<last>\d{4}))"
)
CLOCK = (
    r"(?P<hour>\d?\d)(?P<minute>:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
    r"(?:(?P<zone>Z|[+-]\d\d:?\d\d)| ?(?P<half>[AaPp])[Mm])?"
)
STAMP = re.compile(rf'^"?{DATE}[T ]{CLOCK}"?(?=[,;\t ])', re.MULTILINE)
HEAD = 100_000  # characters in which the first stamp has to be
FIRST_ROWS = 1_000  # looked at to tell a time axis
STAMPED = "time (ns)"  # what a column of time stamps is read as
TIME_NAMES = {"t", "time", "timestamp", "zeit", "elapsed", *TIME_UNITS}


def split_words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())


def time_unit(name: str) -> float | None:
    """Return the seconds that a time axis of this name counts in; None where it gives a unit that is not known."""
    unit = re.search(r"[(\[]([^)\]]*)", name)
    words = split_words(unit[1] if unit else name)
    return next((TIME_UNITS[word] for word in words if word in TIME_UNITS), None if unit else 1.0)


def is_axis(name: str, values: np.ndarray) -> bool:
    """Return whether the first rows of the first column count time, or samples: by its name, or by even steps."""
    steps = np.diff(values)
    if not len(steps) or not np.isfinite(steps).all() or steps.min() < 0 or values[-1] <= values[0]:
        return False
    return not TIME_NAMES.isdisjoint(split_words(name)[:1]) or (len(steps) >= 3 and has_even_steps(values))


def is_time_name(name: str) -> bool:
    """Return whether nothing but time is named, as by run.t, Time (s) and time_ms; X105_DE_time names a position."""
    words = split_words(re.split(r"[(\[]", last_name(name), maxsplit=1)[0])
    return bool(words) and TIME_NAMES.issuperset(words)


def last_name(name: str) -> str:
    """Return what stands behind the last group or struct, with its unit."""
    unit = re.search(r"[(\[][^()\[\]]{1,12}[)\]]$", name)
    return name[max(name.rfind(mark, 0, unit and unit.start()) for mark in "./") + 1 :]


def match_axes(lengths: Mapping[str, int], rows: Callable[[str], np.ndarray]) -> dict[str, str]:
    """Return {channel: the time axis of its length that stands nearest, or none}; an axis beside a channel is none.

    lengths are those of a file's vectors by name; rows returns the values of one, or the first of them.
    """
    others = {length for name, length in lengths.items() if not is_time_name(name)}
    named = [name for name, length in lengths.items() if is_time_name(name) and length in others]
    axes = [name for name in named if is_axis(last_name(name), count_from_first(rows(name)[:FIRST_ROWS]))]
    return {name: find_nearest(name, axes, lengths) for name in lengths if name not in axes}


def find_nearest(channel: str, axes: list[str], lengths: Mapping[str, int]) -> str:
    """Return the axis of a channel's length in the innermost group that holds both, else the first; empty for none."""
    fitting = [axis for axis in axes if lengths[axis] == lengths[channel]]
    groups = {axis: axis.removesuffix(last_name(axis)) for axis in fitting}
    return max(fitting, key=lambda axis: len(groups[axis]) if channel.startswith(groups[axis]) else -1, default="")


def find_axis(names: list[str], rows: Callable[[str], np.ndarray]) -> tuple[str | None, list[str]]:
    """Return the column of a table that counts time, if any, and the channels; a counter before it is neither.

    rows returns the first values of a column.
    """
    is_first = len(names) > 1 and is_axis(names[0], rows(names[0])[:FIRST_ROWS])
    channels = list(match_axes(dict.fromkeys(names[is_first:], 0), rows))
    others = [name for name in names[is_first:] if name not in channels]
    if is_first and (is_time_name(names[0]) or not others):
        return names[0], channels
    return next(iter(others), None), channels


def count_from_first(times: np.ndarray) -> np.ndarray:
    """Return numbers less the first, float64: of large whole numbers the small steps are kept."""
    exact = times.astype(np.int64 if times.dtype.kind in "iu" else np.float64)
    return (exact - exact[:1]).astype(np.float64)


def has_even_steps(times: np.ndarray) -> bool:
    """Return whether all steps are within 1 % of the median, or no time is far from its place: then it was rounded."""
    steps = np.diff(times)
    step = np.median(steps)
    line = np.linspace(times[0], times[-1], len(times))
    is_rounded = np.abs(times - line).max() <= 0.05 * (line[1] - line[0])
    return bool(step > 0 and (np.abs(steps - step).max() <= 0.01 * step or is_rounded))


def read_rate(name: str, times: np.ndarray, said: float | None) -> tuple[float | None, str]:
    """Return the sampling rate in Hz of a time axis, unless the file has said another one, and a note on it, if any."""
    called = "the first column" if name.isdecimal() else f"the column {shown(name)}"
    unit = time_unit(name)
    if not np.isfinite(times).all() or len(times) < 3 or not has_even_steps(times):
        return said, f"no sampling rate was read from {called}: its steps are uneven"
    rate = (len(times) - 1) / ((times[-1] - times[0]) * (unit or 1.0))
    rate = float(round(rate)) if abs(rate - round(rate)) < 1e-4 * rate else float(rate)
    if rate == 1:
        return said, f"{called} counts samples and was left out"
    if unit is None:
        return said, f"no sampling rate was read from {called}: its unit is not known"
    if said is None and RATES[0] <= rate <= RATES[1]:
        return rate, f"the sampling rate {rate:,.10g} Hz was read from {called}"
    if said is None:
        return None, f"no sampling rate was read from {called}: its steps would mean {rate:,.10g} Hz"
    if abs(said / rate - 1) > 0.01:
        return said, f"the file gives a sampling rate of {said:,.10g} Hz, and {called} one of {rate:,.10g} Hz"
    return said, ""


def count_stamps(text: str) -> tuple[str, str, list[str]]:
    """Return a text whose lines begin with time stamps with nanoseconds since the first instead, that one, and notes.

    Stamps are ISO 8601, or day, month (a number or its English name) and year before the clock, which may be one of 12
    hours; month and day where a day would be a month above 12. A text in which no two lines that follow each other
    begin with one is returned as it came, with an empty stamp. Raises UnreadableError where a stamp is no date.
    """
    first = STAMP.search(text, 0, HEAD)
    if first is None or not STAMP.match(text, text.find("\n", first.end()) + 1):
        return text, "", []
    found = list(STAMP.finditer(text, first.start()))
    swap = any(each["second"] and each["second"].isdecimal() and int(each["second"]) > 12 for each in found)
    times = np.array([to_time(each, swap) for each in found])
    counts = (times - times[0]).astype(np.int64).tolist()
    ends = [each.start() for each in found[1:]] + [len(text)]
    rows = [f"{count}{text[each.end() : end]}" for count, each, end in zip(counts, found, ends, strict=True)]
    notes = [] if swap or not all(map(may_be_swapped, found)) else [f"{shown(first[0])} was read as day, month, year"]
    return text[: first.start()] + "".join(rows), to_iso(first, swap) + (first["zone"] or ""), notes


def may_be_swapped(stamp: re.Match) -> bool:
    """Return whether a stamp may have its month first, as an American writes it between strokes."""
    return "/" in stamp[0] and stamp["second"].isdecimal() and int(stamp["first"]) <= 12


def to_time(stamp: re.Match, swap: bool) -> np.datetime64:
    try:
        return np.datetime64(to_iso(stamp, swap), "ns")
    except ValueError:
        raise UnreadableError(
            f"the time stamp '{shown(stamp[0])}' is no date: expected ISO 8601, or day, month and year"
        ) from None


def to_iso(stamp: re.Match, swap: bool) -> str:
    """Return a stamp as ISO 8601 without its zone; swap tells that the month stands before the day."""
    year, month, day = stamp["year"] or stamp["last"], stamp["month"] or stamp["second"], stamp["day"] or stamp["first"]
    if swap and not stamp["year"]:
        month, day = day, month
    month = MONTHS.get(month.lower(), month.zfill(2))
    hour = int(stamp["hour"])
    if stamp["half"]:
        hour = hour % 12 + 12 * (stamp["half"] in "Pp")
    fraction = f".{stamp['fraction']}" if stamp["fraction"] else ""
    return f"{year}-{month}-{day.zfill(2)}T{hour:02}{stamp['minute']}{fraction}"
