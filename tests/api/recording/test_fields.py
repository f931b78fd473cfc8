import re

import pytest
from pydantic import ValidationError

from api.recording import fields as form
from api.recording.fields import Fields, add_bearings, describe_similar, known_bearings, parse_bearing
from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing
from model.sizes import Size, estimate


@pytest.mark.parametrize("name", list(BEARINGS))
def test_a_designation_names_a_bearing_of_the_table(name):
    assert parse_bearing(name) == parse_bearing(f" {name.lower()} ") == BEARINGS[name]


def test_a_designation_is_known_with_other_spaces_and_dashes():
    assert parse_bearing("6205 2rs") == BEARINGS["6205-2RS"]


@pytest.mark.parametrize("text", ["6309", "SKF 6309-2Z/C3", "6309 c3", "45 x 100 x 25"])
def test_a_bearing_that_is_not_in_the_table_is_estimated_from_its_size(text):
    assert parse_bearing(text) == estimate(Size(45, 100))
    said = describe_similar(Size(45, 100))
    assert said.startswith("of the same size and known: 309K (Timken, wide inner ring, BPFO 3.04);")
    assert not describe_similar(Size(45, 99))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("NU 210", "'NU 210', which is not in the table; expected a designation of it, as 6205-2RS, a ball bearing's"),
        (
            "20 x 21 x 4",
            "bore is 20 mm and outside diameter 21 mm, expected the proportions of the series 60, 62 or 63",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_words(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_bearing(text)


def test_a_person_adds_a_table_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(form, "KNOWN", dict(form.KNOWN))
    head = "designation,maker,rolling_elements,element_diameter,pitch_diameter,contact_angle,bpfo,bpfi,bsf,ftf"
    own = tmp_path / "own.csv"
    own.write_text(f"{head}\nPUMP-7,ours,9,10,50,15,,,,\nFAN 2,catalogue,,,,,3.585,5.415,2.357,0.398\n")
    add_bearings(own)
    assert parse_bearing("pump7") == Bearing(9, 10, 50, 15)
    assert parse_bearing("fan 2").orders.bpfi == pytest.approx(5.415)
    assert known_bearings()["PUMP-7"]["maker"] == "ours"


@pytest.mark.parametrize(
    "text",
    [
        "9, 7.94, 39.04",
        "9; 7,94; 39,04; 0",
        "9 7.94 39.04 0",
        "9;7.94;39.04;0.0",
        '{"rolling_elements": 9, "element_diameter": 7.94, "pitch_diameter": 39.04}',
    ],
)
def test_a_geometry_is_a_bearing(text):
    assert parse_bearing(text) == Bearing(9, 7.94, 39.04, 0.0)


@pytest.mark.parametrize(
    ("text", "bearing"),
    [
        ("8, 0.3126, 1.6312", Bearing(8, 0.3126, 1.6312)),
        ("9, 7.94, 39.6204", Bearing(9, 7.94, 39.6204)),
        ("9 0.3126 1.6300 0", Bearing(9, 0.3126, 1.63, 0)),
        ("8; 12,7; 60,6210", Bearing(8, 12.7, 60.621)),
    ],
)
def test_a_geometry_whose_digits_are_a_designation_is_a_geometry(text, bearing):
    assert parse_bearing(text) == bearing


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("6205", Size(25, 52)),
        ("62205", Size(25, 52)),
        ("SKF 6312 C3", Size(60, 130)),
        ("6309 2Z C3", Size(45, 100)),
        ("FAG, 6309, 2Z", Size(45, 100)),
        ("45 x 100", Size(45, 100)),
    ],
)
def test_a_designation_among_other_words_is_estimated(text, size):
    assert parse_bearing(text) == estimate(size)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("none-such", "not in the table; expected a designation of it, as 6205-2RS"),
        ("9, 7.94", "rolling elements, element diameter"),
        ("9, 7.94, 3", "element_diameter is 7.94 and pitch_diameter 3"),
        ("9.5, 7.94, 39", "rolling_elements is 9.5"),
        ("1e9, 7.94, 39", "200 at most"),
        ("9, nan, 39", "element_diameter is nan"),
        ("9, 7.94, 39, 90", "contact_angle is 90"),
        ("{", "no JSON object"),
        ('{"rolling_elements": 9}', "lacks element_diameter, pitch_diameter"),
        ('{"balls": 9}', "holds {'balls': 9.0}"),
        ('{"rolling_elements": "9", "element_diameter": 1, "pitch_diameter": 5}', "expected numbers"),
        ("[" * 100_000, "expected a designation"),
        ('{"rolling_elements": 9, "element_diameter": 1, "pitch_diameter": 1%s}' % ("0" * 400), "pitch_diameter inf"),
        (
            '{"rolling_elements": 9, "element_diameter": 1%s, "pitch_diameter": 1}' % ("0" * 400),
            "element_diameter is inf",
        ),
        ("3, 1e-300, 1e300", "are both diameters in one unit"),
        ("nan, 1, 5", "rolling_elements is nan"),
    ],
)
def test_what_is_no_bearing_is_refused_in_words(text, words):
    with pytest.raises(ValueError, match=r".") as refusal:
        parse_bearing(text)
    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    "field", [{"rpm": "0"}, {"rpm": "1.797"}, {"rpm": "nan"}, {"rpm": "fast"}, {"sampling_rate": "-1"},
              {"sampling_rate": "inf"}, {"samplingrate": "12000"}, {"bearing": "what"}, {"channel": "x" * 300}],
)  # fmt: skip
def test_a_wrong_field_is_refused(field):
    with pytest.raises(ValidationError):
        Fields(**field)


def test_what_was_not_said_is_known_as_not_said():
    fields = Fields(rpm="1797")
    assert fields.rpm == 1797
    assert fields.bearing == DEFAULT_BEARING
    assert fields.model_fields_set == {"rpm"}


def test_the_known_bearings_come_with_their_orders():
    bearings = known_bearings()
    assert set(bearings) == set(BEARINGS)
    assert bearings["6205-2RS"]["orders"]["bpfo"] == pytest.approx(3.5848, abs=1e-4)
