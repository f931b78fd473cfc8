"""What an archive writes into the store of machines: the recordings whose catalogue names machine, point and moment."""

from datetime import datetime
from typing import Any

import pyarrow as pa
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter, ValidationError

from api.machine.metrics import MachineMetrics
from api.machine.models import Name, PointFields, read_moment
from api.machine.opening import open_store
from api.machine.reading import read_point
from api.machine.store import RefusedError, Store, Taken, UnknownError
from api.scale_out.places import ArchiveError
from api.scale_out.recordings import WATCHED
from model.machine.indicators import Indicators

NAMES = TypeAdapter(Name)  # what the paths of /machines/ take: another name could be stored, and never asked for


def read_moments(catalogue: dict[str, dict[str, str]]) -> dict[str, datetime]:
    """Return when each watched recording was taken. Raises ArchiveError for a moment or name that is none."""
    moments = {}
    for name, known in catalogue.items():
        if all(field in known for field in WATCHED):
            try:
                moments[name] = read_moment(known["taken_at"])
            except ValueError as error:
                raise ArchiveError(f"{name}: taken_at: {error}") from error
            check_names(name, known)
    return moments


def check_names(recording: str, known: dict[str, str]) -> None:
    for field in ("machine", "point"):
        try:
            NAMES.validate_python(known[field])
        except ValidationError as error:
            raise ArchiveError(
                f"{recording}: {field}: {known[field][:80]!r} came, expected a name as /machines/ takes it, of "
                f"letters, digits, dot, line and underscore: {error.errors()[0]['msg']}"
            ) from error


def store_recordings(
    rows: pa.Table, catalogue: dict[str, dict[str, str]], moments: dict[str, datetime], bearing: str
) -> dict[str, int]:
    """Store watched recordings in the order of their moments and return how many are new, known and refused.

    Points that are missing are created, with this bearing where the catalogue names none. Raises ArchiveError
    where there is no store.
    """
    store = open_store(MachineMetrics(CollectorRegistry()), ())
    if store is None:
        raise ArchiveError("the store of machines cannot be opened, see above: DATABASE_URL names it")
    counts = {"stored": 0, "stored before": 0, "refused by their points": 0}
    watched = [row for row in rows.to_pylist() if row["recording"] in moments and row["indicators"]]
    for row in sorted(watched, key=lambda each: (moments[each["recording"]], each["sha256"])):
        known = catalogue[row["recording"]]
        open_point(store, known, bearing)
        try:
            is_new = store.add_recording(known["machine"], known["point"], take(row, moments[row["recording"]]))[2]
            counts["stored" if is_new else "stored before"] += 1
        except RefusedError:
            counts["refused by their points"] += 1
    store.engine.dispose()
    return counts


def open_point(store: Store, known: dict[str, str], bearing: str) -> None:
    try:
        read_point(store, known["machine"], known["point"])
    except UnknownError:
        fields = PointFields(bearing=known.get("bearing", bearing))
        store.put_point(known["machine"], known["point"], **fields.model_dump())


def take(row: dict[str, Any], moment: datetime) -> Taken:
    indicators = Indicators.from_bytes(row["indicators"])
    return Taken(moment.timestamp(), row["sha256"], indicators, row["prediction"], healthy=row["healthy"])
