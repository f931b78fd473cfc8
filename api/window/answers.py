"""The forms of what the service answers."""

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json


class Analysis(BaseModel):
    Prediction: str
    Probabilities: dict[str, float]


class BatchAnswer(BaseModel):
    """One analysis a record, in the order of the request."""

    model_config = ConfigDict(serialize_by_alias=True)

    Analysis: list[Analysis]
    execution_time: float = Field(
        alias="Execution Time", description="ms from the complete body to the finished answer, parsing included"
    )


class UploadLimits(BaseModel):
    """What a recording for POST /diagnose/ must be, and how long its answer may take."""

    suffixes: list[str] = Field(description="names of files that hold recordings end so")
    most_bytes: int = Field(description="bytes of the recording and its baseline together")
    least_sampling_rate: float = Field(description="Hz")
    least_seconds: float = Field(description="s of signal")
    answer_timeout: float = Field(description="s that the answer may take once the upload is complete")


class ModelAnswer(BaseModel):
    """What is served: the contract of a record, what the model learned from, how it scored, and which files it is."""

    classes: list[str]
    window_length: int = Field(description="samples in a record")
    sampling_rate: float | None = Field(description="Hz; null where every recording kept its own rate")
    band_limit: float | None = Field(description="Hz; null for none")
    trained_on: dict[str, Any]
    metrics: dict[str, Any] = Field(description="as written by the pipeline's last run; empty where it has not run")
    protocols: dict[str, Any] = Field(
        description="mean and spread of every network on every protocol, from the last run's table; bearing and "
        "combinations say what to expect of a bearing never seen; empty where protocols has not run"
    )
    bearings: dict[str, dict[str, Any]] = Field(description="geometry and fault orders of each designation")
    upload: UploadLimits
    backend: dict[str, str]
    versions: dict[str, str]


class LineAnswer(BaseModel):
    fault: str
    name: str = Field(description="BPFO, BPFI or 2 x BSF")
    order: float = Field(description="multiple of the shaft rate")
    heights: list[float] = Field(description="of the first harmonics, in multiples of the spectrum around them")
    comb: float = Field(description="mean natural logarithm of the heights")
    stands_out: bool


class AgreementAnswer(BaseModel):
    """What the bearing's lines in the envelope spectrum say of the prediction."""

    verdict: Literal["supports", "contradicts", "inconclusive"]
    explanation: str
    band: tuple[int, int] = Field(description="Hz; whose envelope is looked at")
    lines: list[LineAnswer]


class WindowAnswer(BaseModel):
    start: float = Field(description="s")
    prediction: str
    probabilities: dict[str, float]
    familiarity: float
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
    bearing: str
    orders: dict[str, float]


class BaselineAnswer(BaseModel):
    """A healthy recording, and the rate and speed that were taken to be its own."""

    file: str
    seconds: float
    sampling_rate: float = Field(description="Hz")
    rpm: float


class DiagnosisAnswer(BaseModel):
    """The diagnosis of a recording, the evidence for it, and what plots need."""

    prediction: str = Field(description="Ball, InnerRace, Normal, OuterRace or Unknown")
    reason: str = Field(description="why Unknown, else empty")
    probabilities: dict[str, float] = Field(description="calibrated; they sum to 1")
    familiarity: float = Field(
        description="share of the training's bearings, each left out in turn, that looked at least as unlike the others"
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
    execution_time_ms: float = Field(description="from the complete upload to the finished answer")
    provenance: dict[str, str]


def analyse(probabilities: np.ndarray, classes: list[str]) -> bytes:
    """Return the JSON of the analyses of probabilities (records, classes)."""
    best = probabilities.argmax(axis=1).tolist()
    return to_json(
        [
            {"Prediction": classes[winner], "Probabilities": dict(zip(classes, row, strict=True))}
            for winner, row in zip(best, probabilities.tolist(), strict=True)
        ]
    )
