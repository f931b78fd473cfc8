"""Columns that count time: by their name and its unit, or by even steps."""

import re

import numpy as np

TIME_UNITS = {
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "usec", "\u00b5s", "\u03bcs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nsec", "nanosecond", "nanoseconds"), 1e-9),
}
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


def has_even_steps(times: np.ndarray) -> bool:
    """Return whether all steps are within 1 % of the median, or no time is far from its place: then it was rounded."""
    steps = np.diff(times)
    step = np.median(steps)
    line = np.linspace(times[0], times[-1], len(times))
    is_rounded = np.abs(times - line).max() <= 0.05 * (line[1] - line[0])
    return bool(step > 0 and (np.abs(steps - step).max() <= 0.01 * step or is_rounded))
