"""The recordings of others, as they are published."""

import numpy as np
import scipy.io

from tests.api.files.samples import read_recording


def test_the_published_recordings_are_the_variables_that_the_catalogue_names(mirror, catalogue):
    read = 0
    for row in catalogue.itertuples():
        path = mirror / row.file
        if path.is_file():
            recording = read_recording(path.read_bytes(), row.file)
            assert recording.channel == "drive_end"
            variable = scipy.io.loadmat(path, variable_names=[row.variable])[row.variable]
            assert np.array_equal(recording.signal, variable.ravel())
            assert recording.rpm == (None if path.stem.startswith("300") else row.rpm)
            read += 1
    assert read >= 61


def test_the_mfpt_recordings_say_their_rate_and_speed(rig):
    recordings = [read_recording(path.read_bytes(), path.name) for path in sorted(rig.glob("*.mat"))]
    assert [(each.sampling_rate, each.rpm, each.channel) for each in recordings] == [(48_828, 1500, "bearing.gs")] * 14
    texts = [read_recording(path.read_bytes(), path.name) for path in sorted(rig.glob("*.txt.gz"))]
    assert [len(each.signal) for each in texts] == [292_968] * 3
