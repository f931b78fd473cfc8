import os
import subprocess
import sys

import pytest

from api.settings import Settings, available_cores, load, require_model
from tests.conftest import ROOT, environment

KEY = "good-enough-for-a-key"


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def load_with(monkeypatch):
    """Return a function that loads the settings with variables of the environment."""

    def load_with_variables(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return load(Settings)

    return load_with_variables


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PORT", "abc", "PORT: Input should be a valid integer"),
        ("PORT", "70000", "PORT: Input should be less than or equal to 65535, '70000' came"),
        ("WORKERS_PROCESSES", "0", "WORKERS_PROCESSES: Input should be greater than or equal to 1"),
        ("THREADS", "0", "THREADS: Input should be greater than or equal to 1"),
        ("BACKEND", "jax", "BACKEND: Input should be 'onnx' or 'torch', 'jax' came"),
        ("REQUEST_TIMEOUT", "-1", "REQUEST_TIMEOUT: Input should be greater than 0"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT: Input should be 'text' or 'json'"),
        ("KEEP_ALIVE", "0.4", "KEEP_ALIVE: Input should be a valid integer"),
        ("KEEP_ALIVE", "0", "KEEP_ALIVE: Input should be greater than or equal to 1, '0' came"),
        ("API_KEYS", f"{KEY},short", "API_KEYS: key 2 has less than 16 characters"),
        ("API_KEYS", " , ", "API_KEYS: nothing but commas and spaces came"),
        ("API_KEYS_FILE", "/nowhere", "cannot be read"),
        ("ALARM_WEBHOOK", "ftp://host/", "ALARM_WEBHOOK: expected http://host/... or https://host/..."),
        ("ALARM_WEBHOOK", "http://host/", "ALARM_WEBHOOK needs ALARM_WEBHOOK_SECRET, 16 characters or more"),
        ("ALARM_WEBHOOK_SECRET", "whsec_!!", "ALARM_WEBHOOK_SECRET: what follows whsec_ is no base64"),
        ("DATABASE_URL", "mysql://host/name", "DATABASE_URL: expected none or what begins with sqlite:///, postgresql"),
        ("ALARM_MQTT", "host:1883", "ALARM_MQTT: expected mqtt://host/... or mqtts://host/..."),
        ("ALARM_MQTT", "mqtt://host/plant/+", "ALARM_MQTT: + and # are wildcards"),
        ("ALARM_MQTT", "mqtt://host/plant%23", "ALARM_MQTT: + and # are wildcards"),
        ("KEEP_DAYS", "0", "KEEP_DAYS: Input should be greater than or equal to 1"),
        ("MAX_BUFFERED", "32000000", "MAX_BUFFERED: 32000000 is too little for the largest body"),
        ("MAX_BODY", "96000000", "allow, expected 96100000 at least"),
        ("MAX_UPLOAD", "96000000", "allow, expected 96100000 at least"),
    ],
)
def test_a_wrong_value_is_refused_in_words(load_with, variable, value, words):
    with pytest.raises(SystemExit) as refused:
        load_with(**{variable: value})
    assert words in refused.value.code


def test_a_wrong_value_ends_the_process_without_a_traceback():
    command = [sys.executable, "-m", "api"]
    answer = subprocess.run(command, cwd=ROOT, env=environment(PORT="abc"), capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr.startswith("the settings cannot be used:\nPORT: Input should be a valid integer")
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "origin",
    ["plant.example", "https://plant.example/", "https://plant.example/page", "https://*", "https://", "//plant", "**",
     "https://plant.example:port", "https://Plant.example", "https://me@plant.example"],
)  # fmt: skip
def test_an_origin_that_no_browser_sends_is_refused(load_with, origin):
    with pytest.raises(SystemExit) as refused:
        load_with(CORS_ORIGINS=f"http://localhost:8080, {origin}")
    expected = f"CORS_ORIGINS: expected * or scheme://host[:port] in small letters without a path, not '{origin}'"
    assert expected in refused.value.code


@pytest.mark.parametrize("origin", ["*", "http://localhost", "https://my-plant.example:8443", "http://[::1]:8080"])
def test_an_origin_that_a_browser_sends_is_taken(load_with, origin):
    assert load_with(CORS_ORIGINS=origin).cors_origins == (origin,)


@pytest.mark.parametrize(
    ("text", "words"), [("", "holds no key, expected one a line"), (f"{KEY}\nhunter2\n", "key 2 has less than 16")]
)
def test_the_keys_of_a_file_are_checked_as_well(load_with, tmp_path, text, words):
    (tmp_path / "keys").write_text(text)
    with pytest.raises(SystemExit) as refused:
        load_with(API_KEYS_FILE=str(tmp_path / "keys"))
    assert "API_KEYS_FILE: " in refused.value.code
    assert words in refused.value.code
    assert "hunter2" not in refused.value.code


@pytest.mark.parametrize("more", [{"API_KEYS": "hunter2"}, {"API_KEYS": KEY, "MAX_BUFFERED": "1"}])
def test_no_message_repeats_a_key(load_with, more):
    with pytest.raises(SystemExit) as refused:
        load_with(**more)
    assert more["API_KEYS"] not in refused.value.code


def test_no_message_repeats_a_secret(load_with):
    with pytest.raises(SystemExit) as refused:
        load_with(ALARM_MQTT="http://user:hunter2@host/", ALARM_WEBHOOK_SECRET="whsec_hunter2!")  # noqa: S106
    assert "ALARM_MQTT" in refused.value.code
    assert "hunter2" not in refused.value.code


def test_an_empty_string_sets_no_keys(load_with):
    assert load_with(API_KEYS="").api_keys == ()


def test_the_smallest_buffer_holds_the_largest_body(load_with):
    assert load_with(MAX_BODY="2000000", MAX_UPLOAD="2000000", MAX_BUFFERED="2100000").max_buffered == 2_100_000


def test_lists_are_separated_by_commas(load_with, tmp_path):
    (tmp_path / "keys").write_text("the-first-of-the-keys\n\nthe-second-of-the-keys\n")
    settings = load_with(
        API_KEYS_FILE=str(tmp_path / "keys"), API_KEYS="another-key-than-these", CORS_ORIGINS="http://a, http://b"
    )
    assert settings.keys == ("another-key-than-these", "the-first-of-the-keys", "the-second-of-the-keys")
    assert settings.cors_origins == ("http://a", "http://b")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_is_described_by_a_sentence_and_has_a_default(name):
    field = Settings.model_fields[name]
    words = (field.description or "").split()
    assert len(words) > 3
    assert words[0][0].isupper()
    assert words[-1].endswith(".")
    assert not field.is_required()


def test_a_system_without_sched_getaffinity_counts_all_cores(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert available_cores() == os.cpu_count()
    assert load(Settings).workers == os.cpu_count()


def test_a_folder_without_a_model_is_refused_with_advice(tmp_path):
    with pytest.raises(FileNotFoundError, match="dvc repro service"):
        require_model(tmp_path)
    require_model(ROOT / "assets")
