"""What the OpenAPI document says of the body of `POST /batch_predict/`."""

import json
from pathlib import Path
from typing import Any

RECORDS_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["record"],
        "properties": {"record": {"type": "array", "items": {"type": "number"}}},
    },
}
REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": RECORDS_SCHEMA},
        "application/x-npy": {"schema": {"type": "string", "format": "binary"}},
    },
}


def document_records(operation: dict[str, Any], window_length: int, example: Path) -> None:
    """Add to the operation, in place, what only the model knows: a record's length (samples) and a request to try."""
    body = operation["requestBody"]["content"]["application/json"]
    body["schema"]["items"]["properties"]["record"] |= {"minItems": window_length, "maxItems": window_length}
    if example.is_file():
        body["example"] = json.loads(example.read_text())[:1]
