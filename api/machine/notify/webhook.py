"""ALARM_WEBHOOK: each change is POSTed as JSON, signed as the Standard Webhooks specification says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
import json
import time
from base64 import b64decode, b64encode
from typing import Any

import requests

from api.machine.notify.outbox import DeliveryError

TIMEOUT = (5, 10)  # s to connect, and between two parts of the answer
PREFIX = "whsec_"  # of a secret in base64


class Webhook:
    """A receiver behind a URL."""

    def __init__(self, url: str, secret: str) -> None:
        self.url, self.key = url, read_secret(secret)

    def send(self, message: dict[str, Any]) -> None:
        """Return once the receiver answered 2xx; a redirect is not followed. Raises DeliveryError."""
        body = json.dumps(message).encode()
        headers = {"Content-Type": "application/json", **sign(self.key, f"change-{message['id']}", time.time(), body)}
        try:
            # The answer's body is not read: it may be endless.
            with requests.post(
                self.url, body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as answer:
                status = answer.status_code
        except requests.RequestException as error:
            raise DeliveryError(f"no answer: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise DeliveryError(f"answered {status}")


def read_secret(secret: str) -> bytes:
    """Return the key of a secret: base64 after `whsec_`, else the text itself. Raises ValueError."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    return b64decode(secret.removeprefix(PREFIX), validate=True)


def sign(key: bytes, identity: str, moment: float, body: bytes) -> dict[str, str]:
    """Return the headers that let a receiver check who sent a body, when, and whether it came before."""
    stamp = str(int(moment))
    signature = hmac.digest(key, b".".join([identity.encode(), stamp.encode(), body]), "sha256")
    return {
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{b64encode(signature).decode()}",
    }
