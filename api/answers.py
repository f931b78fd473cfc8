"""The forms of what the service answers."""

from typing import Any

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
    backend: dict[str, str]
    versions: dict[str, str]


class HealthAnswer(BaseModel):
    status: str


class ErrorAnswer(BaseModel):
    detail: str


class Mistake(BaseModel):
    type: str
    loc: list[str | int] = Field(description="where it is: the record's index, and the sample's where there is one")
    msg: str = Field(description="what was expected")
    input: Any = Field(description="what came, cut to a readable length")


class InvalidAnswer(BaseModel):
    detail: list[Mistake]


def analyse(probabilities: np.ndarray, classes: list[str]) -> bytes:
    """Return the JSON of the analyses of probabilities (records, classes)."""
    best = probabilities.argmax(axis=1).tolist()
    return to_json(
        [
            {"Prediction": classes[winner], "Probabilities": dict(zip(classes, row, strict=True))}
            for winner, row in zip(best, probabilities.tolist(), strict=True)
        ]
    )
