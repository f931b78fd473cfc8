import pytest
import yaml

from model.machine.thresholds import Thresholds
from model.thresholds import read_thresholds
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def limits():
    return read_thresholds(Thresholds, yaml.safe_load((ROOT / "params.yaml").read_text())["machine"])
