"""Stage diagnosis: train the recording diagnosis that is served, on all recordings."""

import numpy as np
import torch
from tqdm import trange

from model.recording.lines import Features
from model.recording.thresholds import Thresholds
from model.thresholds import read_thresholds
from pipeline import params
from pipeline.catalogue import read_metadata
from pipeline.params import ASSETS, LINES, SIMULATED
from pipeline.training.recording import fit_recording_diagnosis, train_line_network


def main() -> None:
    section, thresholds = params.load("diagnosis"), read_thresholds(Thresholds, params.load("thresholds"))
    torch.use_deterministic_algorithms(True)
    simulated = np.load(SIMULATED)
    features = Features(*(simulated[name] for name in Features._fields))
    seeds = trange(section["seed"], section["seed"] + section["networks"], desc="train", unit="network", disable=None)
    training = section["training"] | {"quiet_line": thresholds.baseline.quiet_line}
    networks = [train_line_network(features, simulated["label"], seed, **training) for seed in seeds]
    diagnosis = fit_recording_diagnosis(
        networks,
        read_features("clean"),
        read_features("augmented"),
        read_metadata(LINES / "metadata.csv"),
        section["regularisation"],
        section["spectra"],
        thresholds,
    )
    diagnosis.save(ASSETS / "diagnosis.json")
    print(f"temperature {diagnosis.temperature:.2f}, familiar spectra within {diagnosis.spectra.familiar:.2f}")


def read_features(name: str) -> Features:
    copy = np.load(LINES / f"{name}.npz")
    return Features(*(copy[field] for field in Features._fields))


if __name__ == "__main__":
    params.run_stage(main)
