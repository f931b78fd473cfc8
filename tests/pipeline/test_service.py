import yaml

from pipeline.service import LATER, SERVED, build
from tests.conftest import ROOT


def test_what_the_stage_builds_comes_from_its_dependencies_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    build(tmp_path / "service", SERVED)
    stage = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["service"]
    built = {path.relative_to(tmp_path / "service") for path in (tmp_path / "service" / "assets").iterdir()}
    assert {str(path) for path in built} <= set(stage["deps"])
    assert not set(LATER) & {path.name for path in built}


def test_what_the_stage_does_not_wait_for_can_be_laid_beside(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    build(tmp_path / "service", (*SERVED, *LATER))
    assert {path.name for path in (tmp_path / "service" / "assets").iterdir()} == {*SERVED, *LATER}
