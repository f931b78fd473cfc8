"""The forms of what the service answers."""

from typing import Any

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
    bearings: dict[str, dict[str, Any]] = Field(
        description="geometry, fault orders, maker and size of each designation"
    )
    upload: UploadLimits
    backend: dict[str, str]
    versions: dict[str, str]


def analyse(rows: list[list[float]], classes: list[str]) -> bytes:
    """Return the JSON of the analyses of probabilities, a row of one for each class for each record."""
    return to_json(
        [
            {"Prediction": classes[row.index(max(row))], "Probabilities": dict(zip(classes, row, strict=True))}
            for row in rows
        ]
    )
