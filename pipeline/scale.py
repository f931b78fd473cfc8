"""Stage scale: band-limit and z-score every window of each setting, with the front end that the served graph holds."""

import numpy as np
import torch

from model.window.front_end import FrontEnd
from pipeline import params
from pipeline.params import SCALED, WINDOWS

BATCH = 512


def main() -> None:
    SCALED.mkdir(parents=True, exist_ok=True)
    for setting in params.load("settings"):
        windows = np.load(WINDOWS / setting / "windows.npy")
        sampling_rate = params.load("windows", setting)["sampling_rate"]
        scaled = scale(windows, sampling_rate=sampling_rate, **params.load("scale", setting))
        np.save(SCALED / f"{setting}.npy", scaled)
        print(f"{setting}: {len(scaled)} windows scaled")


@torch.inference_mode()
def scale(windows: np.ndarray, sampling_rate: float | None, band_limit: float | None, taps: int) -> np.ndarray:
    """Return windows (windows, window_length) band-limited and z-scored, float32; rates in Hz."""
    front_end = FrontEnd(band_limit, sampling_rate, taps)
    batches = torch.from_numpy(windows).split(BATCH)
    return torch.cat([front_end(batch) for batch in batches]).numpy()


if __name__ == "__main__":
    params.run_stage(main)
