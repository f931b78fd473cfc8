"""One service and one folder of recordings for all tests of the clients that run in one process."""

import numpy as np
import pytest
from scipy.io import wavfile

from tests.conftest import running
from tests.system.clients.helpers import MOST_BYTES, RATE, machine


@pytest.fixture(scope="session")
def url(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service"), MAX_UPLOAD=str(MOST_BYTES)) as url:
        yield url


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Recordings of an outer race fault and of a healthy machine, one file that is broken, and one that is none."""
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "deeper").mkdir()
    np.save(folder / "outer.npy", machine("OuterRace"))
    healthy = machine("Normal", seed=1)
    scaled = (30_000 * healthy / np.abs(healthy).max()).astype(np.int16)
    wavfile.write(folder / "deeper" / "healthy.WAV", RATE, scaled)
    (folder / "broken.mat").write_bytes(b"MATLAB 5.0 MAT-file, or so it says")
    (folder / "notes.md").write_text("no recording")
    return folder
