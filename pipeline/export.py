"""Stage export: write each trained diagnosis as state_dict, decoder.json and one ONNX graph, and check the graph."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from model.bearings import BEARINGS, DEFAULT_BEARING
from model.window.drift import log_roughness
from model.window.front_end import FrontEnd
from model.window.wide_kernel import FoldedWideKernelCNN, WideKernelCNN
from pipeline import params
from pipeline.architecture import draw_architecture
from pipeline.catalogue import MANIFEST, read_metadata
from pipeline.params import RECORDINGS, SPLIT, TRAINED, WINDOWS
from pipeline.simulator import Fault, Resonance, simulate

BATCH = 512
EXAMPLE_RPM, EXAMPLE_RATE = 1_750, 12_000  # turns a minute, Hz


def main() -> None:
    for setting, assets in params.load("settings").items():
        export(setting, Path(assets))


def export(setting: str, assets: Path) -> None:
    section, scale, network = params.load("export"), params.load("scale", setting), params.load("train")["network"]
    contract = params.load("windows", setting) | scale
    windows = np.load(WINDOWS / setting / "windows.npy")
    classes = list(json.loads((TRAINED / setting / "decoder.json").read_text()).values())
    front_end = FrontEnd(sampling_rate=contract["sampling_rate"], **scale)
    trained = load_trained(setting, windows.shape[-1], len(classes), network)
    diagnosis = nn.Sequential(front_end, trained, nn.Softmax(dim=-1)).eval()
    folded = nn.Sequential(front_end, FoldedWideKernelCNN(trained, section["stride"]), nn.Softmax(dim=-1)).eval()

    graph = to_onnx(folded, windows.shape[-1])
    parts = pd.read_csv(SPLIT / f"{setting}.csv").part
    facts = {
        **{name: contract[name] for name in ("window_length", "least_variation", "sampling_rate")},
        "roughness": describe_roughness(windows[parts != "holdout"]),
        **scale,
        "classes": classes,
        "network": network,
        "trained_on": describe_training(setting, params.load("split")["protocol"], parts),
    }
    # What a service has to know and say: the contract of its input and what it learned from.
    onnx.helper.set_model_props(graph, {name: json.dumps(fact) for name, fact in facts.items()})
    check_probabilities(diagnosis, graph, windows, section["tolerance"])
    write_model(setting, assets, graph)
    examples = simulated_records(windows.shape[-1])
    write_example(examples, assets / "example.json")
    draw_architecture(diagnosis, examples[1], classes, contract["sampling_rate"], assets / "architecture.png")


def load_trained(setting: str, window_length: int, classes: int, sizes: dict[str, int]) -> WideKernelCNN:
    network = WideKernelCNN(window_length, classes, **sizes)
    network.load_state_dict(torch.load(TRAINED / setting / "state_dict.pt", weights_only=True))
    return network


def write_model(setting: str, folder: Path, graph: onnx.ModelProto) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, folder / "model.onnx")
    for name in ("state_dict.pt", "decoder.json"):
        shutil.copyfile(TRAINED / setting / name, folder / name)


def to_onnx(diagnosis: nn.Module, window_length: int) -> onnx.ModelProto:
    """Return the graph: windows (batch, window_length) float32 in, probabilities (batch, classes) out."""
    program = torch.onnx.export(
        diagnosis,
        (torch.randn(2, window_length),),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
        input_names=["windows"],
        output_names=["probabilities"],
        verbose=False,
    )
    graph = program.model_proto
    strip(graph)
    onnx.checker.check_model(graph, full_check=True)
    return graph


def strip(model: onnx.ModelProto) -> None:
    """Remove what the exporter notes about its sources: paths would make the file differ from clone to clone."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")


def describe_roughness(windows: np.ndarray) -> dict[str, float]:
    """Return mean and standard deviation of the training windows' log roughness: the service tells drift by them."""
    roughness = log_roughness(windows)
    return {"mean": round(float(roughness.mean()), 4), "deviation": round(float(roughness.std()), 4)}


def describe_training(setting: str, protocol: str, parts: pd.Series) -> dict:
    """Return what the network learned from; parts has one row a window."""
    labels = read_metadata(WINDOWS / setting / "metadata.csv").label
    manifest = json.loads((RECORDINGS / MANIFEST).read_text())
    return {
        "setting": setting,
        "protocol": protocol,
        "recordings": len(manifest),
        "manifest_sha256": hashlib.sha256((RECORDINGS / MANIFEST).read_bytes()).hexdigest(),
        "excerpts": [recording for recording, entry in manifest.items() if entry["variant"] == "excerpt"],
        "windows": parts.value_counts().sort_index().to_dict(),
        "windows_of_class": labels[parts != "holdout"].value_counts().sort_index().to_dict(),
    }


def check_probabilities(diagnosis: nn.Module, graph: onnx.ModelProto, windows: np.ndarray, tolerance: float) -> None:
    """Raise RuntimeError where torch and ONNX Runtime differ by more than the tolerance on any window."""
    difference = largest_difference(diagnosis, graph, windows)
    print(f"ONNX and torch differ by at most {difference:.1e} on {len(windows)} windows")
    if not difference <= tolerance:  # also where it is NaN
        raise RuntimeError(f"ONNX and torch probabilities differ by {difference:.1e}")


def largest_difference(diagnosis: nn.Module, graph: onnx.ModelProto, windows: np.ndarray) -> float:
    """Return the largest difference of a probability between torch and ONNX Runtime over all windows."""
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    differences = []
    with torch.inference_mode():
        for batch in tqdm(np.array_split(windows, -(-len(windows) // BATCH)), desc="check", unit="batch", disable=None):
            expected = diagnosis(torch.from_numpy(batch)).numpy()
            differences.append(np.abs(session.run(None, {"windows": batch})[0] - expected).max())
    return float(np.max(differences))


def simulated_records(window_length: int) -> np.ndarray:
    """Return four simulated records (4, window_length): healthy, outer race fault, inner race fault, ball fault.

    They show the request's form and pin golden answers. A network that was trained on single windows of other bearings
    need not name them right.
    """
    faults = [Fault(label, resonances=(Resonance(3_000, 0.05),)) for label in ("OuterRace", "InnerRace", "Ball")]
    machine = (BEARINGS[DEFAULT_BEARING], EXAMPLE_RPM, EXAMPLE_RATE, window_length / EXAMPLE_RATE)
    records = [simulate(*machine, seed=0, faults=damage) for damage in ((), *((fault,) for fault in faults))]
    return np.stack(records).round(4).astype(np.float32)


def write_example(records: np.ndarray, path: Path) -> None:
    request = [{"record": [round(float(value), 4) for value in record]} for record in records]
    path.write_text(json.dumps(request) + "\n")


if __name__ == "__main__":
    params.run_stage(main)
