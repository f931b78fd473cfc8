"""Plots as SVG: traces over axes with units, and marks of lines. The same values give the same text."""

import math
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 680, 210
LEFT, RIGHT, TOP, BOTTOM = 62, 8, 34, 40
LETTER = 6.6  # pixels that a letter of a name takes
ROW = 13  # from one row of names to the next
BETWEEN = {True: 70, False: 34}  # pixels from one tick to the next at least, along x and y
MOST_POINTS = 700  # of a trace: one a pixel
DECADES = 6  # that a logarithmic axis reaches down


class Trace(NamedTuple):
    x: list[float]
    y: list[float]
    colour: str
    dashed: bool = False


class Mark(NamedTuple):
    x: float
    name: str
    colour: str
    strong: bool


class Axis(NamedTuple):
    """A range of values on a range of pixels."""

    low: float
    high: float
    first: float  # pixel of low
    last: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        low, high = (math.log10(each) if self.logarithmic else each for each in (self.low, self.high))
        value = math.log10(max(value, self.low)) if self.logarithmic else value
        return self.first + (value - low) / (high - low) * (self.last - self.first)


def draw(
    traces: list[Trace], x_label: str, y_label: str, marks: list[Mark], words: str, logarithmic: bool = False
) -> str:
    """Return a plot; no extreme of a trace is lost. words say what is seen to those who do not see it."""
    highest = max(max(trace.y) for trace in traces)
    lowest = min(min(trace.y) for trace in traces)
    if logarithmic:
        highest = highest or 1.0
        lowest = max(
            min((each for trace in traces for each in trace.y if each > 0), default=1e-3), highest / 10**DECADES
        )
        lowest = min(lowest, highest / 10)
    else:
        lowest, highest = min(lowest, 0.0), highest or 1.0
    x = Axis(0.0, max(trace.x[-1] for trace in traces) or 1.0, LEFT, WIDTH - RIGHT)
    y = Axis(lowest, highest, HEIGHT - BOTTOM, TOP, logarithmic)
    parts = [draw_axes(x, y, x_label, y_label), *draw_marks(marks, x)]
    parts += [draw_trace(trace, x, y) for trace in traces]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(words)}" '
        f'font-family="system-ui, sans-serif" font-size="11">{"".join(parts)}</svg>'
    )


def draw_trace(trace: Trace, x: Axis, y: Axis) -> str:
    """Return a line through the lowest and highest value of each stretch, in the order in which they come."""
    size = -(-len(trace.x) // (MOST_POINTS // 2))
    chosen: list[int] = []
    for start in range(0, len(trace.x), size):
        stretch = range(start, min(start + size, len(trace.x)))
        ends = {min(stretch, key=trace.y.__getitem__), max(stretch, key=trace.y.__getitem__)}
        chosen += sorted(ends)
    points = " ".join(f"{x.place(trace.x[each]):.1f},{y.place(trace.y[each]):.1f}" for each in chosen)
    dashes = ' stroke-dasharray="5 3"' if trace.dashed else ""
    return f'<polyline points="{points}" fill="none" stroke="{trace.colour}" stroke-width="1"{dashes}/>'


def draw_marks(marks: list[Mark], x: Axis) -> Iterator[str]:
    """Yield each mark; names that would overlap stand in rows above each other."""
    ends: list[float] = []
    for mark in sorted(marks):
        at = x.place(mark.x)
        width, opacity = 1.6 if mark.strong else 0.8, 1 if mark.name else 0.5
        yield (
            f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{mark.colour}" stroke-width="{width}" '
            f'stroke-dasharray="3 3" opacity="{opacity}"/>'
        )
        if mark.name:
            row = next((row for row, end in enumerate(ends) if end < at), len(ends))
            ends[row : row + 1] = [at + LETTER * (len(mark.name) + 1)]
            yield f'<text x="{at + 2:.1f}" y="{TOP - 5 - ROW * row}" fill="{mark.colour}">{escape(mark.name)}</text>'


def draw_axes(x: Axis, y: Axis, x_label: str, y_label: str) -> str:
    bottom, middle = HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2
    parts = [f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="#4d5b69"/>']
    for value in ticks(x):
        at = x.place(value)
        parts.append(f'<path d="M{at:.1f} {bottom}v4" stroke="#4d5b69"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{shown(value)}</text>')
    for value in ticks(y):
        at = y.place(value)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#e3e8ed"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{at + 4:.1f}" text-anchor="end">{shown(value)}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>')
    turned = f'transform="rotate(-90 12 {middle:.0f})"'
    parts.append(f'<text x="12" y="{middle:.0f}" text-anchor="middle" {turned}>{escape(y_label)}</text>')
    return "".join(parts)


def ticks(axis: Axis) -> list[float]:
    """Return round values along an axis: 1, 2 or 5 times a power of ten apart, or the powers of ten themselves."""
    if axis.logarithmic:
        powers = range(math.ceil(math.log10(axis.low)), math.floor(math.log10(axis.high)) + 1)
        return [10.0**power for power in powers]
    length = axis.last - axis.first  # below 0 where the axis goes upwards
    rough = (axis.high - axis.low) / max(abs(length) / BETWEEN[length > 0], 2)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough)
    first, last = math.ceil(axis.low / step), math.floor(axis.high / step)
    return [number * step for number in range(first, last + 1)]


def shown(value: float) -> str:
    return f"{value:.0e}" if value and not 1e-3 <= abs(value) < 1e6 else f"{value:,.6g}"
