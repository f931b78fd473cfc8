import csv

import pytest

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing, FaultOrders, read_bearings
from tests.conftest import ROOT


def test_the_default_bearing_has_its_published_orders():
    # CWRU's table of the SKF 6205-2RS JEM: it prints 4.7135 for the balls, which is the rate of their strikes, 2 x BSF.
    orders = BEARINGS[DEFAULT_BEARING].orders
    assert orders.bpfo == pytest.approx(3.5848, abs=2e-4)
    assert orders.bpfi == pytest.approx(5.4152, abs=2e-4)
    assert orders.ftf == pytest.approx(0.39828, abs=1e-4)
    assert orders.bsf == pytest.approx(2.3570, abs=5e-4)
    assert 2 * orders.bsf == pytest.approx(4.7135, abs=5e-4)


def test_every_bearing_says_its_unit_and_its_source():
    with (ROOT / "data" / "bearings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["designation"] for row in rows] == list(BEARINGS)
    assert all(row["maker"] and row["source"].startswith(("https://", "http://")) for row in rows)
    assert all(row["unit"] for row in rows if row["rolling_elements"])


def test_computed_orders_are_the_published_ones():
    with (ROOT / "data" / "bearings.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["bpfo"]]
    assert len(rows) > 30
    for row in rows:
        published = {name: float(row[name]) for name in FaultOrders._fields if row[name]}
        found = BEARINGS[row["designation"]].orders._asdict()
        assert {name: found[name] for name in published} == pytest.approx(published, rel=0.005), row["designation"]


@pytest.mark.parametrize("geometry", [(9, 7.94, 39.04, 0), (16, 8.4, 71.5, 15.17), (20, 3, 60, 40)])
def test_orders_alone_give_the_bearing_back(geometry):
    bearing = Bearing(*geometry)
    again = Bearing.from_orders(bearing.orders)
    assert again.orders == pytest.approx(bearing.orders)
    assert again.rolling_elements == bearing.rolling_elements
    assert again.contact_angle == pytest.approx(bearing.contact_angle, abs=1e-6)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("6309,,,,3.574,5.426,2.328,0.367", "line 2, 6309: ftf is 0.367, where the other orders give 0.3971"),
        ("6309,,,,5.4,3.6,2.3,0.4", "line 2, 6309: bpfo is 5.4, bpfi 3.6 and bsf 2.3, expected 0 < bpfo < bpfi"),
        ("6309,,,,3.6,5.4,,", "line 2, 6309: bsf is '', expected a number: a geometry, or all orders"),
        ("6309,eight,1,5,,,,", "line 2, 6309: rolling_elements is 'eight', expected a number"),
        ("6309,8,5,1,,,,", "line 2, 6309: element_diameter is 5.0 and pitch_diameter 1.0"),
        (",8,1,5,,,,", "line 2: a designation is missing"),
    ],
)
def test_a_wrong_row_of_a_table_is_refused_in_words(tmp_path, row, message):
    table = tmp_path / "own.csv"
    head = "designation,rolling_elements,element_diameter,pitch_diameter,bpfo,bpfi,bsf,ftf"
    table.write_text(f"{head}\n{row}\n")
    with pytest.raises(ValueError, match=r"own\.csv, ") as refusal:
        read_bearings(table)
    assert message in str(refusal.value)


def test_the_fan_end_bearing_has_its_published_orders():
    orders = BEARINGS["6203-2RS"].orders
    assert orders.bpfo == pytest.approx(3.0530, abs=5e-4)
    assert orders.bpfi == pytest.approx(4.9469, abs=5e-4)
    assert orders.ftf == pytest.approx(0.3817, abs=5e-4)
    assert 2 * orders.bsf == pytest.approx(3.9874, abs=2e-3)


def test_the_other_rigs_bearing_has_its_published_rates():
    # MFPT states them at 25 Hz; its 14.84 Hz for the cage is how much slower than the shaft it turns.
    orders = BEARINGS["NICE"].orders
    assert [25 * order for order in orders[:3]] == pytest.approx([81.125, 118.875, 63.91], abs=0.06)
    assert 25 - 25 * orders.ftf == pytest.approx(14.84, abs=0.03)


def test_the_bearing_of_ims_has_its_published_rates():
    # At 2,000 turns a minute: 236.4 Hz, 296.9 Hz, 139.9 Hz and 14.8 Hz (Qiu et al., JSV 289, 2006).
    orders = BEARINGS["ZA-2115"].orders
    assert [order * 2000 / 60 for order in orders] == pytest.approx([236.4, 296.9, 139.9, 14.8], abs=0.1)


@pytest.mark.parametrize("bearing", BEARINGS.values())
def test_the_orders_keep_what_rolling_without_slip_demands(bearing):
    orders = bearing.orders
    assert orders.bpfo + orders.bpfi == pytest.approx(bearing.rolling_elements)
    assert orders.bpfo == pytest.approx(bearing.rolling_elements * orders.ftf)


def test_a_contact_angle_brings_the_races_orders_together():
    flat, steep = Bearing(9, 0.2, 1.0).orders, Bearing(9, 0.2, 1.0, contact_angle=40).orders
    assert flat.bpfo < steep.bpfo < steep.bpfi < flat.bpfi


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        ((2, 0.3, 1.5, 0), "rolling_elements is 2, expected a whole number from 3"),
        ((8.5, 0.3, 1.5, 0), "rolling_elements is 8.5"),
        ((9, 1.5, 0.3, 0), "element_diameter is 1.5 and pitch_diameter 0.3, expected 0 < element_diameter"),
        ((9, 0, 1.5, 0), "element_diameter is 0"),
        ((9, 0.3, float("nan"), 0), "pitch_diameter nan"),
        ((float("nan"), 0.3, 1.5, 0), "rolling_elements is nan"),
        ((float("inf"), 0.3, 1.5, 0), "rolling_elements is inf"),
        ((9, 0.3, 1.5, 90), "contact_angle is 90 degrees, expected from 0 to below 90"),
    ],
)
def test_an_impossible_geometry_is_refused(geometry, message):
    with pytest.raises(ValueError, match=message):
        Bearing(*geometry)
