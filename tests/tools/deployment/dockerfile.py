"""Executes a Dockerfile's steps in an empty virtual environment and folder, where no Docker engine runs.

What that leaves out: the base image's own Python and Debian (this machine's stand in), apt-get, and a chroot: the
image's absolute paths lie below a folder, so its RUN lines may only name relative ones.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template

import pytest

BASE_IMAGE = r"python:3\.11\.\d+-slim-\w+"
OFFLINE = ("Could not find a version", "NewConnectionError")
FROM_HERE = ("PIP_", "HTTP", "NO_PROXY", "SSL_", "REQUESTS_", "HOME")  # where this machine takes packages from


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
        ["sh", "-c", command], cwd=image.path("."), env=surrounding, capture_output=True, text=True, timeout=900
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
