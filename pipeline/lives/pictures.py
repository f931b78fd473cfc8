"""The pictures of watched lives and runs: a trend with the onset of damage and the alarms."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes

from model.machine.thresholds import Persistence
from pipeline.figures import BLUE, INK, ORANGE, STYLE, save
from pipeline.lives.life import ALL_ALONG
from pipeline.lives.scores import HOUR

RED, GREY = "#a3243b", "#8a94a0"
TALLEST = 3.0  # severity; beyond, an alarm is an alarm


def draw_lives(lives: dict[str, dict[str, Any]], levels: Persistence, path: Path) -> None:
    """Draw {title: simulated life}: severity hour by hour, the onset of damage and what was raised when."""
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(len(lives), figsize=(8, 1.6 * len(lives)), sharex=True)
        for axis, (title, life) in zip(axes, lives.items(), strict=True):
            hours = np.arange(len(life["severity"]))
            draw_severity(axis, hours, np.array(life["severity"]), levels)
            for name, color in (("sensor", GREY), ("warning", ORANGE), ("alarm", RED)):
                mark(axis, hours[[level == name for level in life["levels"]]], color, name)
            if life["nuisance"] not in ALL_ALONG:
                axis.axvline(life["trouble"], color=GREY, linewidth=0.8, linestyle="--", label="nuisance begins")
            if life["onset"] < len(hours):
                axis.axvline(life["onset"], color=INK, linewidth=0.8, label="onset of damage")
            axis.set(title=title)
            axis.legend(loc="upper left", fontsize=7, ncols=2)
        axes[-1].set_xlabel("hours, a recording each")
        save(figure, path)


def draw_run(name: str, trend: dict[str, Any], levels: Persistence, path: Path) -> None:
    """Draw a run to failure: RMS of its sensors, severity of the worst, the onset and the alarms over the hours."""
    with pyplot.rc_context(STYLE):
        figure, (upper, lower) = pyplot.subplots(2, figsize=(8, 4), sharex=True)
        hours = np.arange(len(trend["severity"])) * trend["pause"] / HOUR
        for number, (row, color) in enumerate(zip(trend["rms"], (BLUE, GREY), strict=True), start=1):
            upper.semilogy(hours, row, color=color, linewidth=0.8, label=f"sensor {number}")
        for formatted in (upper.yaxis.set_major_formatter, upper.yaxis.set_minor_formatter):
            formatted("{x:g}")
        upper.set(title=name, ylabel="RMS (g)")
        draw_severity(lower, hours, trend["severity"], levels)
        mark(lower, hours[trend["alarms"]], ORANGE, "warning or alarm")
        for axis in (upper, lower):
            axis.axvline(hours[trend["onset"]], color=INK, linewidth=0.8, label="onset of the RMS")
            axis.legend(loc="upper left", fontsize=7)
        lower.set_xlabel("hours")
        save(figure, path)


def draw_severity(axis: Axes, hours: np.ndarray, severity: np.ndarray, levels: Persistence) -> None:
    axis.plot(hours, np.minimum(severity, TALLEST), color=BLUE, linewidth=1)
    for threshold, color in ((levels.warning, ORANGE), (levels.alarm, RED)):
        axis.axhline(threshold, color=color, linewidth=0.7, linestyle=":")
    axis.set(ylabel="severity", ylim=(-0.15, TALLEST))


def mark(axis: Axes, hours: np.ndarray, color: str, label: str) -> None:
    """Mark the hours at which a level stood, below the curve."""
    if len(hours):
        axis.plot(hours, np.full(len(hours), -0.05), "s", color=color, markersize=3, label=label, clip_on=False)
