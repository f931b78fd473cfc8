"""The house rules of the repository: who imports whom, what a stage depends on, what is never committed."""

import ast
import re
import subprocess
import sys

import pytest
import yaml

from tests.conftest import ROOT

CHAIN = ("download", "windows", "scale", "split", "train", "export", "evaluate", "service")
STAGES = (*CHAIN, "simulate", "lines", "diagnosis", "examples", "protocols")
SHARED = {
    "pipeline.params", "pipeline.catalogue", "pipeline.recordings", "pipeline.figures", "pipeline.trials.folds",
    "pipeline.trials.scores", "pipeline.simulator", "pipeline.trials.experiments", "pipeline.training.recording",
    "pipeline.training.wide_kernel",
}  # fmt: skip
NUMPY_ONLY = {
    "model.bearings", "model.recording.lines", "model.recording.checks", "model.recording.diagnosis",
    "model.recording.evidence", "model.recording.recording",
    "model.recording.shaft_check", "model.window.drift", "model.recording.baseline", "model.recording.classes",
    "model.recording.decision", "model.recording.experts", "model.recording.familiarity", "model.recording.windows",
}  # fmt: skip
# the only ones in api that may import scipy
IN_THE_CHILD = {"api.recording.worker", "api.files.formats", "api.files.mat"}


def project_imports(path) -> set[str]:
    """Return the project's modules that a file imports, as dotted names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inside if file_of(name).is_file()}
            found |= modules or {node.module}
    return {name for name in found if name.split(".")[0] in ("pipeline", "model", "api", "tests")}


def file_of(module: str):
    return ROOT / f"{module.replace('.', '/')}.py"


def reach(module: str) -> set[str]:
    """Return every project module that importing this one brings in."""
    todo, seen = [module], set()
    while todo:
        name = todo.pop()
        if name not in seen and file_of(name).is_file():
            seen.add(name)
            todo += project_imports(file_of(name))
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_what_is_shared_and_never_another_stage(stage):
    imports = {name for name in project_imports(ROOT / "pipeline" / f"{stage}.py") if name.startswith("pipeline")}
    assert imports <= SHARED
    others = {name for name in project_imports(ROOT / "pipeline" / f"{stage}.py") if name.startswith("api")}
    assert not others or stage in ("evaluate", "service")


def test_the_model_imports_neither_the_pipeline_nor_the_service():
    for path in (ROOT / "model").rglob("*.py"):
        assert not {name for name in project_imports(path) if not name.startswith("model")}


def test_the_service_imports_only_itself():
    for path in (ROOT / "api").rglob("*.py"):
        foreign = {name for name in project_imports(path) if not name.startswith("api")}
        # The PyTorch backend needs the network; test_service sees that it is imported only when asked for.
        torch = {"model.window.front_end", "model.window.wide_kernel"} if path.name == "backends.py" else set()
        assert foreign <= torch | NUMPY_ONLY


@pytest.mark.parametrize("module", sorted(NUMPY_ONLY))
def test_what_the_service_may_import_of_the_model_needs_numpy_alone(module):
    for name in reach(module):
        tree = ast.walk(ast.parse(file_of(name).read_text()))
        imports = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
        tree = ast.walk(ast.parse(file_of(name).read_text()))
        imports |= {node.module for node in tree if isinstance(node, ast.ImportFrom)}
        roots = {imported.split(".")[0] for imported in imports}
        assert roots - set(sys.stdlib_module_names) <= {"numpy", "model"}, name


def test_nothing_waits_for_the_protocols_and_the_service_not_for_the_recording_diagnosis():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    dependencies = {name: set(stage.get("do", stage)["deps"]) for name, stage in stages.items()}
    for artefact in ("assets/protocols.json", "assets/open_set.json", "data/folds"):
        assert all(artefact not in deps for deps in dependencies.values())
    for stage in CHAIN:
        assert not dependencies[stage] & {"assets/diagnosis.json", "data/simulated.npz", "data/lines"}


def test_only_the_child_reads_files_with_scipy():
    served = reach("api.api")
    assert not served & IN_THE_CHILD
    for path in (ROOT / "api").rglob("*.py"):
        if f"api.{path.stem}" not in IN_THE_CHILD:
            assert "scipy" not in path.read_text(), path.name


@pytest.mark.parametrize("client", ["test", "performance", "diagnose"])
def test_the_clients_know_the_service_only_over_http(client):
    assert project_imports(ROOT / "api" / f"{client}.py") == set()


@pytest.mark.parametrize("stage", STAGES)
def test_every_import_of_a_stage_is_a_dependency(stage):
    description = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"][stage]
    dependencies = set(description.get("do", description)["deps"])
    modules = reach(f"pipeline.{stage}")
    assert "model.bearings" not in modules or "data/bearings.csv" in dependencies  # which that module reads
    for module in modules:
        path = file_of(module).relative_to(ROOT).as_posix()
        assert any(path == each or path.startswith(f"{each}/") for each in dependencies), (
            f"{stage} does not depend on {path}"
        )


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_run_by_its_own_name_with_python(stage):
    description = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"][stage]
    assert description.get("do", description)["cmd"].startswith(f"python -m pipeline.{stage}")
    section = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert stage in section or stage == "evaluate"


def tracked() -> list[str]:
    answer = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()


def test_no_recording_and_no_window_is_committed():
    found = [name for name in tracked() if re.search(r"\.(mat|npy|npz|wav|parquet|gz)$", name)]
    assert all(name.startswith("assets/examples/") for name in found)  # these are simulated
    tables = {"data/.gitignore", "data/bearings.csv", "data/catalogue.csv"}
    assert {name for name in tracked() if name.startswith("data/")} == tables
    assert max((ROOT / name).stat().st_size for name in tracked() if (ROOT / name).is_file()) < 1_000_000


def test_the_archive_is_no_stage_and_imports_none():
    imports = project_imports(ROOT / "pipeline" / "archive.py")
    assert {name for name in imports if name.startswith("pipeline")} <= SHARED | {"api.scale_out.archive"}
    modules = {path.stem: project_imports(path) for path in (ROOT / "pipeline").glob("*.py")}
    importers = {name for name, found in modules.items() if any(each.split(".")[0] == "api" for each in found)}
    assert importers <= {"evaluate", "service", "archive"}


def test_every_requirement_is_pinned():
    for path in (ROOT / name for name in ("requirements.txt", "api/requirements.txt", "api/requirements-scale.txt")):
        lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "-r", "./"))]
        assert all(re.fullmatch(r"[A-Za-z0-9_\-\[\],]+==[0-9.]+", line) for line in lines)
