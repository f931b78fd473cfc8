"""Stage diagnosis: fit the recording diagnosis that is served, on all recordings."""

from model.recording.thresholds import Thresholds
from model.thresholds import read_thresholds
from pipeline import params
from pipeline.params import ASSETS
from pipeline.training.lines import lines_metadata, load_lines, load_networks
from pipeline.training.recording import fit_recording_diagnosis


def main() -> None:
    section = params.load("diagnosis")
    diagnosis = fit_recording_diagnosis(
        load_networks(section["seed"]),
        load_lines("clean"),
        load_lines("augmented"),
        lines_metadata(),
        section["regularisation"],
        section["spectra"],
        read_thresholds(Thresholds, params.load("thresholds")),
    )
    diagnosis.save(ASSETS / "diagnosis.json")
    print(f"temperature {diagnosis.temperature:.2f}, familiar spectra within {diagnosis.spectra.familiar:.2f}")


if __name__ == "__main__":
    params.run_stage(main)
