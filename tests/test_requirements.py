"""Every direct requirement is pinned by hand, and the locks hold all that these bring, with hashes."""

import re
from importlib.metadata import requires

import pytest

from tests.conftest import ROOT

INPUTS = (
    "requirements.in", "api/requirements.in", "api/requirements-scale.in", "api/requirements-mqtt.in",
    "api/requirements-files.in", "requirements-torch.txt",
)  # fmt: skip
LOCKS = (
    "requirements.lock", "api/requirements.txt", "api/requirements-scale.txt", "api/requirements-mqtt.txt",
    "api/requirements-files.txt",
)  # fmt: skip
PIN = re.compile(r"([A-Za-z0-9_-]+)(?:\[[a-z0-9,-]+\])?==([0-9][0-9a-z.]*)(?: ; .+)?")
LOCKED = re.compile(r"([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==(\S+)(?: ; [^\\]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)")


def pins(name: str) -> dict[str, str]:
    """Return {package: version} of a file written by hand. Each line is a pin or includes another file."""
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    assert lines
    found = [PIN.fullmatch(line) for line in lines]
    assert all(found), f"{name}: not pinned: {[line for line, pin in zip(lines, found, strict=True) if not pin]}"
    return {pin[1].lower().replace("_", "-"): pin[2] for pin in found}


def locked(name: str) -> dict[str, set[str]]:
    """Return {package: versions} of a lock; there are several versions where Python's own decides."""
    text = (ROOT / name).read_text()
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    found = LOCKED.findall(text)
    assert len(found) == len(entries) > 0, f"{name}: an entry has no hash"
    versions = {}
    for package, version, _ in found:
        versions.setdefault(package, set()).add(version)
    return versions


@pytest.mark.parametrize("name", [name for name in INPUTS if name.endswith(".in")])
def test_what_is_pinned_by_hand_is_in_the_lock_beside_it(name):
    lock = locked(LOCKS[0] if name == INPUTS[0] else name.replace(".in", ".txt"))
    assert [package for package, version in pins(name).items() if version not in lock.get(package, ())] == []


@pytest.mark.parametrize("name", LOCKS[1:])
def test_the_lock_of_everything_holds_the_same_versions_as_the_smaller_ones(name):
    everything, smaller = locked(LOCKS[0]), locked(name)
    assert {package: versions for package, versions in smaller.items() if everything.get(package) != versions} == {}


def test_torch_is_installed_by_itself_and_brings_nothing_that_is_not_locked():
    """Its build for a GPU brings CUDA besides, whose packages are no part of the build that is installed here."""
    everything = locked(LOCKS[0])
    assert "torch" not in everything
    assert set(pins("requirements-torch.txt")) == {"torch"}
    needed = {
        re.match(r"[\w.-]+", each)[0].lower().replace("_", "-") for each in requires("torch") if "extra ==" not in each
    }
    assert {name for name in needed - set(everything) if not name.startswith(("nvidia-", "cuda-", "triton"))} == set()


def test_one_command_installs_everything():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == ["-r requirements.in", "-r requirements-torch.txt", "./api/native"]


def test_no_requirement_names_the_host_that_packages_come_from():
    for name in (*INPUTS, *LOCKS):
        text = (ROOT / name).read_text()
        assert not re.search(r"://|index-url|find-links|trusted-host", text), name
