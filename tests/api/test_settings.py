import subprocess
import sys

import pytest

from api.settings import Settings
from tests.conftest import ROOT, environment

KEY = "good-enough-for-a-key"
PRINT = "from api.settings import settings; print(repr(settings))"


def start(**variables):
    """Import the settings in a process of its own, with these variables set."""
    command = [sys.executable, "-c", PRINT]
    return subprocess.run(command, cwd=ROOT, env=environment(**variables), capture_output=True, text=True)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PORT", "abc", "PORT: Input should be a valid integer"),
        ("PORT", "70000", "PORT: Input should be less than or equal to 65535, '70000' came"),
        ("THREADS", "0", "THREADS: Input should be greater than or equal to 1"),
        ("BACKEND", "jax", "BACKEND: Input should be 'onnx' or 'torch', 'jax' came"),
        ("REQUEST_TIMEOUT", "-1", "REQUEST_TIMEOUT: Input should be greater than 0"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT: Input should be 'text' or 'json'"),
        ("KEEP_ALIVE", "0.4", "KEEP_ALIVE: Input should be a valid integer"),
        ("KEEP_ALIVE", "0", "KEEP_ALIVE: Input should be greater than or equal to 1, '0' came"),
        ("API_KEYS", f"{KEY},short", "API_KEYS: key 2 has less than 16 characters"),
        ("API_KEYS", " , ", "API_KEYS: nothing but commas and spaces came"),
        ("API_KEYS_FILE", "/nowhere", "cannot be read"),
        ("MAX_BUFFERED", "32000000", "MAX_BUFFERED: 32000000 is too little for the largest body"),
        ("MAX_BODY", "96000000", "allow, expected 96100000 at least"),
        ("MAX_UPLOAD", "96000000", "allow, expected 96100000 at least"),
    ],
)
def test_a_wrong_value_is_refused_at_start_in_words(variable, value, words):
    answer = start(**{variable: value})
    assert answer.returncode == 1
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "origin",
    ["plant.example", "https://plant.example/", "https://plant.example/page", "https://*", "https://", "//plant", "**",
     "https://plant.example:port", "https://Plant.example", "https://me@plant.example"],
)  # fmt: skip
def test_an_origin_that_no_browser_sends_is_refused(origin):
    answer = start(CORS_ORIGINS=f"http://localhost:8080, {origin}")
    assert answer.returncode == 1
    assert f"CORS_ORIGINS: expected * or scheme://host[:port] in small letters without a path, not '{origin}'" in (
        answer.stderr
    )


@pytest.mark.parametrize("origin", ["*", "http://localhost", "https://my-plant.example:8443", "http://[::1]:8080"])
def test_an_origin_that_a_browser_sends_is_taken(origin):
    answer = start(CORS_ORIGINS=origin)
    assert f"cors_origins=('{origin}',)" in answer.stdout


@pytest.mark.parametrize(
    ("text", "words"), [("", "holds no key, expected one a line"), (f"{KEY}\nhunter2\n", "key 2 has less than 16")]
)
def test_a_file_of_keys_is_held_to_the_same(tmp_path, text, words):
    (tmp_path / "keys").write_text(text)
    answer = start(API_KEYS_FILE=str(tmp_path / "keys"))
    assert answer.returncode == 1
    assert "API_KEYS_FILE: " in answer.stderr
    assert words in answer.stderr
    assert "hunter2" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("more", [{"API_KEYS": "hunter2"}, {"API_KEYS": KEY, "MAX_BUFFERED": "1"}])
def test_a_key_is_never_repeated(more):
    answer = start(**more)
    assert answer.returncode == 1
    assert more["API_KEYS"] not in answer.stdout + answer.stderr


def test_no_keys_may_be_said_with_an_empty_string():
    assert "api_keys=()" in start(API_KEYS="").stdout


def test_the_largest_body_just_fits():
    assert start(MAX_BODY="2000000", MAX_UPLOAD="2000000", MAX_BUFFERED="2100000").returncode == 0


def test_lists_are_separated_by_commas(tmp_path):
    (tmp_path / "keys").write_text("the-first-of-the-keys\n\nthe-second-of-the-keys\n")
    code = "from api.settings import settings; print(settings.keys, settings.cors_origins)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env=environment(
            API_KEYS_FILE=str(tmp_path / "keys"), API_KEYS="another-key-than-these", CORS_ORIGINS="http://a, http://b"
        ),
    )  # fmt: skip
    keys = ("another-key-than-these", "the-first-of-the-keys", "the-second-of-the-keys")
    assert answer.stdout.strip() == f"{keys} {('http://a', 'http://b')}"


def test_every_setting_is_in_the_readme_with_its_default():
    readme = (ROOT / "README.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"`{name.upper()}`" in readme, f"{name.upper()} is not in the README"
        assert field.description, name


def test_the_defaults_can_be_used():
    assert start().returncode == 0
