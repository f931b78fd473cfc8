"""What alarms are worth: false ones before the onset of damage, and the time that they leave."""

from collections.abc import Iterable
from typing import Any

import numpy as np

ALARMS = ("warning", "alarm")  # the levels that are alarms
HOUR = 3_600.0  # s


def find_onset(rms: np.ndarray, share: float, deviations: float, sustained: int) -> int:
    """Return the first recording of `sustained` in a row whose RMS exceeds the mean by so many deviations of the first
    share of a run; the last recording where there is none."""
    healthy = rms[: int(share * len(rms))]
    above = rms > healthy.mean() + deviations * healthy.std()
    runs = np.convolve(above, np.ones(sustained), "valid") == sustained
    return int(np.argmax(runs)) if runs.any() else len(rms) - 1


def score_alarms(alarms: np.ndarray, onset: int, pause: float) -> dict[str, Any]:
    """Return what alarms (recordings,) are worth against an onset; pause in seconds.

    A run is valid where its false alarms before the onset stay within a budget and one follows it (Goyal's gated
    metric); lead is the time from the first alarm after the onset to the end of the run.
    """
    before, after = alarms[:onset], np.flatnonzero(alarms[onset:])
    share = float(before.mean()) if onset else 0.0
    return {
        "onset": onset,
        "false_share": share,
        "false_episodes": count_episodes(before),
        "warned": bool(len(after)),
        "valid_5": bool(len(after)) and share <= 0.05,
        "valid_10": bool(len(after)) and share <= 0.10,
        "lead_hours": float((len(alarms) - onset - after[0]) * pause / HOUR) if len(after) else 0.0,
    }


def count_episodes(alarms: np.ndarray) -> int:
    """Return how often an alarm begins."""
    return int((np.diff(alarms.astype(int), prepend=0) == 1).sum())


def collect_scores(scores: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the scores of runs over all of them; the leads are means over runs, 0 where no alarm followed."""
    runs = list(scores)
    leads = [run["lead_hours"] for run in runs]
    counts = {name: sum(run[name] for run in runs) for name in ("warned", "valid_5", "valid_10", "false_episodes")}
    return {
        "runs": len(runs),
        **counts,
        "mean_lead_hours": float(np.mean(leads)),
        "median_lead_hours": float(np.median(leads)),
    }
