"""API keys: which requests are allowed."""

import hmac
from collections.abc import Collection
from typing import Any

from starlette.exceptions import HTTPException

from api.serving.exchange import Exchange

KEY_SCHEMES = {
    "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "HTTPBearer": {"type": "http", "scheme": "bearer"},
}


class Keys:
    """Checks the key of a request; where no keys are set, every request passes."""

    def __init__(
        self, keys: Collection[str], open_prefixes: tuple[str, ...] = (), open_paths: Collection[str] = ()
    ) -> None:
        """Paths that start with one of open_prefixes, and open_paths themselves, need no key."""
        self.keys = [key.encode() for key in keys]
        self.open_prefixes = open_prefixes
        self.open_paths = frozenset(open_paths)

    def is_open(self, path: str) -> bool:
        return path.startswith(self.open_prefixes) or path in self.open_paths

    def check(self, exchange: Exchange) -> None:
        """Raise HTTPException unless the request carries one of the keys, or needs none."""
        if not self.keys or self.is_open(exchange.path) or exchange.method == "OPTIONS":
            return
        given = read_key(exchange.headers)
        matches = [hmac.compare_digest(given, key) for key in self.keys]  # all of them, so that time tells nothing
        if not any(matches):
            raise HTTPException(401, "a key is needed: send it as X-API-Key", {"WWW-Authenticate": "Bearer"})


def read_key(headers: dict[bytes, bytes]) -> bytes:
    """Return the key in X-API-Key or, as a bearer token, in Authorization; empty where there is none."""
    scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
    return headers.get(b"x-api-key") or (credentials.strip() if scheme.lower() == b"bearer" else b"")


def document_keys(document: dict[str, Any], keys: Keys) -> None:
    """Add to the document, in place, which operations need a key; nothing where no keys are set."""
    if not keys.keys:
        return
    document["components"]["securitySchemes"] = KEY_SCHEMES
    for path, operations in document["paths"].items():
        if not keys.is_open(path):
            for operation in operations.values():
                operation["security"] = [{name: []} for name in KEY_SCHEMES]  # any one of them
                operation["responses"]["401"] = {"description": "No key, or none that is known here"}
