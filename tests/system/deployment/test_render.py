"""render.yaml: its schema, and the folder that its commands build and start."""

import os
import subprocess
import sys

import jsonschema
import pytest
import requests
import yaml

from api.serving.provenance import hash_file
from pipeline.service import free_port, wait_until_ready
from tests.conftest import ROOT, environment
from tests.tools.deployment.container import MOST_MEMORY, READY_WITHIN, files_below, limited, named_lock

# Render's own schema, https://render.com/schema/render.yaml.json, is in no package and comes without a licence to copy
# it. So this is what it says of the fields that are used here, and no other field may be used. Where the published one
# is at hand, RENDER_SCHEMA=render.yaml.json checks against it, too.
ENV_VAR = {
    "type": "object",
    "required": ["key", "value"],
    "additionalProperties": False,
    "properties": {"key": {"type": "string"}, "value": {"type": ["string", "number"]}},
}
WEB_SERVICE = {
    "type": "object",
    "required": ["type", "name", "runtime"],
    "additionalProperties": False,
    "properties": {
        "type": {"enum": ["web", "worker", "pserv"]},
        "name": {"type": "string"},
        "runtime": {"enum": ["docker", "elixir", "go", "image", "node", "python", "ruby", "rust", "static"]},
        "plan": {"enum": ["free", "starter", "standard", "pro", "pro plus", "pro max", "pro ultra"]},
        "buildCommand": {"type": "string"},
        "startCommand": {"type": "string"},
        "healthCheckPath": {"type": "string"},
        "envVars": {"type": "array", "items": ENV_VAR},
    },
}
BLUEPRINT = {
    "type": "object",
    "required": ["services"],
    "additionalProperties": False,
    "properties": {"services": {"type": "array", "items": WEB_SERVICE}},
}


@pytest.fixture(scope="module")
def blueprint():
    return yaml.safe_load((ROOT / "render.yaml").read_text())


def test_render_follows_what_its_published_schema_says(blueprint):
    jsonschema.validate(blueprint, BLUEPRINT)
    with pytest.raises(jsonschema.ValidationError, match="'healthPath' was unexpected"):
        jsonschema.validate({"services": [blueprint["services"][0] | {"healthPath": "/"}]}, BLUEPRINT)


def test_render_follows_its_published_schema():
    schema = os.environ.get("RENDER_SCHEMA")
    if not schema:
        pytest.skip("RENDER'S OWN SCHEMA SKIPPED: it is in no package; RENDER_SCHEMA is where you have put it")
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", schema, str(ROOT / "render.yaml")]
    checked = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_render_builds_and_starts_the_same_folder(blueprint, built, copy_repository, tmp_path):
    """In a fresh clone, with this environment's packages: the Dockerfile's test installs the same requirements."""
    (service,) = blueprint["services"]
    install = "pip install -r api/requirements.txt && pip install ./api/native &&"
    assert install in service["buildCommand"]
    clone = copy_repository()
    command = service["buildCommand"].replace(install, "")
    subprocess.run(["sh", "-c", command], cwd=clone, env=environment(), check=True)
    assert files_below(clone / "build" / "service") == files_below(built) | {"dvc.lock"}
    port, log = free_port(), tmp_path / "service.log"
    variables = {item["key"]: item["value"] for item in service["envVars"]} | {"PORT": str(port)}
    url = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        options = {"cwd": clone, "env": environment(**variables), "stdout": output, "stderr": output}
        with limited(MOST_MEMORY, ["sh", "-c", service["startCommand"]], **options) as (process, memory):
            wait_until_ready(url, process, log, READY_WITHIN)
            assert requests.get(f"{url}{service['healthCheckPath']}", timeout=60).json() == {"status": "ready"}
            assert named_lock(url) == hash_file(clone / "dvc.lock")[:12]
            assert not memory.over
