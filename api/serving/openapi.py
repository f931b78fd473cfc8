"""What the OpenAPI document says of keys, and which paths of it the metrics tell apart."""

from collections.abc import Collection
from typing import Any

from api.serving.keys import Keys

KEY_SCHEMES = {
    "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "HTTPBearer": {"type": "http", "scheme": "bearer"},
}


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


def list_paths(document: dict[str, Any], prefixes: Collection[str]) -> tuple[str, ...]:
    """Return the prefixes, and the document's paths that lie under none of them."""
    others = (path for path in document["paths"] if not path.startswith(tuple(prefixes)))
    return (*prefixes, *others)
