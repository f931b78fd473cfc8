"""Stage rig: read the recordings of other machines, which train nothing, for the trials.

Their folders lie outside the repository, where DVC sees no change: `dvc repro -f rig` looks at them again. The trials
depend on what this stage wrote: they run again when recordings appeared, disappeared or changed, and only then.
"""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing
from model.recording.classes import CLASSES
from pipeline import params
from pipeline.catalogue import read_catalogue, refuse
from pipeline.params import RIG, InputError
from pipeline.training.signals import read_signal
from pipeline.trials.rig import KNOWN

CATALOGUE = "catalogue.csv"
Catalogues = dict[str, tuple[Path, Path]]  # folder and catalogue of each rig


def main() -> None:
    section = params.load("rig")
    found, missing = find_rigs(**section)
    facts = write_rigs(RIG, found)
    for name in found:
        print(f"rig {name}: {sum(fact['rig'] == name for fact in facts)} recordings")
    for name in missing:
        variables = " and ".join(filter(None, (section["mirrors"].get(name), section["mirror"])))
        print(f"RIG {name} LEFT OUT: {variables} name no folder with its recordings")
    if missing:
        print("when they are at hand: dvc repro -f rig, then dvc repro")


def find_rigs(mirror: str, mirrors: dict[str, str], catalogues: str) -> tuple[Catalogues, list[str]]:
    """Return {rig: (folder, catalogue)} of the rigs that are at hand, and the names of known ones that are not.

    mirror is the variable that names the folder around the rigs' folders, mirrors {rig: the variable that names its
    own}, catalogues the folder with the catalogues of rigs whose folders hold none.
    """
    around = resolve(mirror)
    folders = {path.parent.name: path.parent for path in around.glob(f"*/{CATALOGUE}")} if around else {}
    folders.pop(KNOWN, None)  # what trains is no other rig
    known = {path.stem: path for path in sorted(Path(catalogues).glob("*.csv"))}
    for name in known:
        places = (resolve(mirrors.get(name, "")), around and around / name)
        here = [folder for folder in places if folder and folder.is_dir()]
        if here:
            folders[name] = here[0]
    found = {
        name: (folder, folder / CATALOGUE if (folder / CATALOGUE).is_file() else known[name])
        for name, folder in sorted(folders.items())
    }
    return found, [name for name in known if name not in found]


def resolve(variable: str) -> Path | None:
    folder = os.environ.get(variable)
    return Path(folder).expanduser().resolve() if folder else None


def write_rigs(folder: Path, rigs: Catalogues) -> list[dict[str, Any]]:
    """Write one .npy a recording, and the list that says what each of them is, which is returned."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    facts = []
    for rig, places in rigs.items():
        (folder / rig).mkdir()
        for number, (row, signal) in enumerate(read_rig(*places)):
            file = f"{rig}/{number}.npy"
            np.save(folder / file, signal)
            facts.append(
                {"rig": rig, "name": row.recording, "file": file, "label": row.label, "channel": row.channel,
                 "sampling_rate": row.sampling_rate, "rpm": row.rpm, "bearing": asdict(to_bearing(row.bearing))}
            )  # fmt: skip
    (folder / "recordings.json").write_text(json.dumps(facts, indent=1) + "\n")
    return facts


def read_rig(folder: Path, path: Path) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield each row of a rig's catalogue and its signal (samples,), in the type of the file.

    Raises InputError that names the recording or the file at fault.
    """
    try:
        catalogue = read_catalogue(path)
        check(catalogue)
    except InputError as error:
        raise InputError(f"rig {folder.name}: {error}") from error
    for row in tqdm(list(catalogue.itertuples()), desc=folder.name, unit="recording", disable=None):
        check_hash(folder / row.file, row.sha256)
        if row.position:
            yield row, read_entry(folder / row.file, row.variable, row.position)
        else:
            yield row, read_signal(folder / row.file, row.variable, row.sampling_rate)


def check(catalogue: pd.DataFrame) -> None:
    refuse(catalogue, ~catalogue.label.isin(CLASSES), f"label is none of {', '.join(CLASSES)}")
    refuse(catalogue, ~(catalogue.rpm > 0), "rpm is not above 0: without it no order is known")
    wrong = ~catalogue.position.str.fullmatch(r"(\d+( \d+)*)?")
    refuse(catalogue, wrong, "position is not whole numbers with a space between them")
    known = "a designation of data/bearings.csv, or elements, their diameter, pitch diameter and contact angle"
    refuse(catalogue, ~catalogue.bearing.map(is_bearing), f"bearing is not {known}")


def is_bearing(text: str) -> bool:
    try:
        to_bearing(text)
    except (TypeError, ValueError):
        return False
    return True


def to_bearing(text: str) -> Bearing:
    """Return the bearing that a designation, four numbers or an empty text, for the default, stand for."""
    if text in BEARINGS or not text:
        return BEARINGS[text or DEFAULT_BEARING]
    elements, *lengths = text.split()
    return Bearing(int(elements), *map(float, lengths))


def check_hash(path: Path, expected: str) -> None:
    if expected and (found := hash_file(path)) != expected:
        raise InputError(f"{path} has the SHA-256 {found[:12]}..., its catalogue says {expected[:12]}...")


@cache
def hash_file(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def read_entry(path: Path, variable: str, position: str) -> np.ndarray:
    """Return the vector at a position, whole numbers from 0, of a variable of a NumPy archive. Raises InputError."""
    arrays = read_archive(path)
    if variable not in arrays:
        raise InputError(f"{path} has no variable {variable!r}; it has {', '.join(arrays)}")
    place, shape = tuple(map(int, position.split())), arrays[variable].shape
    if len(place) != len(shape) - 1 or any(number >= size for number, size in zip(place, shape, strict=False)):
        raise InputError(f"{path}: position {position} is not in {variable}, which has the shape {shape}")
    return arrays[variable][place]


@cache
def read_archive(path: Path) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is no NumPy archive (.npz), expected one because its catalogue gives a position")
    try:
        with np.load(path) as arrays:
            return dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


if __name__ == "__main__":
    params.run_stage(main)
