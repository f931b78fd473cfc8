"""What whoever runs the service may set, by environment; a wrong value is refused at start, in words."""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]
Names = Annotated[tuple[str, ...], NoDecode]
LEAST_KEY = 16
FORM_BYTES = 100_000  # what may surround the files in a form
ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]+)?")


class Settings(BaseSettings):
    """One field a variable of the environment, its name in capitals."""

    host: str = Field("127.0.0.1", description="where `python -m api` listens")
    port: int = Field(8000, ge=0, le=65_535, description="where `python -m api` listens")
    assets: Path = Field(Path(__file__).resolve().parent.parent / "assets", description="the folder with the models")
    backend: Literal["onnx", "torch"] = Field("onnx", description="torch computes the same; it needs PyTorch installed")
    threads: Count = Field(1, description="of one call of the backend")
    workers: Count = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        description="threads that parse and compute parts of large requests at the same time; the cores unless given",
    )
    diagnosers: Count = Field(1, description="child processes that read and diagnose uploads, one at a time each")
    max_body: Count = Field(32_000_000, description="bytes of a request to /batch_predict/ and /v2/")
    max_upload: Count = Field(32_000_000, description="bytes of an upload to /diagnose/")
    max_buffered: Count = Field(96_000_000, description="bytes of all requests together that have come in and wait")
    max_records: Count = Field(2_000, description="records of a request")
    max_queue: Count = Field(64, description="whole requests that wait or are computed; the next gets a 503 at once")
    sending_timeout: Seconds = Field(30, description="s that a request's headers, then its body, may take to come in")
    request_timeout: Seconds = Field(30, description="s that its answer may take from then on")
    keep_alive: int = Field(
        75, ge=1, le=3_600, description="s that an idle connection stays open; longer than the proxy's before it"
    )
    api_keys: Names = Field((), description="keys, separated by commas, one of which every request must carry")
    api_keys_file: Path | None = Field(None, description="a file with one key a line, read at start")
    cors_origins: Names = Field((), description="origins, separated by commas, from which a page may ask")
    log_format: Literal["text", "json"] = Field("text", description="of a line a request")
    log_requests: bool = Field(True, description="write a line a request")

    @field_validator("api_keys", "cors_origins", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = tuple(part.strip() for part in value.split(",") if part.strip())
        if value and not parts:  # whoever sets keys does not want an open service
            raise ValueError("nothing but commas and spaces came, leave it empty for none")
        return parts

    @field_validator("api_keys_file")
    @classmethod
    def check_file(cls, value: Path | None) -> Path | None:
        if value is not None:
            read_keys(value)
        return value

    @field_validator("api_keys")
    @classmethod
    def check_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        refuse_short(value)
        return value

    @field_validator("cors_origins")
    @classmethod
    def check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [origin for origin in value if not ORIGIN.fullmatch(origin)]
        if wrong:
            raise ValueError(f"expected * or scheme://host[:port] in small letters without a path, not {wrong[0]!r}")
        return value

    @model_validator(mode="after")
    def check_room(self) -> Self:
        least = max(self.max_body, self.max_upload) + FORM_BYTES
        if self.max_buffered < least:
            raise ValueError(
                f"MAX_BUFFERED: {self.max_buffered} is too little for the largest body that MAX_BODY and MAX_UPLOAD "
                f"allow, expected {least} at least"
            )
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        return self.api_keys + (read_keys(self.api_keys_file) if self.api_keys_file else ())


def read_keys(path: Path) -> tuple[str, ...]:
    """Return the keys in a file. Raises ValueError where it cannot be read, or holds none, or too short a one."""
    try:
        keys = tuple(line.strip() for line in path.read_text().splitlines() if line.strip())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    if not keys:
        raise ValueError(f"{path} holds no key, expected one a line")
    refuse_short(keys)
    return keys


def refuse_short(keys: tuple[str, ...]) -> None:
    for number, key in enumerate(keys, start=1):
        if len(key) < LEAST_KEY:
            raise ValueError(f"key {number} has less than {LEAST_KEY} characters")


def load() -> Settings:
    """Return the settings, or end the process with what is wrong in words."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [describe(mistake) for mistake in error.errors(include_url=False, include_context=False)]
        sys.exit("the settings cannot be used:\n" + "\n".join(lines))


def describe(mistake: ErrorDetails) -> str:
    """Return what is wrong and what came; a key's value is never repeated."""
    words = mistake["msg"].removeprefix("Value error, ")
    if not mistake["loc"]:  # several settings do not go together; all of them came, keys too
        return words
    name = ".".join(map(str, mistake["loc"])).upper()
    return f"{name}: {words}" + ("" if "KEY" in name else f", {mistake['input']!r} came")


settings = load()
