"""Stage rig: read the recordings of another machine, which train nothing, for the trials.

Their folder lies outside the repository, where DVC sees no change: `dvc repro -f rig` looks at it again. The trials
depend on what this stage wrote: they run again when recordings appeared, disappeared or changed, and only then.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from api.files.errors import UnreadableError
from api.files.formats import read
from api.files.limits import NO_LIMITS
from model.recording.recording import Recording
from pipeline import params
from pipeline.params import RIG, InputError

LABELS = {"Inner": "InnerRace", "Outer": "OuterRace", "normal": "Normal"}  # by how a file's name starts


def main() -> None:
    section = params.load("rig")
    folder = os.environ.get(section["mirror"])
    recordings = list(read_rig(Path(folder).expanduser().resolve(), **section["healthy"])) if folder else []
    write_rig(RIG, recordings)
    if recordings:
        print(f"{len(recordings)} recordings of the other rig")
    else:
        print(f"PROTOCOL RIG LEFT OUT: {section['mirror']} names no folder with the other rig's recordings")
        print("when they are at hand: dvc repro -f rig, then dvc repro")


def read_rig(folder: Path, sampling_rate: float, rpm: float) -> Iterator[tuple[str, Recording]]:
    """Yield (label, recording) of every file; sampling_rate (Hz) and rpm are the healthy files', which say neither.

    Raises InputError that names a file which cannot be read.
    """
    for path in sorted([*folder.glob("*.mat"), *folder.glob("normal*.txt.gz")]):
        label = next(label for start, label in LABELS.items() if path.name.startswith(start))
        try:
            recording = read(path.read_bytes(), path.name, "", NO_LIMITS)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from error
        except UnreadableError as error:
            raise InputError(f"{path.name}: {error}") from error
        yield label, replace(recording, sampling_rate=sampling_rate, rpm=rpm) if label == "Normal" else recording


def write_rig(folder: Path, recordings: list[tuple[str, Recording]]) -> None:
    """Write one .npy a recording, and a list that says what each of them shows."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    facts = []
    for label, recording in recordings:
        np.save(folder / f"{recording.name}.npy", recording.signal)
        facts.append(
            {"name": recording.name, "label": label, "sampling_rate": recording.sampling_rate, "rpm": recording.rpm}
        )
    (folder / "recordings.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    params.run_stage(main)
