"""Diagnosis and protocols on the real recordings, in a fresh clone and shortened."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import environment
from tests.tools.chain import reproduce

pytestmark = pytest.mark.timeout(1500)  # s: a chain takes minutes beside other programs


@pytest.fixture(scope="module")
def short(copy_repository, mirror, tmp_path_factory) -> Path:
    """A clone in which the protocols ran with few machines, one seed, one epoch and one channel, the diagnosis too.

    Of the other rigs, HIT-MFS and MFPT have a part: IMS has hundreds of recordings.
    """
    repository, rigs = copy_repository(), tmp_path_factory.mktemp("rigs")
    if all_rigs := os.environ.get("RIGS_MIRROR"):
        (rigs / "hit_mfs").symlink_to(Path(all_rigs).resolve() / "hit_mfs")
    params = yaml.safe_load((repository / "params.yaml").read_text())
    params["simulate"] |= {"machines": 1_500}
    params["diagnosis"] |= {"networks": 1}
    params["diagnosis"]["training"] |= {"steps": 400}
    params["protocols"] |= {"seeds": [0]}
    params["window_trials"] |= {"epochs": 1, "batch_size": 128, "network": params["train"]["network"] | {"channels": 1}}
    params["transfer_trials"] |= {"steps": 5}
    params["rig_trials"] |= {"most_healthy": 4, "baseline": 6, "rate_errors": [0.05]}
    params["machine_trials"] |= {"speeds": [800, 3_000], "machines": {"Normal": 2, "InnerRace": 2, "OuterRace": 2}}
    (repository / "params.yaml").write_text(yaml.safe_dump(params))
    reproduce(repository, "diagnosis", "protocols", CWRU_MIRROR=str(mirror), RIGS_MIRROR=str(rigs))
    return repository


def test_the_protocols_run_short_on_the_real_recordings(short):
    table = json.loads((short / "assets" / "protocols.json").read_text())
    recording = {protocol: networks["recording"]["mean"] for protocol, networks in table.items()
                 if isinstance(networks, dict) and "recording" in networks}  # fmt: skip
    assert recording["block"]["macro_f1"] > 0.98
    assert recording["bearing"]["macro_f1"] > 0.85
    assert recording["combinations"]["macro_auroc"] > 0.95
    assert table["bearing"]["reference"]["mean"]["macro_f1"] < 0.8
    assert table["block"]["shuffled_labels"]["mean"]["balanced_accuracy"] == pytest.approx(0.25, abs=0.1)


def test_a_second_run_of_the_protocols_does_nothing(short):
    assert not re.findall("Running stage '(.*)'", reproduce(short, "protocols"))


def test_a_trial_runs_again_where_something_it_rests_on_has_changed_and_only_there(short):
    """What `dvc status` says is what `dvc repro` would run."""
    text = {name: (short / name).read_text() for name in ("params.yaml", "pipeline/trials/windows.py")}
    windows = {f"window_trials@{name}" for name in ("reference", "wide_kernel", "shuffled_labels")}
    for name, old, new, changed in (
        ("params.yaml", "epochs: 1\n", "epochs: 2\n", windows),
        ("params.yaml", "regularisation: 0.2", "regularisation: 0.3",
         {"diagnosis", "recording_trials@recording", "recording_trials@simulation_only"}),
        ("params.yaml", "speed_jitter: 0.03", "speed_jitter: 0.04", {"transfer_trials"}),
        ("pipeline/trials/windows.py", "VALIDATION = 0.1", "VALIDATION = 0.2", windows | {"transfer_trials"}),
    ):  # fmt: skip
        assert old in text[name]
        (short / name).write_text(text[name].replace(old, new))
        status = subprocess.run(
            ["dvc", "status", "--json"], cwd=short, env=environment(), capture_output=True, text=True, check=True
        )
        (short / name).write_text(text[name])
        assert changed <= set(json.loads(status.stdout))
        assert {stage for stage in json.loads(status.stdout) if "trials" in stage} <= changed


def test_the_shipped_diagnosis_can_be_trained_again_to_the_same_bytes(short):
    before = (short / "assets" / "diagnosis.json").read_bytes()
    command = ["python", "-m", "pipeline.diagnosis"]
    subprocess.run(command, cwd=short, env=environment(), check=True, capture_output=True)
    assert (short / "assets" / "diagnosis.json").read_bytes() == before
