"""What whoever runs the service may set, by environment; a wrong value is refused at start, in words."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]
Names = Annotated[tuple[str, ...], NoDecode]


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
    sending_timeout: Seconds = Field(30, description="s that a request's body may take to come in")
    request_timeout: Seconds = Field(30, description="s that its answer may take from then on")
    keep_alive: Seconds = Field(
        75, description="s that an idle connection stays open; longer than the proxy's before it"
    )
    api_keys: Names = Field((), description="keys, separated by commas, one of which every request must carry")
    api_keys_file: Path | None = Field(None, description="a file with one key a line, read at start")
    cors_origins: Names = Field((), description="origins, separated by commas, from which a page may ask")
    log_format: Literal["text", "json"] = Field("text", description="of a line a request")
    log_requests: bool = Field(True, description="write a line a request")

    @field_validator("api_keys", "cors_origins", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("api_keys_file")
    @classmethod
    def check_file(cls, value: Path | None) -> Path | None:
        if value is not None and not read_keys(value):
            raise ValueError(f"{value} holds no key, expected one a line")
        return value

    @field_validator("api_keys")
    @classmethod
    def check_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        short = [number for number, key in enumerate(value, start=1) if len(key) < LEAST_KEY]
        if short:
            raise ValueError(f"key {short[0]} has less than {LEAST_KEY} characters")
        return value

    @property
    def keys(self) -> tuple[str, ...]:
        return self.api_keys + (read_keys(self.api_keys_file) if self.api_keys_file else ())


LEAST_KEY = 16


def read_keys(path: Path) -> tuple[str, ...]:
    try:
        return tuple(line.strip() for line in path.read_text().splitlines() if line.strip())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error


def load() -> Settings:
    """Return the settings, or end the process with what is wrong in words; a key's value is never repeated."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, mistake['loc'])).upper()}: {mistake['msg'].removeprefix('Value error, ')}"
            + ("" if "key" in str(mistake["loc"][0]) else f", {mistake['input']!r} came")
            for mistake in error.errors(include_url=False, include_context=False)
        ]
        sys.exit("the settings cannot be used:\n" + "\n".join(lines))


settings = load()
