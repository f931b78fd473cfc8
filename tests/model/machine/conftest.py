import pytest
import yaml

from model.machine.thresholds import read_thresholds
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def limits():
    return read_thresholds(yaml.safe_load((ROOT / "params.yaml").read_text())["machine"])
