import pytest

from api.recording import fields as form
from api.settings import settings

pytest.importorskip("pyarrow", reason="ARCHIVE SKIPPED: pyarrow is not installed")
archive = pytest.importorskip("api.scale_out.archive")
places = pytest.importorskip("api.scale_out.places")
HEAD = "designation,maker,rolling_elements,element_diameter,pitch_diameter,contact_angle,bpfo,bpfi,bsf,ftf"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The path of an own table of bearings, which is not written yet."""
    monkeypatch.setattr(settings, "bearings", tmp_path / "own.csv")
    monkeypatch.setattr(form, "KNOWN", dict(form.KNOWN))
    return settings.bearings


def test_a_bearing_of_an_own_table_may_be_given_for_all(own):
    own.write_text(f"{HEAD}\nSPINDLE-1,ours,9,10,50,15,,,,\n")
    assert archive.check({"bearing": "SPINDLE-1"}) == {"bearing": "SPINDLE-1"}


def test_an_own_table_that_cannot_be_read_is_told_in_words(own):
    with pytest.raises(places.ArchiveError, match=r"^BEARINGS: .*own\.csv cannot be used"):
        archive.check({})


def test_a_bearing_that_no_table_names_is_told_in_words(own):
    own.write_text(f"{HEAD}\n")
    with pytest.raises(places.ArchiveError, match=r"^bearing: .*'SPINDLE-1', which is not in the table"):
        archive.check({"bearing": "SPINDLE-1"})
