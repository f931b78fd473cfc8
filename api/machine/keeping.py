"""What is kept for how long: raw files in a folder or bucket, and of old recordings the worst of each day."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any, Self

import fsspec
import numpy as np
from sqlalchemy import Row, delete, select
from sqlalchemy.orm import Session

from api.machine.chunks import rebuild_chunks
from api.machine.state import first_watch, list_in_time
from api.machine.tables import Point, Record
from model.machine.indicators import Indicators
from model.machine.snapshot import write_watch
from model.machine.thresholds import Thresholds

DAY = 86_400.0
AT_ONCE = 1_000  # rows of a deletion


@dataclass(frozen=True)
class Files:
    """Raw files below a folder or in a bucket."""

    system: Any  # of fsspec
    folder: str

    @classmethod
    def open(cls, url: str) -> Self:
        """Return the files below a URL that fsspec knows, or a path. Raises OSError, ValueError or ImportError."""
        system, folder = fsspec.core.url_to_fs(url)
        system.makedirs(folder, exist_ok=True)
        return cls(system, folder.rstrip("/"))

    def write(self, machine: str, point: str, taken_at: float, name: str, content: bytes) -> str:
        """Keep a file and return its name below the folder; the same file of the same moment has the same one."""
        moment = datetime.fromtimestamp(taken_at, UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")
        suffix = PurePosixPath(name).suffix[:10]
        suffix = suffix if suffix[1:].isalnum() else ""
        kept = f"{name_folder(machine, point)}/{moment}-{sha256(content).hexdigest()[:12]}{suffix}"
        self.system.makedirs(f"{self.folder}/{name_folder(machine, point)}", exist_ok=True)
        self.system.pipe_file(f"{self.folder}/{kept}", content)
        return kept

    def read(self, kept: str) -> bytes:
        """Return a file's content. Raises OSError where it is gone."""
        return self.system.cat_file(f"{self.folder}/{kept}")

    def delete(self, kept: list[str]) -> None:
        """Delete files, or whole folders of them; one that is gone is no mistake."""
        for each in kept:
            path = f"{self.folder}/{each}"
            if self.system.exists(path):
                self.system.rm(path, recursive=True)


def name_folder(*names: str) -> str:
    """Return the folder of a machine or of its point; a name of nothing but dots would be that of another folder."""
    return "/".join(name if name.strip(".") else name.replace(".", "%2E") for name in names)


def thin(session: Session, point: Point, days: float, limits: Thresholds) -> list[str]:
    """Keep the worst recording of each day that is so many days older than the newest; return files to delete.

    Recordings that were learned, or are of the healthy past of diagnoses, stay. The watch as it was then is kept:
    states after it are replayed from there, and are bit for bit what they would be without.
    """
    if point.last_taken_at is None:
        return []
    end = math.floor(point.last_taken_at / DAY - days) * DAY
    begin = -math.inf if point.thinned_until is None else point.thinned_until
    if end <= begin:
        return []
    rows = session.execute(
        select(
            Record.id,
            Record.taken_at,
            Record.severity,
            Record.level,
            Record.file,
            Record.healthy.is_not(None).label("past"),
        )
        .where(Record.point_id == point.id, Record.taken_at > begin, Record.taken_at < end)
        .order_by(Record.taken_at, Record.sha256)
    ).all()
    if not rows:
        return []
    if point.learned_from is None or point.learned_from < end:
        point.thinned_watch, point.thinned_level = watch_until(session, point, end, limits)
    point.thinned_until = math.nextafter(end, -math.inf)  # a recording of `end` itself is still judged
    gone = find_surplus(rows)
    for start in range(0, len(gone), AT_ONCE):
        numbers = [row.id for row in gone[start : start + AT_ONCE]]
        session.execute(delete(Record).where(Record.id.in_(numbers)))
    rebuild_chunks(session, point)
    return [row.file for row in gone if row.file]


def watch_until(session: Session, point: Point, end: float, limits: Thresholds) -> tuple[bytes, str]:
    """Return a point's watch before a moment, and the level then."""
    begin, watch, level = first_watch(point, limits)
    for row in list_in_time(session, point, begin, inclusive=point.thinned_until != begin):
        if row.taken_at >= end:
            break
        level = watch.advance(row.taken_at, Indicators.from_bytes(row.indicators)).level
    return write_watch(watch), level


def find_surplus(rows: list[Row]) -> list[Row]:
    """Return the rows that are neither a day's worst nor of the past."""
    days = np.floor(np.array([row.taken_at for row in rows]) / DAY)
    severities = np.array([row.severity for row in rows])
    starts = np.flatnonzero(np.diff(days, prepend=-np.inf))
    worst = {start + int(part.argmax()) for start, part in zip(starts, np.split(severities, starts[1:]), strict=True)}
    return [row for place, row in enumerate(rows) if place not in worst and row.level != "learning" and not row.past]
