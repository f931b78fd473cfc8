"""No Docker engine runs here: the Dockerfile's steps are executed in an empty virtual environment and folder instead.

What that leaves out: the base image's own Python and Debian (this machine's stand in), apt-get, and a chroot: the
image's absolute paths lie below a folder, so its RUN lines may only name relative ones.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template
from threading import Event, Thread
from typing import NamedTuple

import jsonschema
import pytest
import requests
import yaml

from api.serving.provenance import hash_file
from pipeline.service import LATER, SERVED, build, free_port, wait_until_ready
from tests.conftest import ROOT, environment

MOST_MEMORY = 512 * 10**6  # bytes, Render's free plan; Docker's 512m is 5 % more
READY_WITHIN = 10  # s
BASE_IMAGE = r"python:3\.11\.\d+-slim-\w+"
OFFLINE = ("Could not find a version", "NewConnectionError")
FROM_HERE = ("PIP_", "HTTP", "NO_PROXY", "SSL_", "REQUESTS_", "HOME")  # where packages come from: this machine's affair
IN_NO_IMAGE = {"torch", "dvc", "pandas", "scikit-learn", "matplotlib"}

# --- A Dockerfile's steps --------------------------------------------------------------------------


@dataclass
class Image:
    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)
    health_check: list[str] = field(default_factory=list)
    stop_signal: str = "SIGTERM"

    def path(self, name: str) -> Path:
        """Return where a path of the image lies here; a relative one begins at WORKDIR."""
        return self.root / (Path(self.folder) / name).relative_to("/")

    def whole_environment(self) -> dict[str, str]:
        return {"PATH": f"{self.root}/usr/local/bin:/usr/bin:/bin"} | self.environment


def read_steps(text: str) -> list[tuple[str, str]]:
    """Return (instruction, rest of the line) pairs: comments left out, continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    steps = [line.split(maxsplit=1) for line in re.sub(r"\\\s*\n", " ", lines).splitlines() if line.strip()]
    return [(word.upper(), rest.strip()) for word, rest in steps]


def build_image(context: Path, folder: Path, **arguments: str) -> Image:
    """Execute every step of the context's Dockerfile below a folder. Raises ValueError for one that it cannot do."""
    stages: dict[str, Image] = {}
    patterns = (context / ".dockerignore").read_text().splitlines()
    image = Image(folder)
    for number, (word, rest) in enumerate(read_steps((context / "Dockerfile").read_text())):
        if word == "FROM":
            name, _, alias = rest.partition(" AS ")
            image = begin_stage(stages, name, folder / str(number))
            stages[alias or str(number)] = image
        elif word == "COPY":
            copy(image, rest, context, patterns, stages)
        elif word == "RUN":
            run(image, rest)
        elif word == "ARG":
            name, _, default = rest.partition("=")
            image.arguments[name] = arguments.get(name, default.strip('"'))
        elif word == "ENV":
            known = image.arguments | image.environment
            pairs = (pair.partition("=") for pair in shlex.split(Template(rest).substitute(known)))
            image.environment |= {name: value for name, _, value in pairs}
        else:
            configure(image, word, rest)
    return image


def begin_stage(stages: dict[str, Image], name: str, root: Path) -> Image:
    """Copy an earlier stage; an image from the registry is an empty virtual environment, where it has its Python."""
    if name in stages:
        shutil.copytree(stages[name].root, root, symlinks=True)
        return replace(stages[name], root=root, environment=stages[name].environment.copy(), arguments={})
    if not re.fullmatch(BASE_IMAGE, name):
        raise ValueError(f"FROM {name}: only {BASE_IMAGE} can be stood in for")
    subprocess.run([sys.executable, "-m", "venv", root / "usr" / "local"], check=True)
    return Image(root)


def copy(image: Image, rest: str, context: Path, patterns: list[str], stages: dict[str, Image]) -> None:
    words = shlex.split(rest)
    flags, (*sources, destination) = [w for w in words if w[:2] == "--"], [w for w in words if w[:2] != "--"]
    stage = stages[flags[0].removeprefix("--from=")] if flags else None  # any other flag is a KeyError
    target = image.path(destination)
    for name in sources:
        source = stage.path(name) if stage else context / name
        if not source.exists():
            raise ValueError(f"COPY {name}: there is no such file")
        if source.is_dir():
            here = None if stage else context
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=ignored_below(here, patterns))
        else:
            into = target / source.name if destination.endswith("/") or len(sources) > 1 else target
            into.parent.mkdir(parents=True, exist_ok=True)
            if stage is None and is_ignored(name, patterns):
                raise ValueError(f"COPY {name}: .dockerignore keeps it out")
            shutil.copy(source, into)


def ignored_below(context: Path | None, patterns: list[str]):
    """Return copytree's `ignore` for a context; another stage's files are all there."""

    def ignore(folder: str, names: list[str]) -> list[str]:
        if context is None:
            return []
        below = Path(folder).relative_to(context)
        return [name for name in names if is_ignored((below / name).as_posix(), patterns)]

    return ignore


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Return whether .dockerignore keeps a path out: the last line that names it or a folder around it decides."""
    around = [path, *(folder.as_posix() for folder in Path(path).parents)][:-1]
    verdict = False
    for line in patterns:
        if line and not line.startswith("#") and any(as_pattern(line).fullmatch(name) for name in around):
            verdict = not line.startswith("!")
    return verdict


def as_pattern(line: str) -> re.Pattern:
    text = re.escape(line.removeprefix("!").strip("/"))
    return re.compile(text.replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*"))


def run(image: Image, command: str) -> None:
    if "apt-get" in command:
        if "g++" in command and not shutil.which("g++"):
            pytest.skip("DOCKERFILE SKIPPED: it installs g++ with apt-get, and this machine has none")
        return  # the system's packages are this machine's
    if re.search(r"""(^|[\s="'])/""", command):
        raise ValueError(f"RUN {command}: an absolute path would be this machine's")
    from_here = {name: value for name, value in os.environ.items() if name.upper().startswith(FROM_HERE)}
    surrounding = from_here | image.arguments | image.whole_environment()
    ran = subprocess.run(
        ["sh", "-c", command], cwd=image.path("."), env=surrounding, capture_output=True, text=True, timeout=300
    )
    if any(words in ran.stderr for words in OFFLINE):
        pytest.skip(f"DOCKERFILE SKIPPED: no package index can be reached: {ran.stderr[-200:]}")
    assert ran.returncode == 0, f"RUN {command}:\n{ran.stdout[-1000:]}{ran.stderr[-2000:]}"


def configure(image: Image, word: str, rest: str) -> None:
    if word == "WORKDIR":
        image.folder = rest
        image.path(".").mkdir(parents=True, exist_ok=True)
    elif word == "USER":
        image.user = rest
    elif word == "STOPSIGNAL":
        image.stop_signal = rest
    elif word == "CMD":
        image.command = json.loads(rest)
    elif word == "HEALTHCHECK":
        image.health_check = json.loads(rest.partition("CMD ")[2])
    elif word != "EXPOSE":  # which only tells
        raise ValueError(f"{word}: this test cannot execute it")


# --- A container -----------------------------------------------------------------------------------


class MemoryLimit(Thread):
    """Watches what a process group has in memory, shared pages counted once, and kills it where that is too much.

    A limit of address space would be another thing: libraries reserve far more of it than they ever touch.
    """

    def __init__(self, group: int, most: int) -> None:
        super().__init__(daemon=True)
        self.group, self.most, self.peak, self.over, self.ended = group, most, 0, False, Event()

    def run(self) -> None:
        while not self.ended.wait(0.02):
            self.peak = max(self.peak, self.now())
            if self.peak > self.most:
                self.over = True
                os.killpg(self.group, signal.SIGKILL)
                return

    def now(self) -> int:
        return sum(proportional_memory(process) for process in self.processes())

    def processes(self) -> list[Path]:
        return [path for path in Path("/proc").iterdir() if path.name.isdecimal() and group_of(path) == self.group]


def group_of(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(") ")[2].split()[2])
    except (OSError, IndexError):  # it has ended meanwhile
        return None


def proportional_memory(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


class Container(NamedTuple):
    url: str
    process: subprocess.Popen
    memory: MemoryLimit
    seconds: float  # from start to ready
    environment: dict[str, str]


@contextmanager
def limited(most: int, command: list[str], **options) -> Iterator[tuple[subprocess.Popen, MemoryLimit]]:
    process = subprocess.Popen(command, start_new_session=True, **options)
    memory = MemoryLimit(process.pid, most)
    memory.start()
    try:
        yield process, memory
    finally:
        memory.ended.set()
        memory.join()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)


@contextmanager
def started(image: Image, **extra: str) -> Iterator[Container]:
    """Run CMD as `docker run -e ... -p` would: with nothing of this environment, and as USER where that is possible."""
    port = free_port()
    whole = image.whole_environment() | {"PORT": str(port)} | extra
    log = image.root.parent / "service.log"
    start = time.monotonic()
    with log.open("w") as output:
        options = {"cwd": image.path("."), "env": whole, "stdout": output, "stderr": output}
        with limited(MOST_MEMORY, as_user(image), **options) as (process, memory):
            wait_until_ready(f"http://127.0.0.1:{port}", process, log, READY_WITHIN)
            yield Container(f"http://127.0.0.1:{port}", process, memory, time.monotonic() - start, whole)


def can_be_another() -> bool:
    return os.geteuid() == 0 and shutil.which("setpriv") is not None


def as_user(image: Image) -> list[str]:
    """Return CMD with the rights of USER where root runs this test, plus that to find Python in root's home."""
    if not can_be_another():
        return image.command
    user, group = image.user.split(":")
    rights = [f"--{kind}=-all,+dac_read_search" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *rights, *image.command]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("DOCKERFILE SKIPPED: only Linux tells how much memory a process shares")
    return build_image(ROOT, tmp_path_factory.mktemp("image"), GIT_COMMIT="0123abc")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def container(image, compose):
    with started(image, **compose["services"]["service"]["environment"]) as container:
        yield container


def files_below(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in paths}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The files that the pipeline's last stage assembles."""
    folder = tmp_path_factory.mktemp("built") / "service"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        build(folder, (*SERVED, *LATER))
    return folder


# --- The image -------------------------------------------------------------------------------------


def test_every_step_but_apt_get_was_executed(image):
    steps = read_steps((ROOT / "Dockerfile").read_text())
    assert [rest for word, rest in steps if word == "RUN" and "apt-get" in rest] == [
        "apt-get update && apt-get install -y --no-install-recommends g++"
    ]
    assert image.command == ["python", "-m", "api"]
    assert int(image.user.split(":")[0]) > 0  # a number, so that an orchestrator sees that it is not root


def test_the_image_holds_no_more_than_serving_takes(image):
    names = {path.name.split("-")[0].replace("_", "-") for path in image.root.rglob("*.dist-info")}
    assert {"fastapi", "onnxruntime", "fast-records"} <= names
    assert not names & IN_NO_IMAGE


def test_dockerfile_and_pipeline_assemble_the_same_folder(image, built):
    assert files_below(image.path(".")) == files_below(built) | {"dvc.lock"}  # which DVC writes after that stage
    assert {path.name for path in image.path("assets").iterdir()} == {*SERVED, *LATER}


def test_it_serves_within_512_mb(container):
    after_start = container.memory.now()
    example = json.loads((ROOT / "assets" / "example.json").read_text())
    golden = json.loads((ROOT / "assets" / "example_answer.json").read_text())["Analysis"]
    answer = requests.post(f"{container.url}/batch_predict/", json=example, timeout=10)
    assert [item["Prediction"] for item in answer.json()["Analysis"]] == [item["Prediction"] for item in golden]
    with (ROOT / "assets" / "examples" / "outer_race.wav").open("rb") as file:
        diagnosis = requests.post(f"{container.url}/diagnose/", files={"file": file}, data={"rpm": 1772}, timeout=60)
    assert diagnosis.json()["prediction"] == "OuterRace"
    large = requests.post(f"{container.url}/batch_predict/", json=(example * 50)[:200], timeout=30)
    assert large.status_code == 200
    print(
        f"\nready after {container.seconds:.2f} s; MB: {after_start / 1e6:.0f} after start, "
        f"{container.memory.now() / 1e6:.0f} after the requests, {container.memory.peak / 1e6:.0f} at most"
    )
    assert not container.memory.over
    assert 0 < container.memory.peak < MOST_MEMORY


def test_it_serves_the_page_and_its_examples(container):
    assert '<meta name="service" content="">' in requests.get(container.url, timeout=5).text
    for example in requests.get(f"{container.url}/examples/index.json", timeout=5).json():
        assert requests.get(f"{container.url}/examples/{example['file']}", timeout=5).ok


def test_it_says_what_it_is(container):
    versions = requests.get(f"{container.url}/model/", timeout=5).json()["versions"]
    assert versions["git_commit"] == "0123abc"
    assert versions["json_reader"] == "compiled"


def test_every_answer_names_the_lock_file_it_comes_from(container):
    assert named_lock(container.url) == hash_file(ROOT / "dvc.lock")[:12]


def named_lock(url: str) -> str:
    """Return what the header X-Model says of dvc.lock."""
    header = requests.get(f"{url}/health/live", timeout=5).headers["X-Model"]
    return dict(part.split("=") for part in header.split(", "))["dvc_lock"]


def test_it_runs_as_its_user_who_may_read_it_and_write_nothing(image, container):
    assert {path.stat().st_mode & 0o006 for path in image.path(".").rglob("*")} == {0o004}
    if not can_be_another():
        pytest.skip("USER SKIPPED: only root can start a process as somebody else, with setpriv")
    processes = container.memory.processes()
    assert len(processes) == 2
    assert {process.stat().st_uid for process in processes} == {int(image.user.split(":")[0])}


def test_the_health_check_tells_a_running_service_from_a_stopped_one(image):
    with started(image) as container:
        check = {"cwd": image.path("."), "env": container.environment, "capture_output": True, "timeout": 10}
        assert subprocess.run(image.health_check, **check).returncode == 0
        proxied = check | {"env": container.environment | {"http_proxy": "http://127.0.0.1:9"}}
        assert subprocess.run(image.health_check, **proxied).returncode == 0
        container.process.send_signal(signal.Signals[image.stop_signal])
        assert container.process.wait(timeout=15) == 0
        assert subprocess.run(image.health_check, **check).returncode == 1


def test_who_takes_more_memory_than_the_limit_is_killed():
    """Also where a child takes it: the limit is on all of them."""
    child = "import time; taken = b'x' * 100_000_000; time.sleep(30)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with limited(80_000_000, [sys.executable, "-c", parent]) as (process, memory):
        assert process.wait(timeout=20) == -signal.SIGKILL
        assert memory.over


# --- What executes the steps -----------------------------------------------------------------------


def test_comments_and_continued_lines():
    text = '# a\nFROM python:3.11 AS one\n\nRUN one && \\\n  # b\n  two\ncmd ["three"]\n'
    assert read_steps(text) == [("FROM", "python:3.11 AS one"), ("RUN", "one &&    two"), ("CMD", '["three"]')]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("ADD a b", "ADD: this test cannot execute it"),
        ("COPY missing there", "no such file"),
        ("COPY secret there", "keeps it out"),
        ("RUN rm -rf /app", "absolute path"),
        ("FROM debian:12", "only python"),
    ],
)
def test_a_step_that_cannot_be_executed_is_no_silent_success(tmp_path, step, message):
    (tmp_path / "Dockerfile").write_text(f"WORKDIR /app\n{step}\n")
    (tmp_path / ".dockerignore").write_text("secret\n")
    (tmp_path / "secret").touch()
    with pytest.raises(ValueError, match=message):
        build_image(tmp_path, tmp_path / "image")


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("data/catalogue.csv", True), ("data", True), (".venv/bin/python", True), (".git/config", True),
        ("build/service/api/api.py", True), ("tests/api/test_api.py", True), ("Dockerfile", True),
        ("dvc.yaml", True), ("dvc.lock", False),
        ("api/api.py", False), ("api/native/records.cpp", False), ("assets/examples/ball.wav", False),
        ("api/native/build/lib/fast_records.so", True), ("api/native/fast_records.egg-info/PKG-INFO", True),
        ("model/__pycache__/bearings.pyc", True), ("api/building.py", False),
    ],
)  # fmt: skip
def test_what_the_context_keeps_out(path, ignored):
    assert is_ignored(path, (ROOT / ".dockerignore").read_text().splitlines()) == ignored


# --- compose.yaml ----------------------------------------------------------------------------------


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
        wait_until_answered(f"http://127.0.0.1:{port}/")
        text = requests.get(f"http://127.0.0.1:{port}/", timeout=5).text
        assert '<meta name="service" content="http://localhost:8000">' in text
        assert requests.get(f"http://127.0.0.1:{port}/page.js", timeout=5).ok
    finally:
        process.terminate()
        process.wait(timeout=10)
    allowed = requests.get(f"{container.url}/model/", headers={"Origin": origin}, timeout=5).headers
    assert allowed["Access-Control-Allow-Origin"] == origin


def wait_until_answered(url: str) -> None:
    for _ in range(100):
        try:
            requests.get(url, timeout=1)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nobody answers at {url}")


# --- render.yaml -----------------------------------------------------------------------------------

# Render's own schema, https://render.com/schema/render.yaml.json, is in no package and comes without a licence to copy
# it. So this is what it says of the fields that are used here, in our words, and no other field may be used; with the
# published one at hand, RENDER_SCHEMA=render.yaml.json checks against that, too.
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
            assert requests.get(f"{url}{service['healthCheckPath']}", timeout=5).json() == {"status": "ready"}
            assert named_lock(url) == hash_file(clone / "dvc.lock")[:12]
            assert not memory.over
