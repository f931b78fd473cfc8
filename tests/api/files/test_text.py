from datetime import datetime, timedelta

import numpy as np
import pytest

from tests.api.files.samples import read_recording, refusal


@pytest.mark.parametrize(
    ("rate", "form", "expected"), [(12_000, "%.6f", 12_000), (48_000, "%.7f", 48_000), (12_000, "%.4f", None)]
)
def test_the_time_axis_gives_the_rate_where_its_steps_are_even(rate, form, expected, noise):
    rows = [f"{form},%.6f" % (index / rate, value) for index, value in enumerate(noise.normal(size=5000))]
    recording = read_recording("\n".join(["time,acc", *rows]).encode(), "a.csv")
    assert recording.channels == ("acc",)
    assert recording.sampling_rate == expected
    (note,) = recording.warnings
    said = f"the sampling rate {rate:,} Hz was read from the column time" if expected else "its steps are uneven"
    assert said in note


def test_the_head_outweighs_the_time_axis():
    recording = read_recording(b"fs: 12000\ntime,acc\n0.0,1\n0.1,2\n0.2,1\n", "a.csv")
    assert recording.sampling_rate == 12_000
    assert "12,000 Hz, and the column time one of 10 Hz" in recording.warnings[1]


@pytest.mark.parametrize(
    ("text", "channel", "signal", "channels"),
    [
        ("0,12573\n-0,13210\n0,04042\n", "", [0.12573, -0.1321, 0.04042], ["0"]),
        ("g\n1\n-0,5\n2\n", "", [1, -0.5, 2], ["g"]),
        ("1,25E-03\n-2,50E-03\n", "", [0.00125, -0.0025], ["0"]),
        ('"0,1";"2,3"\n"0,2";"2,5"\n', "1", [2.3, 2.5], ["0", "1"]),
        ('"a","b"\n"0,000083","0,125"\n"0,000090","-0,25"\n', "b", [0.125, -0.25], ["a", "b"]),
        ('1,"0,5"\n7,"1,5"\n', "1", [0.5, 1.5], ["0", "1"]),
        ('"0,5"\n"1,5"\n', "", [0.5, 1.5], ["0"]),
        ("0,5 7\n-1,25 8\n", "0", [0.5, -1.25], ["0", "1"]),
        ("1,7\n2,8\n3,10\n", "1", [7, 8, 10], ["0", "1"]),
        ("12000\nt,a\n1,5\n7,6\n", "a", [5, 6], ["a"]),
        ("2024\n\nt;a\n1;5\n7;6,5\n", "a", [5, 6.5], ["a"]),
        ("Time (ms),acc,rpm\n1,5,7\n7,6,7\n2,6,7\n", "acc", [5, 6, 6], ["Time (ms)", "acc", "rpm"]),
        ("Time,Acc X,Acc Y\ns,g,m/s\u00b2\n1,5,7\n7,6,7\n2,6,7\n", "Acc X (g)", [5, 6, 6],
         ["Time (s)", "Acc X (g)", "Acc Y (m/s\u00b2)"]),
    ],
)  # fmt: skip
def test_the_ways_to_write_numbers(text, channel, signal, channels):
    recording = read_recording(text.encode(), "a.csv", channel)
    assert recording.signal.tolist() == signal
    assert list(recording.channels) == channels


@pytest.mark.parametrize(
    ("name", "step", "rate", "note"),
    [
        ("Time (min)", 1 / 12_000 / 60, 12_000, "12,000 Hz was read from the column Time (min)"),
        ("time [h]", 1 / 12_000 / 3600, 12_000, "12,000 Hz was read"),
        ("time [ns]", 83_333.333, 12_000, "12,000 Hz was read"),
        ("Zeit [ms]", 1 / 12, 12_000, "12,000 Hz was read"),
        ("TimeMs", 1 / 12, 12_000, "12,000 Hz was read"),
        ("Time (ticks)", 1e-4, None, "no sampling rate was read from the column Time (ticks): its unit is not known"),
        ("Time", 1 / 12, None, "no sampling rate was read from the column Time: its steps would mean 12 Hz"),
        ("timestamp", 1e-8, None, "its steps would mean 100,000,000 Hz"),
        ("Time (samples)", 1, None, "counts samples"),
    ],
)
def test_the_time_axis_counts_in_its_unit(name, step, rate, note):
    rows = [f"{index * step:.12g},{index % 7}" for index in range(100)]
    recording = read_recording("\n".join([f"{name},acc", *rows]).encode(), "a.csv")
    assert recording.channels == ("acc",)
    assert recording.sampling_rate == (pytest.approx(rate, rel=1e-6) if rate else None)
    assert [note in warning for warning in recording.warnings] == [True]


@pytest.mark.parametrize(
    ("head", "number", "rate", "rpm"),
    [
        ("Fs;12.000\nrpm;1.750", "0,05", 12_000, 1750),
        ("fs = 12.000 kHz", "0.5", 12_000, None),
        ("Fs: 12 000 Hz, rpm: 1 750", "0.5", 12_000, 1750),
        ("Fs: 12'000 Hz", "0.5", 12_000, None),
        ("Fs: 12\u202f000 Hz", "0.5", 12_000, None),
        ("sampling rate: 0.1 MHz", "0.5", 100_000, None),
        ("sampling_rate_kHz = 25,6", "0.5", 25_600, None),
        ("sensor fs 50 g", "0.5", None, None),
        ("sensor fs 5000 g", "0.5", None, None),
        ("sensor fs 5000 mV\nfs = 12000", "0.5", 12_000, None),
        ("max rpm 3600, rpm 1750", "0.5", None, 1750),
        ("fs=12000 rpm=1797", "0.5", 12_000, 1797),
        ("Speed 1797 rpm 12000 lines", "0.5", None, 1797),
        ("rpm: 5", "0.5", None, None),
        ("fs: 12000000", "0.5", None, None),
    ],
)
def test_the_head_gives_rate_and_speed_and_a_note_says_so(head, number, rate, rpm):
    recording = read_recording(f"{head}\n\n{number}\n{number}1\n".encode(), "a.csv")
    assert (recording.sampling_rate, recording.rpm) == (rate, rpm)
    assert len(recording.warnings) == (rate is not None) + (rpm is not None)
    assert all("was read from the line '" in note for note in recording.warnings)


def test_the_notes_on_the_head_repeat_its_lines():
    recording = read_recording(b"# fs = 12000\n# rpm: 1,750\n1\n2\n", "a.csv")
    assert list(recording.warnings) == [
        "the sampling rate 12,000 Hz was read from the line '# fs = 12000'",
        "the speed 1,750 rpm was read from the line '# rpm: 1,750'",
    ]


@pytest.mark.parametrize(
    ("text", "number", "channel"),
    [
        ("a,b\n1,7\n2,8\n", "1", "b"),
        ("time,b\n0,7\n1,8\n2,8\n", "1", "b"),  # the time axis counts, as it does where no column has a name
        ("1,a,0\n5,6,7\n5,6,8\n", "0", "0"),  # a name goes before a number
    ],
)
def test_a_number_that_is_no_name_counts_columns(text, number, channel):
    recording = read_recording(text.encode(), "a.csv", number)
    assert recording.channel == channel
    assert recording.signal[:2].tolist() == [7, 8]


@pytest.mark.parametrize(
    ("head", "units"),
    [
        ("acc,acc", {"acc": "", "acc[1]": ""}),
        ("acc (g),acc (g)", {"acc (g)": "g", "acc (g)[1]": "g"}),
        ("acc (1),acc (2)", {"acc (1)": "", "acc (2)": ""}),
        ("a,b\nvolts,in/s", {"a (volts)": "volts", "b (in/s)": "in/s"}),
        ("a,b\ng's,gn", {"a (g's)": "g's", "b (gn)": "gn"}),
        ("a,b\nm/s**2,EU", {"a (m/s**2)": "m/s2", "b (EU)": "EU"}),
        ("Channel,b\nDelta,3.9E-5", {"Channel": "", "b": ""}),
        ("X0,0.5", {"0": "", "1": ""}),
    ],
)
def test_the_head_tells_names_and_units_of_columns(head, units):
    rows = [f"{index % 7},{index % 5}" for index in range(50)]
    content = "\n".join([head, *rows]).encode()
    assert {name: read_recording(content, "a.csv", name).unit for name in units} == units
    assert list(read_recording(content, "a.csv", next(iter(units))).channels) == list(units)


@pytest.mark.parametrize("unit", ["sec", "seconds", "s"])
def test_a_row_of_units_holds_one_of_time(unit):
    rows = [f"{index / 10_000:.4f},{index % 7},{index % 5}" for index in range(50)]
    recording = read_recording("\n".join(["Time,Ch1,Ch2", f"{unit},g,g", *rows]).encode(), "a.csv", "Ch2 (g)")
    assert (recording.channels, recording.unit, recording.sampling_rate) == (("Ch1 (g)", "Ch2 (g)"), "g", 10_000)


def test_a_labview_measurement_names_its_columns_behind_what_it_says_of_them():
    head = "Date\t2024/01/31\t\nX_Dimension\tTime\t\nX0\t0.0000000000000000E+0\t\nDelta_X\t3.906250E-5\t"
    rows = [f"{index * 3.90625e-5:.8f}\t{index % 7}" for index in range(50)]
    content = "\n".join([head, "***End_of_Header***\t\t", "X_Value\tVibration\tComment", *rows])
    recording = read_recording(content.encode(), "a.lvm")
    assert (recording.channels, recording.sampling_rate) == (("Vibration",), 25_600)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("m/s\u00b2", "m/s2"),
        ("m/s^2", "m/s2"),
        ("m / s**2", "m/s2"),
        ("G", "g"),
        ("mm/S", "mm/s"),
        ("mV", "mV"),
        ("in/s^2", "in/s^2"),
    ],
)
def test_a_unit_is_the_same_however_it_is_spelled(written, unit):
    recording = read_recording(f"acc [{written}]\n1\n2\n".encode(), "a.csv")
    assert (recording.channel, recording.unit) == (f"acc [{written}]", unit)


@pytest.mark.parametrize("number", ["0", "2", "\u00b2", "9" * 200])
def test_a_number_of_no_channel_is_refused(number):
    error = refusal(b"time,b\n0,7\n1,8\n2,8\n", "a.csv", number)
    assert "the file has no channel" in str(error)
    assert error.field == "channel"


@pytest.mark.parametrize(
    ("form", "separator", "decimal", "taken_at"),
    [
        ("%Y-%m-%dT%H:%M:%S.%fZ", ",", ".", "2026-01-31T12:00:00.000000Z"),
        ("%Y-%m-%d %H:%M:%S.%f+01:00", ";", ",", "2026-01-31T12:00:00.000000+01:00"),
        ("%d-%b-%Y %H:%M:%S.%f", "\t", ".", "2026-01-31T12:00:00.000000"),
        ("%d.%m.%Y %H:%M:%S,%f", ";", ",", "2026-01-31T12:00:00.000000"),
        ('"%d/%m/%Y %H:%M:%S.%f"', ",", ".", "2026-01-31T12:00:00.000000"),
        ("%m/%d/%Y %H:%M:%S.%f", ",", ".", "2026-01-31T12:00:00.000000"),
        ('"%m/%d/%Y %I:%M:%S.%f %p"', ";", ",", "2026-01-31T12:00:00.000000"),
    ],
)
def test_time_stamps_tell_the_rate_and_when_it_began(form, separator, decimal, taken_at):
    begin = datetime(2026, 1, 31, 12)
    stamps = [(begin + timedelta(microseconds=100 * row)).strftime(form) for row in range(50)]
    samples = np.sin(np.arange(50)).round(6)
    rows = [
        separator.join((stamp, str(sample).replace(".", decimal), "1"))
        for stamp, sample in zip(stamps, samples, strict=True)
    ]
    content = separator.join(("Timestamp", "acc (g)", "other")) + "\n" + "\n".join(rows)
    found = read_recording(content.encode(), "a.csv", "acc (g)")
    assert (found.sampling_rate, found.taken_at, found.unit) == (10_000, taken_at, "g")
    assert found.channels == ("acc (g)", "other")
    assert found.signal.tolist() == samples.tolist()


def test_a_stamp_in_the_head_is_no_time_axis():
    content = b"2026-01-31 12:00:00 rig A\n# fs = 12000\n" + b"1.5\n-2.5\n" * 20
    found = read_recording(content, "a.txt")
    assert (found.sampling_rate, found.taken_at, len(found.signal)) == (12_000, "", 40)


@pytest.mark.parametrize(
    ("stamp", "taken_at", "note"),
    [
        ("1/31/2024 12:00:00.{} PM", "2024-01-31T12:00:00.0", ""),
        ("1/31/2024 12:00:00.{} AM", "2024-01-31T00:00:00.0", ""),
        ("1/31/2024 1:00:00.{}PM", "2024-01-31T13:00:00.0", ""),
        ("31/1/2024 1:00:00.{} am", "2024-01-31T01:00:00.0", ""),
        ("01.02.2024 12:00:00.{}", "2024-02-01T12:00:00.0", ""),
        ("01/02/2024 12:00:00.{}", "2024-02-01T12:00:00.0", "01/02/2024 12:00:00.0 was read as day, month, year"),
    ],
)
def test_a_date_is_read_as_the_only_one_that_it_can_be_and_else_says_how(stamp, taken_at, note):
    rows = [f"{stamp.format(row)},{row % 3}" for row in range(10)]
    recording = read_recording("\n".join(["t,acc", *rows]).encode(), "a.csv", "acc")
    assert recording.taken_at == taken_at
    assert note in " ".join(recording.warnings)
    assert "was read as" not in " ".join(recording.warnings) or note


def test_all_dates_of_a_file_are_read_alike():
    rows = ["1/12/2024 23:59:59.9999,1", "1/13/2024 00:00:00.0000,2", "1/13/2024 00:00:00.0001,3"]
    found = read_recording("\n".join(["t,acc", *rows]).encode(), "a.csv", "acc")
    assert (found.taken_at, found.sampling_rate) == ("2024-01-12T23:59:59.9999", 10_000)


@pytest.mark.parametrize("date", ["13/13/2024", "31/02/2024", "31-Foo-2024", "2024-13-01"])
def test_a_stamp_that_is_no_date_is_refused_in_words(date):
    content = f"t,acc\n{date} 12:00:00,1\n{date} 12:00:01,2\n".encode()
    assert f"the time stamp '{date} 12:00:00' is no date" in str(refusal(content, "a.csv", "acc"))
