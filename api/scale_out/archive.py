"""`python -m api.scale_out.archive RECORDINGS --out FOLDER`: diagnose a folder or bucket of recordings into two tables.

RECORDINGS and FOLDER are folders, or URLs that pyarrow knows (s3://, gs://). A worker process, as the service has them,
diagnoses every file on this machine or, with --ray, on the machines of a Ray cluster, which must all see a folder under
the same path. FOLDER gets recordings.parquet, a row a recording, and windows.parquet, a row a window. Its folder parts/
holds what another run need not diagnose again. Only one run at a time may write to FOLDER. Recordings whose catalogue
names machine, point and taken_at go into the store of machines ($DATABASE_URL) too.
"""

import argparse
import hashlib
import json
import sys
from typing import Any

from pydantic import ValidationError
from tqdm import tqdm

from api.files.extras.libraries import list_suffixes
from api.recording.fields import Fields, add_bearings
from api.scale_out.machines import read_moments, store_recordings
from api.scale_out.places import ArchiveError, Place
from api.scale_out.recordings import FIELDS, find_recordings, read_catalogue
from api.scale_out.tables import put_together, read_parts, write
from api.scale_out.workers import MODEL, diagnose_here, diagnose_on_ray, read_invalid, split
from api.settings import available_cores, settings
from model.bearings import DEFAULT_BEARING


def main(*words: str) -> None:
    arguments = parse(words)
    out = Place(arguments.out)
    given = check({name: value for name in FIELDS if (value := getattr(arguments, name)) is not None})
    catalogue = read_catalogue(arguments.catalogue) if arguments.catalogue else {}
    moments = read_moments(catalogue)
    found = find_recordings(arguments.source, given, catalogue)
    done = {key for rows in read_parts(out).values() for key in rows["key"].to_pylist()}
    chunks = split([recording for recording in found if recording["key"] not in done], arguments.workers)
    progress = tqdm(total=len(found), desc="archive", unit="recording", disable=None)
    progress.update(len(found) - sum(map(len, chunks)))
    if chunks and arguments.ray:
        parts = diagnose_on_ray(arguments.source, chunks, arguments.workers, arguments.ray)
    else:
        parts = diagnose_here(arguments.source, chunks, arguments.workers) if chunks else iter(())
    for part in parts:
        name = hashlib.sha256(json.dumps(part.select(["recording", "key"]).to_pylist()).encode()).hexdigest()
        write(part, out, f"parts/{name}.parquet")
        progress.update(len(part))
    progress.close()
    rows = put_together(out, {recording["recording"]: recording["key"] for recording in found})
    counts = rows["prediction"].value_counts().to_pylist()
    said = [f"{each['counts']} {each['values'] or 'not diagnosed, see the column error'}" for each in counts]
    print(f"{len(rows)} recordings ({', '.join(said)}): tables in {arguments.out}")
    if moments:
        counts = store_recordings(rows, catalogue, moments, given.get("bearing", DEFAULT_BEARING))
        print("machines: " + ", ".join(f"{count} {what}" for what, count in counts.items()))


def parse(words: tuple[str, ...]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m api.scale_out.archive", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "source",
        metavar="RECORDINGS",
        help=f"folder or URL; files that end in {', '.join(list_suffixes())}",
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="folder or URL of the tables")
    parser.add_argument(
        "--catalogue",
        help="CSV file: file, and sampling_rate, rpm, ... where they differ; machine, point and taken_at to watch",
    )
    parser.add_argument("--sampling-rate", type=float, help="Hz, where the files do not say it")
    parser.add_argument("--rpm", type=float, help="turns a minute, where the files do not say it")
    parser.add_argument("--bearing", help="designation or geometry, as /diagnose/ takes it")
    parser.add_argument("--channel", help="which of several")
    parser.add_argument("--workers", type=int, default=available_cores(), help="one a core unless given")
    parser.add_argument("--ray", nargs="?", const="local", metavar="ADDRESS", help="a cluster's, or one started here")
    return parser.parse_args(words)


def check(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was given for all recordings; own bearings ($BEARINGS) are known from here on.

    Raises ArchiveError where it is wrong or there is no model.
    """
    if not MODEL.is_file():
        raise ArchiveError(f"{MODEL} is missing: run `dvc repro diagnosis`")
    try:
        if settings.bearings:
            add_bearings(settings.bearings)
        Fields(**given)
    except ValidationError as error:
        raise ArchiveError(read_invalid(error)) from error
    except (OSError, ValueError) as error:
        raise ArchiveError(f"BEARINGS: {settings.bearings} cannot be used: {error}") from error
    return given


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ArchiveError as error:
        sys.exit(f"archive: {error}")
