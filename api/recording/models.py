"""The forms of what is answered to an uploaded recording."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class LineAnswer(BaseModel):
    fault: str
    name: str = Field(description="BPFO, BPFI or 2 x BSF")
    order: float = Field(description="multiple of the shaft rate")
    found: float = Field(description="the order at which its comb stands highest")
    heights: list[float] = Field(description="of the first harmonics, in multiples of the spectrum around them")
    excess: float = Field(
        description="its comb's score less that of the recording's highest decoy, deviations of noise"
    )
    depth: float = Field(description="modulation of the envelope by these lines, a share of its mean")
    state: Literal["clear", "faint", "doubtful", "none"]
    stands_out: bool = Field(description="clear, and no other fault's lines exceed the decoys by more")


class AgreementAnswer(BaseModel):
    """What the bearing's lines in the envelope spectrum say of the prediction."""

    verdict: Literal["supports", "contradicts", "inconclusive"]
    explanation: str
    band: tuple[int, int] = Field(description="Hz; whose envelope is drawn, the nearest to where the lines show best")
    lines: list[LineAnswer]


class WindowAnswer(BaseModel):
    start: float = Field(description="s")
    prediction: str
    probabilities: dict[str, float]
    familiarity: float = Field(description="as that of the recording")
    envelope_spectrum: list[float] = Field(default=[], description="amplitudes at the points of that of the series")


class RecordingAnswer(BaseModel):
    """What was diagnosed, and what its file says of itself."""

    file: str
    channel: str
    channels: list[str]
    samples: int
    seconds: float
    sampling_rate: float = Field(description="Hz")
    rpm: float
    from_file: dict[str, float | None]
    unit: str = Field("", description="of the samples: what was given, else what the file says")
    taken_at: str = Field("", description="ISO 8601, where the file says when it was recorded")
    bearing: str
    orders: dict[str, float] = Field(description="of the faults; of an estimated bearing those that fit best")
    order_ranges: dict[str, tuple[float, float]] | None = Field(
        None, description="of an estimated bearing: from which order to which each was looked for"
    )


class BaselineAnswer(BaseModel):
    """A healthy recording, and the rate and speed that were taken to be its own."""

    file: str
    seconds: float
    sampling_rate: float = Field(description="Hz")
    rpm: float


class ChannelAnswer(BaseModel):
    """What was found in one channel of several."""

    channel: str
    prediction: str | None = Field(None, description="null where the channel cannot be diagnosed; reason says why")
    reason: str
    probabilities: dict[str, float] = {}
    familiarity: float | None = None
    speed_factor: float | None = None
    agreement: AgreementAnswer | None = None
    unit: str = ""
    sampling_rate: float | None = Field(None, description="Hz")
    warnings: list[str] = []


class WorkerAnswer(BaseModel):
    """The diagnosis of a recording, the evidence for it, and what plots need: all that the worker computes."""

    prediction: str = Field(description="Ball, InnerRace, Normal, OuterRace or Unknown")
    reason: str = Field(description="why Unknown, else empty")
    probabilities: dict[str, float] = Field(description="calibrated; they sum to 1")
    familiarity: float = Field(
        description="how much it looks like training: the share of training's windows that looked at least as unlike "
        "the other bearings when their own was left out; a share of windows, not of bearings"
    )
    speed_factor: float = Field(
        description="true shaft rate over the stated one as the recording's own lines say; 1 unless they clearly differ"
    )
    agreement: AgreementAnswer
    window_seconds: float
    windows: list[WindowAnswer]
    recording: RecordingAnswer
    baseline: list[BaselineAnswer]
    warnings: list[str]
    series: dict[str, Any] = Field(
        default={}, description="waveform, spectrum and envelope spectrum: the lowest and highest value of each stretch"
    )
    baseline_series: dict[str, Any] | None = None
    all_channels: list[ChannelAnswer] = Field(
        default=[], description="of channel=all: every channel, the most damaged first, which the rest of this answers"
    )


class MeasuredAnswer(BaseModel):
    """What the worker computes of a recording of a machine's point."""

    kept: str = Field(description="the indicators as they are stored, base64")
    healthy: str = Field(description="what api.recording.past packed of it, base64; empty where it is no past")
    diagnosis: WorkerAnswer | None
    why_none: str
    warnings: list[str]


class DiagnosisAnswer(WorkerAnswer):
    """What the service answers: it adds the time that it took, and which files it was computed with."""

    execution_time_ms: float = Field(description="from the complete upload to the finished answer")
    provenance: dict[str, str]
