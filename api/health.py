"""`GET /health/live` and `GET /health/ready`, for whatever routes requests to the service."""

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel

from api.serving.errors import ErrorAnswer

PREFIX = "/health/"
router = APIRouter()


class HealthAnswer(BaseModel):
    status: str


def require_ready(request: Request) -> None:
    """Raise HTTPException unless the model is loaded and the service is not about to stop."""
    if not request.app.state.ready:
        raise HTTPException(503, "stopping", headers={"Retry-After": "5"})


@router.get(f"{PREFIX}live")
async def live() -> HealthAnswer:
    """Answer as long as the process does."""
    return HealthAnswer(status="live")


@router.get(f"{PREFIX}ready", responses={503: {"model": ErrorAnswer, "description": "Starting or stopping"}})
async def ready(request: Request) -> HealthAnswer:
    """Answer 200 from the moment the model is loaded until the service begins to stop."""
    require_ready(request)
    return HealthAnswer(status="ready")
