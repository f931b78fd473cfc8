"""The catalogue: which recordings there are, what they show, and where their signal lies."""

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from pipeline.params import InputError

MANIFEST = "manifest.json"
REQUIRED = ("recording", "file", "label", "sampling_rate")
TEXT = (
    "recording", "file", "sha256", "variable", "position", "channel", "label", "bearing", "excerpt_file",
    "excerpt_sha256",
)  # fmt: skip
NUMBERS = (
    "sampling_rate", "samples", "fault_diameter", "outer_race_position", "load_hp", "rpm", "excerpt_samples",
)  # fmt: skip


def read_catalogue(path: str | Path) -> pd.DataFrame:
    """Return the catalogue, one row a recording; text columns hold "" and number columns NaN where nothing is known.

    Raises InputError that names the column or the recording at fault.
    """
    try:
        catalogue = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"catalogue {path}: {error}") from error
    missing = [column for column in REQUIRED if column not in catalogue]
    if missing:
        raise InputError(f"catalogue {path} lacks {', '.join(missing)}; it has {', '.join(catalogue)}")
    catalogue = catalogue.reindex(columns=[*TEXT, *NUMBERS], fill_value="")
    for column in NUMBERS:
        catalogue[column] = read_numbers(catalogue, column)
    check(catalogue, path)
    return catalogue


def read_metadata(path: str | Path) -> pd.DataFrame:
    """Return a stage's table about windows; labels and recordings are text, also where they look like numbers."""
    text = {"recording": str, "label": str}
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values={name: [""] for name in NUMBERS})


def read_numbers(catalogue: pd.DataFrame, column: str) -> pd.Series:
    numbers = pd.to_numeric(catalogue[column], errors="coerce")
    refuse(catalogue, ~np.isfinite(numbers) & (catalogue[column] != ""), f"{column} is not a number")
    return numbers


def check(catalogue: pd.DataFrame, path: str | Path) -> None:
    if catalogue.empty:
        raise InputError(f"catalogue {path} names no recording")
    for column in REQUIRED[:3]:
        refuse(catalogue, catalogue[column] == "", f"{column} is empty")
    refuse(catalogue, catalogue.recording.duplicated(), "recording is named twice")
    refuse(catalogue, ~(catalogue.sampling_rate > 0), "sampling_rate is not above 0 Hz")
    for column in ("sha256", "excerpt_sha256"):
        refuse(catalogue, ~catalogue[column].str.fullmatch("([0-9a-f]{64})?"), f"{column} is not 64 hex digits")
    for column in ("file", "excerpt_file"):
        refuse(catalogue, catalogue[column].map(leaves_its_folder), f"{column} is not a relative path inside a folder")
        refuse(catalogue, catalogue[column] == MANIFEST, f"{column} is {MANIFEST}, a name that `download` needs itself")


def leaves_its_folder(file: str) -> bool:
    return PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts


def refuse(catalogue: pd.DataFrame, wrong: pd.Series, reason: str) -> None:
    if wrong.any():
        raise InputError(f"catalogue: {reason}: recording {', '.join(catalogue.recording[wrong])}")
