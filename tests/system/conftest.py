import json
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from pipeline.service import LATER, SERVED, build
from tests.conftest import ROOT
from tests.tools.deployment.container import started
from tests.tools.deployment.dockerfile import Image, build_image


@pytest.fixture(scope="session")
def image(tmp_path_factory, worker_id) -> Image:
    """The Dockerfile's image, which is the one empty environment that packages are installed into: built once."""
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("DOCKERFILE SKIPPED: only Linux tells how much memory a process shares")
    folder = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    known = folder / "image.json"
    with FileLock(folder / "image.lock"):
        if not known.exists():
            built = build_image(ROOT, folder / "image", GIT_COMMIT="0123abc")
            known.write_text(json.dumps(asdict(built), default=str))
    fields = json.loads(known.read_text())
    return Image(**fields | {"root": Path(fields["root"])})


@pytest.fixture(scope="session")
def compose() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def container(image, compose):
    with started(image, **compose["services"]["service"]["environment"]) as container:
        yield container


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The files that the pipeline's last stage assembles."""
    folder = tmp_path_factory.mktemp("built") / "service"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        build(folder, (*SERVED, *LATER))
    return folder
