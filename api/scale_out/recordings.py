"""Which recordings an archive holds, and what is stated of each."""

import hashlib
import json
from typing import Any

import pandas as pd

from api.files.extras.libraries import list_suffixes
from api.recording.pool import worker_limits
from api.scale_out.places import ArchiveError, Place
from api.scale_out.workers import MODEL
from api.serving.provenance import hash_file
from api.settings import settings

FIELDS = ("sampling_rate", "rpm", "bearing", "channel")
WATCHED = ("machine", "point", "taken_at")  # of a recording that goes into the store of machines too


def find_recordings(source: str, given: dict[str, Any], catalogue: dict[str, dict]) -> list[dict[str, Any]]:
    """Return name, path, size, fields and key of every recording.

    The key changes with file, fields, model, own bearings and limits: what was too large is tried again after a limit
    was raised.
    """
    model, (_, folder) = hash_file(MODEL), Place(source).open()
    limits = worker_limits(MODEL, settings).model_dump(exclude={"diagnosis"}) | {"upload": settings.max_upload}
    limits["bearings"] = hash_file(settings.bearings) if settings.bearings else ""
    found = []
    for file in Place(source).list(tuple(list_suffixes())):
        name = file.path.removeprefix(folder).lstrip("/")
        known = catalogue.get(name, {})
        stated = {field: value for field, value in known.items() if field in FIELDS}
        fields, watched = json.dumps(given | stated, sort_keys=True), all(field in known for field in WATCHED)
        facts = json.dumps([name, file.size, file.mtime_ns, model, limits, fields] + watched * ["watched"])
        key = hashlib.sha256(facts.encode()).hexdigest()
        found.append(
            {"recording": name, "path": file.path, "size": file.size, "key": key, "fields": fields, "watched": watched}
        )
    return found


def read_catalogue(path: str) -> dict[str, dict[str, str]]:
    """Return what a CSV file says of each file: columns of FIELDS and WATCHED beside the column `file`."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        names = [name for name in (*FIELDS, *WATCHED) if name in table]
        return {row["file"]: {name: row[name] for name in names if row[name]} for row in table.to_dict("records")}
    except (OSError, ValueError, KeyError) as error:
        raise ArchiveError(f"catalogue {path}: expected a CSV file with a column named file: {error!r}") from error
