"""What the clients share: how they ask the service, with which key, and what they say where it gives no answer."""

import argparse
import os
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

KEY_NEEDED = "give one of its API_KEYS with --key or in the environment variable API_KEY"
TIMEOUT = 60.0  # s for a response to /batch_predict/
LONGEST_WAIT = 30  # s before a full service is asked again, whatever Retry-After says


class NoAnswerError(Exception):
    """The service gave no answer; the text says why."""


def add_service_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --url and --key, which also may come from the environment."""
    parser.add_argument(
        "--url",
        type=lambda text: text.rstrip("/"),
        default="http://127.0.0.1:8000",
        help="where the service listens (%(default)s)",
    )
    parser.add_argument(
        "--key",
        type=str.strip,
        default=os.environ.get("API_KEY", ""),
        help="one of the service's API_KEYS ($API_KEY unless given)",
    )


def send(
    url: str, key: str, method: str, path: str, tries: int = 1, timeout: Any = TIMEOUT, **content: Any
) -> requests.Response:
    """Return the response, unless it is a 401; a full service is asked again when its Retry-After says so.

    Tries counts the requests in all, timeout is in seconds. Raises NoAnswerError.
    """
    headers = content.pop("headers", {}) | ({"X-API-Key": key.encode()} if key else {})
    try:
        with open_session(tries) as session:
            response = session.request(method, url + path, headers=headers, timeout=timeout, **content)
    except requests.RequestException as error:
        start = "start it with `python -m api`" if "refused" in str(error) else str(error)
        raise NoAnswerError(f"no service at {url}: {start}") from error
    if response.status_code == 401:
        raise NoAnswerError(f"{url} {'does not know this key' if key else 'asks for a key'}: {KEY_NEEDED}")
    return response


def open_session(tries: int) -> requests.Session:
    """Return a session that sends a request again where the response carries Retry-After, and only there."""
    retries = Retry(
        tries - 1,
        connect=0,
        read=False,
        other=0,
        allowed_methods=None,  # all: a service that is full has done nothing with the request
        raise_on_status=False,
        retry_after_max=LONGEST_WAIT,
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retries))
    return session


def read_json(response: requests.Response) -> dict:
    """Return the content of a response. Raises NoAnswerError unless it is a success."""
    if not response.ok:
        raise NoAnswerError(describe(response))
    return response.json()


def describe(response: requests.Response) -> str:
    return f"{response.status_code} from {response.url}: {response.text[:500]}"
