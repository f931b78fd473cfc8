"""The settings of the service, read from the environment; a wrong value ends the process at start in plain words."""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]
Names = Annotated[tuple[str, ...], NoDecode]
Kind = TypeVar("Kind", bound=BaseSettings)
LEAST_KEY = 16
STORES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")  # what DATABASE_URL begins with
SECRET = ("KEY", "SECRET", "MQTT", "DATABASE")  # parts of names whose values are never shown
SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"  # names the folder through which processes share their metrics
FORM_BYTES = 100_000  # that a form's boundaries, headers and fields may add to its files
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]+)?")


def available_cores() -> int:
    """Return the cores that this process may use, or all of the machine's where the system does not say (macOS)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """One field for each variable of the environment, whose name is the field's in capitals."""

    # The process
    host: str = Field("127.0.0.1", description="The address on which `python -m api` listens.")
    port: int = Field(8000, ge=0, le=65_535, description="The port on which `python -m api` listens.")
    workers_processes: Count = Field(
        1,
        description="Processes with which `python -m api` serves on one port; each has its own threads, recording "
        "workers, queue and limits. docs/scale.md says what it gains.",
    )
    # The models
    assets: Path = Field(
        Path(__file__).resolve().parent.parent / "assets", description="The folder that holds the models."
    )
    backend: Literal["onnx", "torch"] = Field(
        "onnx", description="What computes the network. torch gives the same answers and needs PyTorch installed."
    )
    threads: Count = Field(1, description="Threads of one call of the backend.")
    workers: Count = Field(
        default_factory=available_cores,
        description="Threads of the service's own process that parse and compute parts of large requests at the same "
        "time; the number of cores unless given.",
    )
    diagnosers: Count = Field(
        1,
        description="Recording workers: child processes that read and diagnose uploads, each one upload at a time.",
    )
    diagnoser_memory: Count = Field(
        268_435_456, description="The most bytes that a recording worker may take beyond the libraries it has loaded."
    )
    diagnoser_seconds: Seconds = Field(
        10, description="The most seconds of processor time that a recording worker may take for one upload."
    )
    database_url: str = Field(
        "sqlite:///machines.sqlite",
        description="The store of /machines/: sqlite:///PATH for one process, postgresql://... for several; none turns "
        "/machines/ off.",
    )
    keep_recordings: str = Field(
        "",
        description="A folder or a bucket (s3://..., any URL that fsspec knows and has the package for) in which the "
        "files of machines' recordings are kept; none is kept unless given.",
    )
    keep_days: int | None = Field(
        None,
        ge=1,
        description="Days before a point's newest recording beyond which the worst recording of each day is kept and "
        "the others are deleted; all are kept unless given.",
    )
    alarm_webhook: str = Field(
        "", description="A URL that each change of an alarm is POSTed to, signed with ALARM_WEBHOOK_SECRET."
    )
    alarm_webhook_secret: str = Field(
        "",
        description="What the receiver checks signatures with (Standard Webhooks): 16 characters or more, or base64 "
        "after whsec_.",
    )
    alarm_mqtt: str = Field(
        "",
        description="An MQTT broker that is told of each change of alarms: mqtt://[user:password@]host[:port]/prefix; "
        "mqtts:// uses TLS. It needs api/requirements-mqtt.txt.",
    )
    bearings: Path | None = Field(
        None,
        description="A table of own bearings, with columns as data/bearings.csv has; its designations come first.",
    )
    # Sizes and the queue
    max_body: Count = Field(32_000_000, description="The most bytes in a request to /batch_predict/ or /v2/.")
    max_upload: Count = Field(
        32_000_000, description="The most bytes in an upload to /diagnose/ and /machines/, and in a file of an archive."
    )
    max_upload_files: Count = Field(9, description="The most files in an upload: the recording and its baseline.")
    max_upload_fields: Count = Field(20, description="The most fields in the form of an upload.")
    max_waiting_uploads: Count = Field(
        8, description="The most complete uploads without an answer; the next one gets a 503 at once."
    )
    max_samples: Count = Field(2_000_000, description="The most samples in the channel of a recording.")
    max_unpacked: Count = Field(64_000_000, description="The most bytes that an uploaded file may unpack to.")
    max_buffered: Count = Field(
        96_000_000, description="The most bytes that the bodies of all requests may hold in memory together."
    )
    max_records: Count = Field(2_000, description="The most records in a request to /batch_predict/ or /v2/.")
    max_objects: Count = Field(
        72_000_000,
        description="The most bytes of memory that the objects of one JSON text may take; only JSON outside the plain "
        "form becomes objects, one large text at a time.",
    )
    max_queue: Count = Field(
        256, description="The most complete requests that wait for an answer; the next one gets a 503 at once."
    )
    # Time
    sending_timeout: Seconds = Field(
        30, description="Seconds that a client may take to send a request's headers, and again to send its body."
    )
    request_timeout: Seconds = Field(30, description="Seconds that the answer to a complete POST or PUT may take.")
    keep_alive: int = Field(
        75,
        ge=1,
        le=3_600,
        description="Seconds that an idle connection stays open; set it longer than that of the proxy in front.",
    )
    # Access
    api_keys: Names = Field(
        (), description="Keys, separated by commas; a request needs one of them but for open paths."
    )
    api_keys_file: Path | None = Field(
        None, description="A file with one key on each line, read at start; its keys are added to API_KEYS."
    )
    cors_origins: Names = Field(
        (), description="Origins, separated by commas, whose pages may send requests from a browser."
    )
    # The log
    log_format: Literal["text", "json"] = Field("text", description="The format of the access log's lines.")
    log_requests: bool = Field(True, description="Whether each request is written as one line of the access log.")

    @field_validator("api_keys", "cors_origins", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = tuple(part.strip() for part in value.split(",") if part.strip())
        if value and not parts:  # an operator who sets keys does not want a service open to all
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

    @field_validator("database_url")
    @classmethod
    def check_store(cls, value: str) -> str:
        if value != "none" and not value.startswith(STORES):
            raise ValueError(f"expected none or what begins with {', '.join(STORES)}")
        return value

    @field_validator("alarm_webhook", "alarm_mqtt")
    @classmethod
    def check_receiver(cls, value: str, info: ValidationInfo) -> str:
        schemes = ("http", "https") if info.field_name == "alarm_webhook" else ("mqtt", "mqtts")
        parts = urlsplit(value)
        if value and (parts.scheme not in schemes or not parts.hostname):
            raise ValueError(f"expected {schemes[0]}://host/... or {schemes[1]}://host/...")
        if info.field_name == "alarm_mqtt" and set("+#") & set(unquote(value)):
            raise ValueError("+ and # are wildcards, which nothing can be published under")
        return value

    @model_validator(mode="after")
    def check_secret(self) -> Self:
        secret = self.alarm_webhook_secret.removeprefix("whsec_")
        if self.alarm_webhook and len(secret) < LEAST_KEY:
            raise ValueError(f"ALARM_WEBHOOK needs ALARM_WEBHOOK_SECRET, {LEAST_KEY} characters or more")
        if self.alarm_webhook_secret != secret and not BASE64.fullmatch(secret):
            raise ValueError("ALARM_WEBHOOK_SECRET: what follows whsec_ is no base64")
        return self

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
    """Return the keys in a file.

    Raises ValueError where the file cannot be read, holds no key, or holds one that is too short.
    """
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


def load(kind: type[Kind]) -> Kind:
    """Return the settings of that class. A wrong value ends the process with one line on each mistake."""
    try:
        return kind()
    except ValidationError as error:
        lines = [describe(mistake) for mistake in error.errors(include_url=False, include_context=False)]
        sys.exit("the settings cannot be used:\n" + "\n".join(lines))


def describe(mistake: ErrorDetails) -> str:
    """Return what is wrong and the value that was given; a key's value is never repeated."""
    words = mistake["msg"].removeprefix("Value error, ")
    if not mistake["loc"]:  # settings that contradict each other: the input would be all of them, the keys included
        return words
    name = ".".join(map(str, mistake["loc"])).upper()
    return f"{name}: {words}" + ("" if any(word in name for word in SECRET) else f", {mistake['input']!r} came")


def require_model(folder: Path) -> None:
    """Raise FileNotFoundError, with advice, where a folder with models holds none."""
    if not (folder / "model.onnx").is_file():
        raise FileNotFoundError(
            f"no model at {folder / 'model.onnx'}: run `dvc repro service`, or set ASSETS to the folder with it"
        )


settings = load(Settings)
