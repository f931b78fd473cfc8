"""A diagnosis as one page to hand on: HTML without a script, with drawings, that prints on A4.

The same recording, form and models give the same bytes: nothing on it is of the moment.
"""

from collections.abc import Iterator
from html import escape

from api.recording.models import BaselineAnswer, LineAnswer, WorkerAnswer
from api.recording.report.drawing import Mark, Trace, draw

NAMES = {
    "Ball": "Rolling element fault",
    "InnerRace": "Inner race fault",
    "Normal": "No fault found",
    "OuterRace": "Outer race fault",
    "Unknown": "Unknown",
}
COLOURS = {
    "Ball": "#9a3b86", "InnerRace": "#b8470b", "Normal": "#0c7355", "OuterRace": "#0b6bab", "Unknown": "#5d6875",
}  # fmt: skip
SUPPORT = {
    "supports": "its lines in the envelope spectrum support it",
    "contradicts": "but the lines in the envelope spectrum contradict it",
    "inconclusive": "the lines in the envelope spectrum settle nothing",
}
LIMITS = (
    "One recording shows one moment. A finding is confirmed by a second recording, or by a trend of several.",
    "Lines are looked for at the orders of the stated bearing, at the stated speed and sampling rate. Where one "
    "of them is wrong, lines may be missed or be named wrongly.",
    "Without a recording of the same machine when it was healthy, healthy or damaged is decided by lines and spectrum"
    " alone, which is the weaker way.",
    "Rolling element faults seldom show lines of their own. That none were found does not exclude damage.",
    "The probabilities are calibrated on public recordings of other machines.",
)
STYLE = """
@page { size: A4; margin: 15mm }
body { font: 10.5pt/1.4 system-ui, sans-serif; color: #16202b; max-width: 180mm; margin: 10mm auto; padding: 0 4mm }
h1 { font-size: 12pt; font-weight: 400; margin: 0; color: #4d5b69 }
h2 { font-size: 11.5pt; margin: 6mm 0 1.5mm; break-after: avoid }
.verdict { font-size: 20pt; font-weight: 700; margin: 1mm 0; line-height: 1.2 }
p { margin: 1mm 0 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: 1mm 3mm 1mm 0; border-bottom: 1px solid #cfd7df; vertical-align: top }
td { overflow-wrap: anywhere }
th { color: #4d5b69; font-weight: 600 }
ul { margin: 1mm 0; padding-left: 5mm }
svg, tr, li { break-inside: avoid }
svg { display: block; width: 100%; height: auto }
.small { color: #4d5b69; font-size: 8.5pt; overflow-wrap: anywhere }
@media print { body { margin: 0; padding: 0; max-width: none } }
"""


def write_report(answer: WorkerAnswer, provenance: dict[str, str]) -> str:
    """Return the page on an answer that holds its series; provenance names the models and the code."""
    body = "\n".join(
        [
            *verdict(answer),
            *evidence(answer),
            *warnings(answer),
            *given(answer),
            *channels(answer),
            *plots(answer),
            *limits(),
            *versions(provenance),
        ]
    )
    title = escape(f"{NAMES[answer.prediction]}: {answer.recording.file}")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def verdict(answer: WorkerAnswer) -> Iterator[str]:
    doubt = "?" if answer.agreement.verdict == "contradicts" else ""
    yield "<h1>Diagnosis of a bearing from its vibration</h1>"
    yield f'<p class="verdict" style="color: {COLOURS[answer.prediction]}">{NAMES[answer.prediction]}{doubt}</p>'
    if answer.reason:
        yield f"<p>{escape(answer.reason[0].upper() + answer.reason[1:])}.</p>"
    else:
        sure = describe_share(answer.probabilities[answer.prediction])
        healthy = answer.prediction == "Normal" and not doubt
        support = "no lines of a fault stand out" if healthy else SUPPORT[answer.agreement.verdict]
        yield f"<p>{sure} sure; {support}.</p>"
    ranked = sorted(answer.probabilities.items(), key=lambda each: -each[1])
    shares = ", ".join(f"{NAMES[label].lower()} {describe_share(share)}" for label, share in ranked)
    yield f'<p class="small">Probabilities: {shares}.</p>'


def describe_share(share: float) -> str:
    """Return a share in words that never claim certainty."""
    return "over 99 %" if share > 0.995 else "under 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def evidence(answer: WorkerAnswer) -> Iterator[str]:
    agreement, recording = answer.agreement, answer.recording
    yield "<h2>Evidence: lines in the envelope spectrum</h2>"
    yield (
        f"<p>{escape(agreement.explanation[0].upper() + agreement.explanation[1:])}.</p>"
        if agreement.explanation
        else ""
    )
    if spectrum := answer.series.get("envelope_spectrum"):
        step, amplitude = spectrum["orders_per_point"], spectrum["amplitude"]
        traces = [Trace([step * place for place in range(len(amplitude))], amplitude, "#16202b")]
        if answer.baseline_series:
            healthy = answer.baseline_series["envelope_spectrum"]
            orders = [healthy["orders_per_point"] * place for place in range(len(healthy["amplitude"]))]
            traces.append(Trace(orders, healthy["amplitude"], COLOURS["Normal"], dashed=True))
        end = step * (len(amplitude) - 1)
        yield draw(
            traces, "order (multiples of the shaft rate)", "amplitude", list_marks(agreement.lines, end),
            "Envelope spectrum with the lines of the bearing's faults",
        )  # fmt: skip
        low, high = agreement.band
        healthy_too = "; dashed: the healthy baseline" if answer.baseline_series else ""
        yield f'<p class="small">Squared envelope of {low:,} to {high:,} Hz, mean over all windows{healthy_too}.</p>'
    if agreement.lines:
        rate = recording.rpm * answer.speed_factor / 60
        head = ("Line", "Order", "Hz", "Harmonics 1 to 3, over their surroundings", "Stands out")
        yield table(head, ([line.name, f"{line.order:.3f}", f"{line.order * rate:.1f}",
                            "  ".join(f"{height:.1f} x" for height in line.heights), "yes" if line.stands_out else "no"]
                           for line in agreement.lines))  # fmt: skip


def list_marks(lines: list[LineAnswer], end: float) -> list[Mark]:
    """Return a mark at each line and its harmonics up to the end of the orders; the first ones are named."""
    return [
        Mark(harmonic * line.order, line.name if harmonic == 1 else "", COLOURS[line.fault], line.stands_out)
        for line in lines
        for harmonic in range(1, int(end / line.order) + 1)
    ]


def warnings(answer: WorkerAnswer) -> Iterator[str]:
    if answer.warnings:
        yield "<h2>Warnings</h2>"
        yield f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in answer.warnings)}</ul>"


def given(answer: WorkerAnswer) -> Iterator[str]:
    recording = answer.recording
    said = {name: f"{value:,g}" if value else "nothing" for name, value in recording.from_file.items()}
    orders = ", ".join(f"{name.upper()} {order:.3f}" for name, order in recording.orders.items())
    rows = [
        ("File", recording.file),
        (
            "Channel",
            f"{recording.channel} of {', '.join(recording.channels)}"
            if len(recording.channels) > 1
            else "the only one",
        ),
        *([("Unit", recording.unit)] if recording.unit else []),
        *([("Recorded", recording.taken_at)] if recording.taken_at else []),
        ("Length", f"{recording.seconds:.3g} s, {recording.samples:,} samples"),
        ("Sampling rate", f"{recording.sampling_rate:,g} Hz (the file says {said['sampling_rate']})"),
        ("Shaft speed", f"{recording.rpm:,g} rpm (the file says {said['rpm']})"),
        ("Bearing", f"{recording.bearing}: orders {orders}"),
        ("Healthy baseline", "; ".join(map(describe_baseline, answer.baseline)) or "none"),
    ]
    yield "<h2>What was given</h2>"
    yield table((), rows)


def channels(answer: WorkerAnswer) -> Iterator[str]:
    if answer.all_channels:
        yield "<h2>All channels</h2>"
        head = ("Channel", "Found", "Why")
        yield table(head, ([each.channel, NAMES.get(each.prediction or "", "not diagnosed"),
                            each.reason or each.agreement.explanation] for each in answer.all_channels))  # fmt: skip


def describe_baseline(each: BaselineAnswer) -> str:
    return f"{each.file}, {each.seconds:.3g} s at {each.sampling_rate:,g} Hz, {each.rpm:,g} rpm"


def plots(answer: WorkerAnswer) -> Iterator[str]:
    unit = answer.recording.unit or "recording's unit"
    if spectrum := answer.series.get("spectrum"):
        step, high = spectrum["hertz_per_point"], spectrum["high"]
        yield "<h2>Spectrum</h2>"
        trace = Trace([step * place for place in range(len(high))], high, "#16202b")
        yield draw([trace], "frequency (Hz)", f"amplitude ({unit})", [], "Amplitude spectrum", logarithmic=True)
    waveform = answer.series["waveform"]
    step = waveform["seconds_per_point"]
    times = [step * place for place in range(len(waveform["low"])) for _ in range(2)]
    both = [value for pair in zip(waveform["low"], waveform["high"], strict=True) for value in pair]
    yield "<h2>Waveform</h2>"
    yield draw(
        [Trace(times, both, "#4d5b69")],
        "time (s)",
        unit,
        [],
        "Waveform: lowest and highest value of each stretch",
    )


def limits() -> Iterator[str]:
    yield "<h2>Limits of the method</h2>"
    yield f"<ul>{''.join(f'<li>{each}</li>' for each in LIMITS)}</ul>"


def versions(provenance: dict[str, str]) -> Iterator[str]:
    named = ", ".join(f"{name} {value}" for name, value in sorted(provenance.items()))
    yield f'<p class="small">Computed with: {escape(named)}.</p>'


def table(head: tuple[str, ...], rows: Iterator[list[str]] | list[tuple[str, str]]) -> str:
    """Return a table; without a head, the first cell of each row is its head."""
    lines = [f"<tr>{''.join(f'<th>{escape(each)}</th>' for each in head)}</tr>"] if head else []
    for first, *others in rows:
        opening = f"<td>{escape(first)}</td>" if head else f'<th scope="row">{escape(first)}</th>'
        lines.append(f"<tr>{opening}{''.join(f'<td>{escape(each)}</td>' for each in others)}</tr>")
    return f"<table>{''.join(lines)}</table>"
