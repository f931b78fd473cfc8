import subprocess
import sys

import pytest

from api.settings import Settings
from tests.conftest import ROOT, environment

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
        ("API_KEYS", "good-enough-for-a-key,short", "API_KEYS: key 2 has less than 16 characters"),
        ("API_KEYS_FILE", "/nowhere", "cannot be read"),
    ],
)
def test_a_wrong_value_is_refused_at_start_in_words(variable, value, words):
    answer = start(**{variable: value})
    assert answer.returncode == 1
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_key_is_never_repeated():
    answer = start(API_KEYS="hunter2")
    assert answer.returncode == 1
    assert "hunter2" not in answer.stdout + answer.stderr


def test_lists_are_separated_by_commas(tmp_path):
    (tmp_path / "keys").write_text("the-first-of-the-keys\n\nthe-second-of-the-keys\n")
    code = "from api.settings import settings; print(settings.keys, settings.cors_origins)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env=environment(API_KEYS_FILE=str(tmp_path / "keys"), API_KEYS="another-key-than-these", CORS_ORIGINS="a, b"),
    )  # fmt: skip
    keys = ("another-key-than-these", "the-first-of-the-keys", "the-second-of-the-keys")
    assert answer.stdout.strip() == f"{keys} {('a', 'b')}"


def test_every_setting_is_in_the_readme_with_its_default():
    readme = (ROOT / "README.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"`{name.upper()}`" in readme, f"{name.upper()} is not in the README"
        assert field.description, name


def test_the_defaults_can_be_used():
    assert start().returncode == 0
