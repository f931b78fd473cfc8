"""compose.yaml: its schema, its versions, and the page on a server of its own."""

import re
import subprocess
import sys
from pathlib import Path

import requests

from pipeline.service import free_port
from tests.conftest import ROOT, environment, wait_until
from tests.tools.deployment.dockerfile import read_steps


def check_compose(path: Path) -> subprocess.CompletedProcess:
    """Check against the schema of compose-spec.io, as it comes with check-jsonschema."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True)


def test_compose_follows_its_published_schema():
    checked = check_compose(ROOT / "compose.yaml")
    assert checked.returncode == 0, checked.stdout


def test_the_published_schema_refuses_a_mistake(tmp_path):
    mistaken = (ROOT / "compose.yaml").read_text().replace("mem_limit", "memory_limit")
    (tmp_path / "compose.yaml").write_text(mistaken)
    assert "'memory_limit' was unexpected" in check_compose(tmp_path / "compose.yaml").stdout


def test_compose_starts_the_service_and_the_page_and_the_notebook_on_demand(compose):
    services = compose["services"]
    assert [name for name, service in services.items() if "profiles" not in service] == ["service", "page"]
    assert services["service"]["mem_limit"] == "512m"
    assert services["service"]["ports"] == ["8000:8000"]


def test_images_and_packages_are_pinned_and_are_one_version(compose):
    base = read_steps((ROOT / "Dockerfile").read_text())[0][1].removesuffix(" AS base")
    assert {service["image"] for service in compose["services"].values() if "build" not in service} == {base}
    files = (ROOT / "requirements.in", ROOT / "api" / "requirements.in", ROOT / "requirements-torch.txt")
    pins = {line for file in files for line in file.read_text().splitlines() if "==" in line}
    packages = re.findall(r"[\w-]+==[\d.]+", compose["services"]["notebook"]["command"][-1])
    assert set(packages) - pins == {package for package in packages if package.startswith("jupyterlab==")}


def test_the_page_on_its_own_server_asks_the_service(compose, container, tmp_path):
    page = compose["services"]["page"]
    port = free_port()
    command = (
        page["command"][-1].replace("$$", "$").replace("/page .", f"{ROOT}/api/page page").replace("8080", str(port))
    )
    origin = "http://localhost:8080"
    surrounding = environment(**page["environment"])
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(["sh", "-c", command], cwd=tmp_path, env=surrounding, **quiet)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/"))
        text = requests.get(f"http://127.0.0.1:{port}/", timeout=60).text
        assert '<meta name="service" content="http://localhost:8000">' in text
        assert requests.get(f"http://127.0.0.1:{port}/page.js", timeout=60).ok
    finally:
        process.terminate()
        process.wait(timeout=60)
    allowed = requests.get(f"{container.url}/model/", headers={"Origin": origin}, timeout=60).headers
    assert allowed["Access-Control-Allow-Origin"] == origin


def answers(url: str) -> bool:
    try:
        requests.get(url, timeout=5)
    except requests.RequestException:
        return False
    return True
