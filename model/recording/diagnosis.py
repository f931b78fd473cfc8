"""The diagnosis of whole recordings: experts' log-odds, their pool, a healthy baseline, and when to say "Unknown".

numpy only: training, the protocols and the service share this module.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing, FaultOrders
from model.recording.checks import find_defect
from model.recording.lines import (
    BANDS,
    LEAST_RATE,
    SPECTRUM_EDGES,
    WINDOW_SECONDS,
    Features,
    concatenate,
    describe,
    window_length,
)

CLASSES = ("Ball", "InnerRace", "Normal", "OuterRace")
UNKNOWN = "Unknown"
LIMIT = 3.9  # no expert's log-odds count for more: P = 0.98
LEAST_BALL = (
    -2.0
)  # lines of a race speak against a ball fault only so far: balls strike the races (Smith, Randall 2015)
FADE = 0.2  # the spectrum's word fades out over this last share of the familiar distance
KNOWN, KNOWN_FADE = 0.5, 0.2  # familiar distances within which a spectrum is one of a bearing that trained
CLEAR, CLEAR_FADE = 0.8, 0.4  # a fault's comb this far above the others' decides the type alone
HOP = 0.5  # of a window
PART = 2**19  # samples of windows transformed at once
DISTANCES = 128  # windows compared with all spectra at once
BASELINE_SECONDS = 10.0
QUIET_LINE = 0.55  # height of a line where there is nothing but noise
CHANGE = {"lines": 3.0, "moment": 8.0, "spectrum": 3.0}  # a change from healthy of this size counts as damage
LEAST_SPREAD = {"moment": 0.1, "spectrum": 0.35}  # natural logarithm; a short baseline spreads too little
STEEPNESS = 3.0  # log-odds a unit of change
SPECTRUM_NOVELTY = 1.5  # what a familiar distance counts beside a unit of a comb's height
LEAST_FAMILIARITY = 0.01
FOREIGN_COMB, FOREIGN_LEAD = 2.1, 1.0  # lines of no part: this high, and this far above those of every fault
FAULTS = ("Ball", "InnerRace", "OuterRace")
COMBS = (*FAULTS, "other")
CONSTANT = 1e-10  # of the largest value; a recording that varies by less is rounding
HIGHEST_LINE = 1_450  # Hz
NOISE_ROOM = 0.06  # natural logarithm; how far the moments of noise stray in a long recording
TONES = (20, 4_950)  # Hz
TONE_SURROUNDINGS = 32  # bins
LEAST_TONE = 5.0  # deviations; the strongest of the thousands of bins of noise lies at 3 to 5
LEAST_TURNS = 4  # of the shaft in a window: fewer, and lines that lie a turn apart run together


class Odds(NamedTuple):
    """Natural log-odds of windows (windows,): fault against healthy, ball against race, outer against inner race."""

    fault: np.ndarray
    ball: np.ndarray
    outer: np.ndarray


class Head(NamedTuple):
    """A logistic decision on features: weight (features,), bias."""

    weight: np.ndarray
    bias: float


@dataclass
class Spectra:
    """What was seen in training.

    centres: spectra (centres, features); stretch: what the distance from each is multiplied by; spread of each
    feature; familiar: how far from all others' the spectrum of a bearing may lie; novelties: quantiles, equally spaced
    from 0 to 1, of the novelty of bearings left out.
    """

    centres: np.ndarray
    stretch: np.ndarray
    spread: np.ndarray
    familiar: float
    novelties: np.ndarray


@dataclass
class Window:
    """The answer for one window; start in seconds."""

    start: float
    prediction: str
    probabilities: dict[str, float]
    familiarity: float


@dataclass
class Diagnosis:
    """The answer for a recording.

    prediction is one of CLASSES or UNKNOWN, with the reason then. probabilities are calibrated and sum to 1 over
    CLASSES; familiarity is the share of the training's bearings, each left out in turn, that looked at least as unlike
    the others. combs are the heights (natural logarithm over the surroundings) of the strongest comb of lines of each
    fault and of none.
    """

    prediction: str
    reason: str
    probabilities: dict[str, float]
    familiarity: float
    combs: dict[str, float]
    windows: list[Window] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass
class RecordingDiagnosis:
    """The experts and what holds them together: networks trained on simulated faults, heads on real spectra."""

    networks: list[dict[str, np.ndarray]]
    heads: dict[str, list[Head]]
    spectra: Spectra
    temperature: float

    def save(self, path: Path) -> None:
        """Write all of it as JSON, seven significant digits."""
        path.write_text(json.dumps(self, default=to_plain, separators=(",", ":")) + "\n")

    @classmethod
    def load(cls, path: Path) -> "RecordingDiagnosis":
        plain = json.loads(path.read_text())
        arrays = [{name: np.array(value, np.float32) for name, value in net.items()} for net in plain["networks"]]
        heads = {name: [Head(np.array(w, np.float32), b) for w, b in pairs] for name, pairs in plain["heads"].items()}
        spectra = plain["spectra"]
        return cls(
            arrays,
            heads,
            Spectra(
                np.array(spectra["centres"]),
                np.array(spectra["stretch"]),
                np.array(spectra["spread"]),
                spectra["familiar"],
                np.array(spectra["novelties"]),
            ),
            plain["temperature"],
        )

    def odds(self, features: Features) -> Odds:
        """Return the pooled log-odds without a baseline."""
        lines, spectral = network_odds(self.networks, features), head_odds(self.heads, features)
        return pool(lines, spectral, relative_distance(self.spectra, features), clarity(features.combs))

    def probabilities(self, features: Features, odds: Odds) -> np.ndarray:
        """Return the calibrated probabilities (windows, classes) of log-odds."""
        return calibrate(probabilities(odds), self.temperature, relative_distance(self.spectra, features))

    def diagnose(
        self,
        signal: np.ndarray,
        sampling_rate: float,
        rpm: float,
        bearing: Bearing = BEARINGS[DEFAULT_BEARING],
        baseline: "tuple[tuple[np.ndarray, float, float], ...] | Healthy" = (),
    ) -> Diagnosis:
        """Diagnose one channel of a recording, (samples,) in any unit; sampling_rate in Hz, the inner race turns at
        rpm.

        baseline: recordings (signal, sampling_rate, rpm) of the same machine when it was healthy, or what
        describe_baseline made of them. Raises ValueError that says what came and what was expected.
        """
        signal = check_recording(signal, sampling_rate, rpm)
        healthy = baseline if isinstance(baseline, Healthy) or not baseline else describe_baseline(baseline, bearing)
        reason = find_defect(signal, sampling_rate) or find_hindrance(rpm, bearing)
        starts, windows = cut(signal, sampling_rate)
        if reason or not len(windows):
            return unreadable(reason or "the sensor is off: no window varies")
        features = describe_in_parts(windows, sampling_rate, rpm / 60, bearing.orders)
        if is_noise(features, windows, sampling_rate):
            return unreadable("noise and nothing else: no tone, no impact and no line of a machine")
        each = self.probabilities(features, self.odds(features))
        if healthy:
            each = replace_fault(each, sigmoid(change_odds(self.networks, healthy, features)))
        answer = self.judge(features, each, starts / sampling_rate)
        if not healthy:
            answer.warnings.append(
                "no healthy baseline was given: healthy or damaged is decided by lines and spectrum alone, "
                "the weaker way"
            )
        return answer

    def judge(self, features: Features, each: np.ndarray, starts: np.ndarray) -> Diagnosis:
        """Return the recording's answer from its windows' probabilities (windows, classes); starts in seconds."""
        relative = relative_distance(self.spectra, features)
        familiarity = self.familiarity(relative, features.combs)
        whole = pool_windows(each)
        combs, distance = features.combs.mean(axis=0), float(np.median(relative))
        typical = float(self.familiarity(distance, combs[None])[0])
        prediction, reason = name_prediction(whole, combs, typical, distance)
        windows = [
            Window(float(start), name_prediction(*facts)[0], to_dict(facts[0]), float(facts[2]))
            for start, *facts in zip(starts, each, features.combs, familiarity, relative, strict=True)
        ]
        return Diagnosis(
            prediction, reason, to_dict(whole), typical, dict(zip(COMBS, combs.tolist(), strict=True)), windows
        )

    def familiarity(self, relative: np.ndarray | float, combs: np.ndarray) -> np.ndarray:
        """Return the share of training's bearings, each left out in turn, at least as novel as these windows."""
        quantiles = self.spectra.novelties
        return np.interp(novelty(relative, combs), quantiles, np.linspace(1, 0, len(quantiles)))


def to_plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return [to_plain(row) for row in value] if value.ndim > 1 else [float(f"{number:.7g}") for number in value]
    return vars(value)


def to_dict(row: np.ndarray) -> dict[str, float]:
    return dict(zip(CLASSES, row.tolist(), strict=True))


def check_recording(signal: np.ndarray, sampling_rate: float, rpm: float) -> np.ndarray:
    """Return the recording as float64 (samples,) without its mean and with 1 as its largest value."""
    signal = np.asarray(signal)
    if signal.ndim != 1 or signal.dtype.kind not in "iufb":
        raise ValueError(f"the recording is {signal.dtype} of shape {signal.shape}, expected real numbers (samples,)")
    for name, value in (("sampling_rate", sampling_rate), ("rpm", rpm)):
        if isinstance(value, str) or not np.isscalar(value) or not np.isreal(value):
            raise ValueError(f"{name} is {value!r}, expected a number")
    if not np.isfinite(sampling_rate) or sampling_rate < LEAST_RATE:
        raise ValueError(f"the recording was sampled at {sampling_rate:g} Hz, expected {LEAST_RATE:,} Hz or more")
    if len(signal) < window_length(sampling_rate):
        raise ValueError(
            f"the recording lasts {len(signal) / sampling_rate:.3g} s, expected {WINDOW_SECONDS:.2g} s or more"
        )
    if not np.isfinite(signal).all():
        raise ValueError(f"the recording holds NaN or infinity at sample {int(np.argmin(np.isfinite(signal)))}")
    if not np.isfinite(rpm) or rpm <= 0:
        raise ValueError(f"rpm is {rpm:g}, expected the shaft's turns a minute, above 0")
    return normalise(signal.astype(np.float64))


def normalise(signal: np.ndarray) -> np.ndarray:
    largest = np.abs(signal).max()
    signal = (
        signal / largest if largest > 0 else signal
    )  # first: sums of 1e300 would overflow, squares of 1e-200 vanish
    if np.ptp(signal) <= CONSTANT:
        return np.zeros_like(signal)
    centred = signal - signal.mean()
    return centred / np.abs(centred).max()


def find_hindrance(rpm: float, bearing: Bearing) -> str:
    """Return why this speed (rpm) cannot be diagnosed by windows of this length, or an empty text."""
    turns = rpm / 60 * WINDOW_SECONDS
    if turns < LEAST_TURNS:
        return f"the shaft turns {turns:.2g} times in a window, {LEAST_TURNS} or more are needed: too slow to diagnose"
    highest = max(bearing.orders.bpfo, bearing.orders.bpfi, 2 * bearing.orders.bsf) * rpm / 60
    if highest > HIGHEST_LINE:
        return (
            f"a fault's lines lie at {highest:,.0f} Hz, beyond the {HIGHEST_LINE:,} Hz that envelopes reach: too fast"
        )
    return ""


def is_noise(features: Features, windows: np.ndarray, sampling_rate: float) -> bool:
    """Return whether a recording is noise of whatever colour: Gaussian, steady, and without a tone.

    The envelope of Gaussian noise has E|z|^4 / (E|z|^2)^2 = 2 in every band, its waveform a kurtosis of 3.
    """
    levels = np.exp(features.spectrum.mean(axis=0))
    centres = (SPECTRUM_EDGES[1:] + SPECTRUM_EDGES[:-1]) / 2
    power = np.array([levels[(centres > low) & (centres < high)].mean() for low, high in BANDS])
    apart = np.abs(features.moments.mean(axis=0) - np.log(2)) @ (power / power.sum())
    room = NOISE_ROOM * (1 + 1 / np.sqrt(len(windows)))
    steady = max(apart, abs(features.shape[:, 0].mean() - np.log(3))) < room
    return bool(steady and tone_strength(windows, sampling_rate) < LEAST_TONE)


def tone_strength(windows: np.ndarray, sampling_rate: float) -> float:
    """Return how far the strongest narrow line of the mean spectrum of windows lies beyond chance, in deviations.

    The mean of n exponential powers is a gamma variable, whose cube root is nearly normal: Wilson and Hilferty, PNAS 17
    (1931) 684.
    """
    taper = np.hanning(windows.shape[1])
    power = sum(np.square(np.abs(np.fft.rfft(part * taper, axis=1))).sum(axis=0) for part in in_parts(windows))
    spacing = sampling_rate / windows.shape[1]
    power = power[round(TONES[0] / spacing) : round(TONES[1] / spacing)]
    around = np.convolve(np.pad(power, TONE_SURROUNDINGS, mode="reflect"), np.ones(2 * TONE_SURROUNDINGS + 1), "valid")
    ratio = power * (2 * TONE_SURROUNDINGS + 1) / np.maximum(around, np.finfo(float).tiny)
    independent = 1 + 0.9 * (len(windows) - 1)  # Hann windows that overlap by half are nearly so
    chance = 1 / (9 * independent)
    return float(((np.cbrt(ratio) - (1 - chance)) / np.sqrt(chance)).max())


def cut(signal: np.ndarray, sampling_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts (samples) of the windows that overlap by half and vary, and the windows."""
    length = window_length(sampling_rate)
    hop = round(length * HOP)
    starts = np.arange(0, len(signal) - length + 1, hop)
    windows = sliding_window_view(signal, length)[::hop]
    varies = np.ptp(windows, axis=1) > 1e-5 * np.ptp(signal)
    return (starts, windows) if varies.all() else (starts[varies], windows[varies])  # a view, where it can be


def describe_in_parts(windows: np.ndarray, sampling_rate: float, shaft_rate: float, orders: FaultOrders) -> Features:
    """Return the features of windows that together would take too much memory."""
    return concatenate([describe(part, sampling_rate, shaft_rate, orders) for part in in_parts(windows)])


def in_parts(windows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield windows (windows, samples), so many at once as memory is meant for."""
    number = max(PART // windows.shape[1], 1)
    return (windows[start : start + number] for start in range(0, len(windows), number))


def unreadable(reason: str) -> Diagnosis:
    even = dict.fromkeys(CLASSES, 1 / len(CLASSES))
    return Diagnosis(UNKNOWN, reason, even, 0.0, dict.fromkeys(COMBS, 0.0))


def network_logits(network: dict[str, np.ndarray], features: Features) -> np.ndarray:
    """Return what pipeline.training.line_network.LineNetwork with these weights returns, (windows, classes)."""
    hidden = silu(features.lines @ network["band_in.weight"].T + network["band_in.bias"])
    bands = hidden @ network["band_out.weight"].T + network["band_out.bias"]
    moments = features.moments
    extremes = np.stack([moments.max(axis=1), moments.mean(axis=1)], axis=1)
    pooled = np.concatenate([log_sum_exp(bands, axis=1), bands.mean(axis=1), extremes], axis=1)
    hidden = silu(pooled @ network["head_in.weight"].T + network["head_in.bias"])
    return hidden @ network["head_out.weight"].T + network["head_out.bias"]


def silu(values: np.ndarray) -> np.ndarray:
    return values * sigmoid(values)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * values))


def log_sum_exp(values: np.ndarray, axis: int) -> np.ndarray:
    largest = values.max(axis=axis, keepdims=True)
    return np.log(np.exp(values - largest).sum(axis=axis)) + largest.squeeze(axis)


def network_odds(networks: list[dict[str, np.ndarray]], features: Features) -> Odds:
    """Return the mean log-odds of the networks that read lines, each clipped to LIMIT."""
    logits = [network_logits(network, features) for network in networks]
    return logit_odds(logits)


def logit_odds(logits: list[np.ndarray]) -> Odds:
    ball, inner, normal, outer = (np.stack(column) for column in zip(*(each.T for each in logits), strict=True))
    races = np.logaddexp(inner, outer)
    faults = np.logaddexp(races, ball)
    return Odds(mean_clipped(faults - normal), mean_clipped(ball - races), mean_clipped(outer - inner))


def mean_clipped(odds: np.ndarray) -> np.ndarray:
    return np.clip(odds, -LIMIT, LIMIT).mean(axis=0)


def spectral_features(features: Features) -> np.ndarray:
    return np.concatenate([features.spectrum, features.shape], axis=1)


def spectral_and_line_features(features: Features) -> np.ndarray:
    return np.concatenate([features.spectrum, features.lines.max(axis=1)], axis=1)


HEAD_FEATURES = {  # what the heads of each decision read
    "fault": (spectral_features,),
    "ball": (spectral_features, spectral_and_line_features),
    "outer": (spectral_features, spectral_and_line_features),
}


def head_odds(heads: dict[str, list[Head]], features: Features) -> Odds:
    """Return the mean log-odds of the heads of each decision, each clipped to LIMIT."""
    return Odds(
        **{
            decision: mean_clipped(
                np.stack(
                    [
                        read(features) @ head.weight + head.bias
                        for head, read in zip(heads[decision], HEAD_FEATURES[decision], strict=True)
                    ]
                )
            )
            for decision in Odds._fields
        }
    )


def relative_distance(spectra: Spectra, features: Features) -> np.ndarray:
    """Return how far each window's spectrum lies from the nearest of training's, in familiar distances, (windows,)."""
    return spectral_distance(spectra.centres, spectra.stretch, spectra.spread, features) / spectra.familiar


def spectral_familiarity(relative: np.ndarray) -> np.ndarray:
    """Return 1 where a spectrum is nearer to one of training's than most bearings to each other, 0 where it is not."""
    return np.clip((1 - relative) / FADE, 0, 1)


def spectral_share(relative: np.ndarray) -> np.ndarray:
    """Return the spectrum's share of the say on the type: half where it is familiar, more for a bearing known from
    training, none where it is not familiar."""
    known = np.clip((KNOWN - relative) / KNOWN_FADE, 0, 1)
    return 0.5 * spectral_familiarity(relative) + 0.4 * known


def spectral_distance(centres: np.ndarray, stretch: np.ndarray, spread: np.ndarray, features: Features) -> np.ndarray:
    """Return the root mean square of standardised differences from the nearest centre, stretched, (windows,)."""
    seen = spectral_features(features)
    parts = np.array_split(seen, max(len(seen) // DISTANCES, 1))
    apart = [np.sqrt(np.square((part[:, None] - centres) / spread).mean(axis=2)) for part in parts]
    return (np.concatenate(apart) * stretch).min(axis=1)


def novelty(relative: np.ndarray, combs: np.ndarray) -> np.ndarray:
    """Return how unlike training windows are: far spectra, and lines that no fault explains, (windows,)."""
    return SPECTRUM_NOVELTY * relative + combs[:, 3] - combs[:, :3].max(axis=1)


def clarity(combs: np.ndarray) -> np.ndarray:
    """Return 1 where the lines of one fault stand far above those of the others, 0 where they do not, (windows,)."""
    ranked = np.sort(combs[:, :3], axis=1)
    return np.clip((ranked[:, 2] - ranked[:, 1] - CLEAR) / CLEAR_FADE, 0, 1)


def pool(lines: Odds, spectral: Odds, relative: np.ndarray, clear: np.ndarray) -> Odds:
    """Return the pooled log-odds of lines and spectrum; relative is the relative_distance of the spectra.

    A fault is called where its lines show or a familiar spectrum says so: a spectrum from elsewhere says nothing. On
    the type a clear comb of lines decides alone.
    """
    familiarity, share = spectral_familiarity(relative), spectral_share(relative) * (1 - clear)
    least_ball = LEAST_BALL - (LIMIT + LEAST_BALL) * clear
    return Odds(
        np.maximum(lines.fault, (1 - familiarity) * lines.fault + familiarity * spectral.fault),
        (1 - share) * np.maximum(lines.ball, least_ball) + share * spectral.ball,
        (1 - share) * lines.outer + share * spectral.outer,
    )


def probabilities(odds: Odds) -> np.ndarray:
    """Return probabilities of CLASSES (windows, classes): fault or not, then ball or race, then which race."""
    fault, ball, outer = (sigmoid(np.asarray(value, np.float64)) for value in odds)
    race = fault * (1 - ball)
    return np.stack([fault * ball, race * (1 - outer), 1 - fault, race * outer], axis=1)


def calibrate(uncalibrated: np.ndarray, temperature: float, relative: np.ndarray) -> np.ndarray:
    """Return probabilities (windows, classes) sharpened by the temperature as far as the spectrum is familiar.

    The mean of two experts is less sure than it could be; the lines alone, trained to be calibrated, are left as they
    are. The most probable class stays. Formula: Guo et al., On Calibration of Modern Neural Networks, ICML 2017,
    section 4.2.
    """
    power = temperature ** -spectral_familiarity(relative)
    sharpened = uncalibrated ** power[:, None]
    return sharpened / sharpened.sum(axis=1, keepdims=True)


def pool_windows(each: np.ndarray) -> np.ndarray:
    """Return the probabilities of a recording (classes,): the geometric mean of its windows'."""
    mean = np.exp(np.log(np.maximum(each, 1e-9)).mean(axis=0))
    return mean / mean.sum()


def replace_fault(each: np.ndarray, fault: np.ndarray) -> np.ndarray:
    """Return probabilities (windows, classes) with these of a fault (windows,); the types keep their proportions."""
    normal = CLASSES.index("Normal")
    types = np.delete(each, normal, axis=1)
    types = types / np.maximum(types.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return np.insert(types * fault[:, None], normal, 1 - fault, axis=1)


def name_prediction(row: np.ndarray, combs: np.ndarray, familiarity: float, relative: float) -> tuple[str, str]:
    """Return the class of probabilities (classes,), or UNKNOWN and the reason."""
    types = {name: row[CLASSES.index(name)] for name in FAULTS}
    fault, likely = sum(types.values()), max(types, key=types.get)
    explained, other = float(combs[:3].max()), float(combs[3])
    foreign = other > FOREIGN_COMB and other - explained > FOREIGN_LEAD
    if foreign and (fault > 0.5 or relative > 1):
        return UNKNOWN, (
            "unlike anything in training: strong lines at orders that no part of this bearing makes; check rpm, "
            "sampling rate and bearing"
        )
    if fault <= 0.5:
        return "Normal", ""
    if familiarity < LEAST_FAMILIARITY:
        return UNKNOWN, "unlike anything in training: signs of damage, but neither spectrum nor lines of a known fault"
    if types[likely] < fault / 2:
        return UNKNOWN, "damage, type unclear: no type has half of the probability of a fault"
    return likely, ""


class Healthy(NamedTuple):
    """What a machine was like when it was healthy: features of its windows, and the lines it had then."""

    features: Features
    excess: np.ndarray


def describe_baseline(baseline: tuple[tuple[np.ndarray, float, float], ...], bearing: Bearing) -> Healthy:
    """Describe healthy recordings (signal, sampling_rate, rpm). Raises ValueError for too few seconds."""
    try:
        checked = [(check_recording(signal, rate, rpm), rate, rpm) for signal, rate, rpm in baseline]
    except (TypeError, ValueError) as error:
        raise ValueError(f"the healthy baseline cannot be used, expected (signal, Hz, rpm) each: {error}") from error
    seconds = sum(len(signal) / rate for signal, rate, _ in checked)
    if seconds < BASELINE_SECONDS:
        raise ValueError(
            f"the healthy baseline lasts {seconds:.3g} s, expected {BASELINE_SECONDS:g} s or more: "
            "from less, the spread of a healthy machine cannot be told"
        )
    for signal, rate, rpm in checked:
        reason = find_defect(signal, rate) or find_hindrance(rpm, bearing)
        if reason:
            raise ValueError(f"the healthy baseline cannot be used: {reason}")
    parts = [describe_in_parts(cut(signal, rate)[1], rate, rpm / 60, bearing.orders) for signal, rate, rpm in checked]
    return to_healthy(concatenate(parts))


def to_healthy(features: Features) -> Healthy:
    return Healthy(features, np.maximum(features.lines.mean(axis=0) - QUIET_LINE, 0))


def change_odds(networks: list[dict[str, np.ndarray]], healthy: Healthy, features: Features) -> np.ndarray:
    """Return the log-odds of damage (windows,) from the largest change against the healthy machine.

    Compared are the line network's log-odds, after the lines that the healthy machine has were taken away, the
    envelopes' moments, and the spectrum.
    """
    before = line_fault_odds(networks, healthy.features, healthy.excess)
    lines = line_fault_odds(networks, features, healthy.excess) - before.mean()
    moment = standardise(features.moments, healthy.features.moments, LEAST_SPREAD["moment"]).max(axis=1)
    spectrum = standardise(features.spectrum, healthy.features.spectrum, LEAST_SPREAD["spectrum"])
    changes = {"lines": lines, "moment": moment, "spectrum": np.sqrt(np.square(spectrum).mean(axis=1))}
    largest = np.max([change / CHANGE[name] for name, change in changes.items()], axis=0)
    return np.clip(STEEPNESS * (largest - 1), -LIMIT, LIMIT)


def line_fault_odds(networks: list[dict[str, np.ndarray]], features: Features, excess: np.ndarray) -> np.ndarray:
    without = features._replace(lines=features.lines - excess)
    logits = np.mean([network_logits(network, without) for network in networks], axis=0)
    faults = [CLASSES.index(name) for name in CLASSES if name != "Normal"]
    return log_sum_exp(logits[:, faults], axis=1) - logits[:, CLASSES.index("Normal")]


def standardise(present: np.ndarray, healthy: np.ndarray, least_spread: float) -> np.ndarray:
    return (present - healthy.mean(axis=0)) / np.maximum(healthy.std(axis=0), least_spread)
