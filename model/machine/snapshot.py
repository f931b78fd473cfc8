"""A watch as bytes, exactly: continuing from them gives the same states, bit for bit, as a replay."""

import json
from dataclasses import asdict

import numpy as np

from model.bearings import FaultOrders
from model.machine.combs import ORDERS
from model.machine.indicators import LEVELS
from model.machine.learning import Mean, Past, SpeedState
from model.machine.levels import ENVELOPE_BANDS
from model.machine.persistence import Patience
from model.machine.thresholds import Thresholds
from model.machine.watch import Watch

VERSION = 1
SCALARS = ("until", "passed", "gain", "shifts", "shift_since", "defects", "defect_since", "sensor", "sensor_since",
           "well", "started")  # fmt: skip


def write_watch(watch: Watch) -> bytes:
    """Return a line of JSON with the scalars, and all arrays as float64, little endian."""
    past = watch.past
    head = {name: getattr(watch, name) for name in SCALARS} | {
        "version": VERSION,
        "recordings": past.recordings,
        "comb_spread": past.comb_spread,
        "speeds": [each.rpm for each in past.speeds],
        "last_moments": len(watch.last_moments),
        "last_levels": len(watch.last_levels),
        "patience": asdict(watch.patience),
    }
    means = [past.combs, past.moments, *(each.levels for each in past.speeds)]
    arrays = [array for mean in means for array in (mean.count, mean.mean, mean.squares)]
    arrays += [watch.combs, watch.moments, watch.levels, *watch.last_moments, *watch.last_levels]
    return json.dumps(head).encode() + b"\n" + np.concatenate(arrays).astype("<f8").tobytes()


def read_watch(kept: bytes, orders: FaultOrders | None, limits: Thresholds) -> Watch:
    """Read what write_watch wrote. Raises ValueError where it is of another version."""
    line, _, rest = kept.partition(b"\n")
    head, values = json.loads(line), Values(np.frombuffer(rest, "<f8"))
    if head["version"] != VERSION:
        raise ValueError(f"the watch is of version {head['version']}, expected {VERSION}: replay its recordings")
    lines, bands = len(ORDERS), len(ENVELOPE_BANDS)
    past = Past(head["recordings"], values.take_mean(lines), values.take_mean(bands))
    past.comb_spread = head["comb_spread"]
    past.speeds = [SpeedState(rpm, values.take_mean(LEVELS)) for rpm in head["speeds"]]
    combs, moments, levels = values.take(lines), values.take(bands), values.take(LEVELS)
    watch = Watch(orders, limits, past=past, combs=combs, moments=moments, levels=levels)
    watch.last_moments = [values.take(bands) for _ in range(head["last_moments"])]
    watch.last_levels = [values.take(LEVELS) for _ in range(head["last_levels"])]
    watch.patience = Patience(**head["patience"])
    for name in set(SCALARS) & set(head):  # an older snapshot lacks some
        setattr(watch, name, head[name])
    return watch


class Values:
    """Values that are taken one array after the other."""

    def __init__(self, values: np.ndarray) -> None:
        self.rest = values

    def take(self, size: int) -> np.ndarray:
        taken, self.rest = self.rest[:size].copy(), self.rest[size:]
        return taken

    def take_mean(self, size: int) -> Mean:
        return Mean(*(self.take(size) for _ in range(3)))
