import re

import pytest

from api.machine import opening
from api.machine.database import open_engine
from api.machine.reading import read_point
from api.machine.store import Store
from model.bearings import DEFAULT_BEARING
from model.machine.indicators import measure
from model.recording.recording import Recording

pa = pytest.importorskip("pyarrow", reason="ARCHIVE SKIPPED: pyarrow is not installed")
machines = pytest.importorskip("api.scale_out.machines")
places = pytest.importorskip("api.scale_out.places")
WATCHED = {"machine": "pump", "point": "drive-end", "taken_at": "2026-01-01T00:00:00Z"}


@pytest.fixture
def database(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/machines.sqlite"
    monkeypatch.setattr(opening.settings, "database_url", url)
    return url


@pytest.mark.parametrize(("known", "bearing"), [({}, "6309"), ({"bearing": DEFAULT_BEARING}, DEFAULT_BEARING)])
def test_a_point_has_the_bearing_given_for_all_where_the_catalogue_names_none(noise, database, known, bearing):
    indicators = measure(Recording(noise.standard_normal(12_000), 12_000, 1_750)).to_bytes()
    row = {"recording": "a.wav", "sha256": bytes(32), "indicators": indicators, "prediction": None, "healthy": None}
    catalogue = {"a.wav": WATCHED | known}
    moments = machines.read_moments(catalogue)
    counts = machines.store_recordings(pa.Table.from_pylist([row]), catalogue, moments, "6309")
    assert counts["stored"] == 1
    store = Store(open_engine(database), None)
    assert read_point(store, "pump", "drive-end").bearing == bearing
    store.engine.dispose()


@pytest.mark.parametrize("field", ["machine", "point"])
@pytest.mark.parametrize("name", ["Pump 1", "Halle/3", "P\u00fcmpe", "x" * 65])
def test_a_name_that_no_path_takes_is_refused_in_words(field, name):
    words = f"a.wav: {field}: {name!r} came, expected a name as /machines/ takes it, of letters"
    with pytest.raises(places.ArchiveError, match=re.escape(words)):
        machines.read_moments({"a.wav": WATCHED | {field: name}})


def test_a_recording_that_is_not_watched_may_have_any_name():
    assert machines.read_moments({"a.wav": {"machine": "Pump 1"}}) == {}
