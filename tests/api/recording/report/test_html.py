"""The page to hand on: what a person needs is on it, it loads nothing, and the same input gives the same bytes."""

import re
from html.parser import HTMLParser

import pytest

from api.recording.report.drawing import Axis, Mark, Trace, draw, ticks
from tests.conftest import ROOT

EXAMPLES = ROOT / "assets" / "examples"
MOST_BYTES = 300_000
WITHOUT_END = {"meta"}


class Checker(HTMLParser):
    """Notes what is opened, and that all of it is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.names, self.open, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs
        if tag not in WITHOUT_END:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def ask(client, name="outer_race.wav", **fields):
    files = [("file", (name, (EXAMPLES / name).read_bytes()))]
    files += [("baseline", ("healthy.wav", (EXAMPLES / "healthy.wav").read_bytes()))]
    form = {"rpm": "1772", "bearing": "6205-2RS"} | fields
    return client.post("/diagnose/", data=form, files=files, headers={"Accept": "text/html"})


@pytest.fixture(scope="module")
def page(client):
    answer = ask(client)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


def test_verdict_evidence_what_was_given_limits_and_versions_are_on_it(client, page):
    said = ("Outer race fault", "The lines of BPFO stand", "outer_race.wav", "1,772 rpm (the file says nothing)")
    for words in (*said, "12,000 Hz (the file says 12,000)", "BPFO 3.585", "healthy.wav, 11 s", "Limits of the method"):
        assert words in page
    for version in client.get("/model/").json()["versions"].values():
        assert str(version) in page
    assert page.count("<svg") == 3


def test_it_is_one_page_of_sound_html_that_loads_and_runs_nothing(page):
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(checker.names)
    assert [value for name, value in checker.attributes if name in ("src", "href") or name.startswith("on")] == []
    assert "url(" not in page
    assert len(page.encode()) < MOST_BYTES


def test_the_same_input_gives_the_same_bytes(client, page):
    assert ask(client).text == page


def test_names_of_files_are_no_markup(client):
    files = {"file": ("<b>x&.wav", (EXAMPLES / "outer_race.wav").read_bytes())}
    answer = client.post("/diagnose/", data={"rpm": "1772"}, files=files, headers={"Accept": "text/html"})
    assert "<b>" not in answer.text
    assert "&lt;b&gt;x&amp;.wav" in answer.text


def test_a_mistake_is_told_as_to_any_client(client):
    files = {"file": ("a.wav", b"no recording")}
    answer = client.post("/diagnose/", files=files, headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_recording_that_shows_no_lines_has_a_report_too(client):
    noise = (EXAMPLES / "index.json").parent / "healthy.wav"
    files = {"file": (noise.name, noise.read_bytes())}
    answer = client.post("/diagnose/", data={"rpm": "60"}, files=files, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "Waveform" in answer.text


def test_a_drawing_loses_no_extreme():
    values = [0.0] * 10_000
    values[7_123], values[42] = 5.0, -3.0
    trace = Trace([float(place) for place in range(10_000)], values, "#000")
    svg = draw([trace], "time (s)", "g", [], "a test")
    heights = [float(point.split(",")[1]) for point in re.search('points="([^"]+)"', svg)[1].split()]
    assert (min(heights), max(heights)) == (34.0, 170.0)  # the top and the bottom of the frame
    assert "time (s)" in svg


def test_names_of_marks_do_not_overlap():
    trace = Trace([0.0, 10.0], [0.0, 1.0], "#000")
    svg = draw([trace], "order", "amplitude", [Mark(5.0, "BPFO", "#00f", True), Mark(5.1, "BPFI", "#f00", False)], "")
    rows = re.findall(r'y="([\d.]+)" fill="#[0f]+">BPF', svg)
    assert len(set(rows)) == 2


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (Axis(0.0, 10.0, 0, 680), [0, 2, 4, 6, 8, 10]),
        (Axis(-1.0, 1.0, 170, 34), [-1, -0.5, 0, 0.5, 1]),
        (Axis(2e-3, 30.0, 170, 34, logarithmic=True), [0.01, 0.1, 1, 10]),
    ],
)
def test_ticks_are_round_values_within_the_axis(axis, expected):
    assert ticks(axis) == pytest.approx(expected)
