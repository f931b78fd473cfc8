"""The one form of an error: `{"detail": ...}` as FastAPI writes it, `{"error": ...}` as the protocol of /v2/ does."""

import json
from typing import Any

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import Send

from api.serving.exchange import Exchange

OPEN_INFERENCE = "/v2/"


class ErrorAnswer(BaseModel):
    detail: str


class Mistake(BaseModel):
    type: str
    loc: list[str | int] = Field(description="where it is: the record's index, and the sample's where there is one")
    msg: str = Field(description="what was expected")
    input: Any = Field(description="what came, cut to a readable length")


class InvalidAnswer(BaseModel):
    detail: list[Mistake]


def error_content(path: str, detail: str) -> dict[str, str]:
    """Return the JSON object that a client of this path gets."""
    return {"error" if path.startswith(OPEN_INFERENCE) else "detail": detail}


async def send_error(error: HTTPException, exchange: Exchange, send: Send) -> None:
    """Send the response to a request that FastAPI's own handlers do not see."""
    body = json.dumps(error_content(exchange.path, error.detail)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items()]
    await send({"type": "http.response.start", "status": error.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
