import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from api.window.backends import read_facts
from api.window.drift import MEMORY, SAMPLED, Drift
from model.window.drift import log_roughness
from tests.conftest import ROOT


def make_drift(reference: dict[str, float] | None) -> Drift:
    drift = Drift(CollectorRegistry())
    drift.reference = reference
    return drift


@pytest.fixture
def drift() -> Drift:
    return make_drift({"mean": 0.0, "deviation": 1.0})


def watch(drift: Drift, records: np.ndarray) -> float:
    """Let the drift look at records now, whenever it looked last, and return the gauge."""
    drift.next_look = 0
    drift.watch(records)
    return drift.gauge.collect()[0].samples[0].value


def test_the_drift_of_few_records_is_their_mean(drift, noise):
    records = noise.standard_normal((11, 2_048)).cumsum(axis=1)
    roughness = log_roughness(records)
    assert watch(drift, records[:1]) == pytest.approx(abs(roughness[0]))
    assert watch(drift, records[1:4]) == pytest.approx(abs(roughness[:4].mean()))
    assert watch(drift, records[4:]) == pytest.approx(abs(roughness.mean()))


def test_records_before_the_memory_lose_their_weight(drift, noise):
    rough = noise.standard_normal((SAMPLED, 2_048))
    smooth = rough.cumsum(axis=1)
    for _ in range(2 * MEMORY // SAMPLED):
        before = watch(drift, rough)
    for _ in range(MEMORY // SAMPLED):
        after = watch(drift, smooth)
    alone = abs(log_roughness(smooth).mean())
    assert abs(after - alone) == pytest.approx(abs(before - alone) * np.exp(-1), rel=0.3)


def test_it_looks_again_only_after_the_interval(drift, noise):
    before = watch(drift, noise.standard_normal((4, 2_048)))
    drift.watch(noise.standard_normal((4, 2_048)).cumsum(axis=1))
    assert drift.gauge.collect()[0].samples[0].value == before


def test_a_graph_without_a_reference_has_no_drift(noise):
    assert watch(make_drift(None), noise.standard_normal((4, 2_048))) == 0


def test_the_drift_is_small_for_records_of_the_training_kind_and_large_for_others(mirror):
    from pipeline.training.framing import frame, resample
    from pipeline.training.signals import read_signal

    signal = read_signal(mirror / "130.mat", "X130_DE_time")
    known = frame(resample(signal, 12_000, 12_000, "130"), 2_048, 2_048)[:8]
    slow = np.repeat(known[:, :256], 8, axis=1) + 0.001 * known
    reference = read_facts(ROOT / "assets")["roughness"]
    assert watch(make_drift(reference), slow) > 3 * watch(make_drift(reference), known)


def test_the_service_shows_the_drift_of_its_records(client, noise):
    smooth = noise.standard_normal((4, 2_048)).cumsum(axis=1)
    client.app.state.inference.drift.next_look = 0
    client.post("/batch_predict/", json=[{"record": record} for record in smooth.tolist()]).raise_for_status()
    [line] = [line for line in client.get("/metrics").text.splitlines() if line.startswith("input_drift ")]
    assert float(line.rpartition(" ")[2]) > 0
