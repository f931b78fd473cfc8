"""From severities to a level that is raised and cleared with patience."""

from dataclasses import dataclass, field

from model.machine.thresholds import Persistence

RISING = ("normal", "notice", "warning", "alarm")


@dataclass
class Patience:
    """The level, since when (unix seconds), and how many recordings in a row speak for another one."""

    level: str = "normal"
    since: float = 0.0
    above: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RISING[1:], 0))
    first: dict[str, float] = field(default_factory=lambda: dict.fromkeys(RISING[1:], 0.0))
    below: int = 0

    def advance(self, taken_at: float, severity: float, limits: Persistence) -> None:
        """Raise the level after `raise_after` recordings in a row, clear it after `clear_after` below its share."""
        for name in RISING[1:]:
            if severity < getattr(limits, name):
                self.above[name] = 0
                continue
            self.first[name] = self.first[name] if self.above[name] else taken_at
            self.above[name] += 1
        raised = [name for name in RISING[1:] if self.above[name] >= limits.raise_after]
        if raised and RISING.index(raised[-1]) > RISING.index(self.level):
            self.level, self.since, self.below = raised[-1], self.first[raised[-1]], 0
            return
        if self.level == "normal":
            return
        self.below = self.below + 1 if severity < limits.clear_share * getattr(limits, self.level) else 0
        if self.below >= limits.clear_after:
            self.level, self.since, self.below = (raised or ["normal"])[-1], taken_at, 0
