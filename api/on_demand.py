"""A service that watches no machine loads nothing for machines: it is loaded when they are first asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api.machine import PREFIX
from api.settings import Settings

SQLITE = "sqlite:///"
NAMED = {"database_url", "keep_recordings", "keep_days", "alarm_webhook", "alarm_mqtt"}  # settings of whoever watches


def are_watched(settings: Settings) -> bool:
    """Return whether machines are watched already: a setting of theirs is set, or their store is there."""
    return bool(NAMED & settings.model_fields_set) or Path(settings.database_url.removeprefix(SQLITE)).exists()


class LoadOnDemand:
    """Middleware that loads what a request needs of machines before the request goes on."""

    def __init__(self, app: ASGIApp, load: Callable[[FastAPI], Awaitable[None]], document: str) -> None:
        """load does nothing where all is loaded; document is the path of the OpenAPI document, which tells of all."""
        self.app, self.load = app, load
        self.exact = (PREFIX.rstrip("/"), document)
        self.lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.needs_machines(scope["path"].removeprefix(scope.get("root_path", ""))):
            async with self.lock:
                await self.load(scope["app"])
        await self.app(scope, receive, send)

    def needs_machines(self, path: str) -> bool:
        return path.startswith(PREFIX) or path in self.exact
