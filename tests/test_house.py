"""The house rules that import-linter (pyproject.toml) cannot state: stages' dependencies, sizes, what is committed."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, environment

DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
STAGES = {name: stage.get("do", stage) for name, stage in DVC.items()}
CHAIN = ("download", "windows", "scale", "split", "train", "export", "evaluate", "service")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
# the only ones in api that may import scipy: they run in the child process
IN_THE_CHILD = {"api/recording/worker.py", "api/files/mat.py", "api/files/wav.py"}
MOST_LINES, MOST_MODULES = 300, 14


def tracked(*patterns: str) -> list[str]:
    """Return the files that git knows, those below the patterns alone where some are given; there are always some."""
    answer = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    found = [name for name in answer.stdout.splitlines() if (ROOT / name).is_file()]
    assert found, f"git knows no file like {patterns}"
    return found


@cache  # stages share modules
def imports_of(path: Path) -> set[str]:
    """Return what a file imports anywhere in it, as dotted names: modules, not the names inside of them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in inside if file_of(name).is_file()} or {node.module}
    return found


def file_of(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"


def reach(module: str) -> set[str]:
    """Return every project module that importing this one brings in."""
    todo, seen = [module], set()
    while todo:
        name = todo.pop()
        if name not in seen and file_of(name).is_file():
            seen.add(name)
            todo += imports_of(file_of(name))
    return seen


# --- Stages


def test_every_stage_and_what_stages_share_is_under_the_import_contracts():
    (independent,) = (contract["modules"] for contract in CONTRACTS if contract["type"] == "independence")
    assert set(independent) == {f"pipeline.{stage}" for stage in STAGES}
    (shared,) = (contract["source_modules"] for contract in CONTRACTS if "What stages share" in contract["name"])
    rooms = {f"pipeline.{Path(name).parts[1].removesuffix('.py')}" for name in tracked("pipeline/*.py")}
    assert set(shared) == rooms - set(independent) - {"pipeline.__init__"}


@pytest.mark.parametrize("stage", STAGES)
def test_every_import_of_a_stage_is_a_dependency(stage):
    """DVC does not follow imports, nor does it see that model.bearings reads a table."""
    dependencies = set(STAGES[stage]["deps"])
    modules = reach(f"pipeline.{stage}")
    assert f"pipeline.{stage}" in modules
    needed = {file_of(module).relative_to(ROOT).as_posix() for module in modules}
    if "model.bearings" in modules:
        needed.add("data/bearings.csv")
    missing = {path for path in needed if not {path, *map(str, Path(path).parents)} & dependencies}
    assert missing == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_run_by_its_own_name_with_its_own_section(stage):
    assert STAGES[stage]["cmd"].startswith(f"python -m pipeline.{stage}")
    without = ("evaluate", "recording_trials", "open_set")  # use what other stages say
    assert stage in yaml.safe_load((ROOT / "params.yaml").read_text()) or stage in without


@pytest.mark.parametrize("stage", STAGES)
def test_every_section_that_a_stage_loads_is_among_its_params(stage):
    loaded = re.findall(r"params\.load\(\"(\w+)\"", file_of(f"pipeline.{stage}").read_text())
    assert set(loaded) == {name.split(".")[0] for name in STAGES[stage].get("params", [])}


def test_only_programs_load_params():
    texts = {name: (ROOT / name).read_text() for name in tracked("pipeline/*.py")}
    assert {f"pipeline/{stage}.py" for stage in STAGES} <= {name for name in texts if is_program(texts[name])}
    assert [name for name, text in texts.items() if "params.load(" in text and not is_program(text)] == []


def is_program(text: str) -> bool:
    return 'if __name__ == "__main__":' in text


def test_nothing_waits_for_the_protocols_and_the_service_not_for_the_recording_diagnosis():
    dependencies = {name: set(stage["deps"]) for name, stage in STAGES.items()}
    assert [name for name, deps in dependencies.items() if "assets/protocols.json" in deps] == []
    later = ("assets/diagnosis.json", "assets/open_set.json", "data/simulated", "data/lines", "data/rig", "data/trials")
    for stage in CHAIN:
        assert [each for each in dependencies[stage] if each.startswith(later)] == []


# --- Imports that a list of forbidden modules cannot express


def test_what_the_service_imports_of_the_model_needs_numpy_alone():
    for name in tracked("model/bearings.py", "model/recording/*.py"):
        roots = {imported.split(".")[0] for imported in imports_of(ROOT / name)}
        assert roots - set(sys.stdlib_module_names) <= {"numpy", "model"}, name


def test_only_the_child_reads_files_with_scipy():
    names = {
        name for name in tracked("api/*.py") if "scipy" in {each.split(".")[0] for each in imports_of(ROOT / name)}
    }
    assert names
    assert names <= IN_THE_CHILD


def test_importing_the_service_brings_in_nothing_that_only_others_need():
    others = ("torch", "scipy", "dvc", "pandas", "sklearn", "matplotlib", "pipeline", "api.recording.worker")
    script = f"import sys, api.api; print([name for name in {others} if name in sys.modules])"
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


# --- Sizes


def test_no_file_of_code_is_longer_than_300_lines():
    written = [
        name for name in tracked("*.py", "*.js", "*.css", "*.cpp") if ".min." not in name and ".iife." not in name
    ]
    lines = {name: len((ROOT / name).read_text().splitlines()) for name in written}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_folder_holds_more_than_14_modules_beside_the_stages():
    stages = {f"pipeline/{stage}.py" for stage in STAGES} | {f"tests/pipeline/test_{stage}.py" for stage in STAGES}
    modules = [Path(name) for name in tracked("*.py") if name not in stages and not name.endswith("__init__.py")]
    counts = {folder: sum(path.parent == folder for path in modules) for folder in {path.parent for path in modules}}
    assert {str(folder): count for folder, count in counts.items() if count > MOST_MODULES} == {}


# --- What is committed


def test_no_recording_and_no_window_is_committed():
    data = [name for name in tracked() if name.endswith((".mat", ".npy", ".npz", ".wav", ".parquet", ".gz"))]
    assert [name for name in data if not name.startswith(("assets/examples/", "tests/tools/corpus/"))] == []
    known = {"data/.gitignore", "data/bearings.csv", "data/catalogue.csv"}
    assert {name for name in tracked("data") if not re.fullmatch(r"data/rigs/\w+\.csv", name)} == known
    sizes = {name: (ROOT / name).stat().st_size for name in tracked()}
    assert {name: size for name, size in sizes.items() if size > 1_000_000} == {}
    assert sum(size for name, size in sizes.items() if name.startswith("tests/tools/corpus/")) < 200_000
