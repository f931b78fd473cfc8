"""How far a recording is from anything that was seen in training."""

from dataclasses import dataclass

import numpy as np

from model.recording.experts import spectral_features
from model.recording.lines import Features

FADE = 0.2  # the spectrum's word fades out over this last share of the familiar distance
KNOWN, KNOWN_FADE = 0.5, 0.2  # familiar distances within which a spectrum is one of a bearing that trained
DISTANCES = 128  # windows compared with all spectra at once
SPECTRUM_NOVELTY = 1.5  # what a familiar distance counts beside a unit of a comb's height


@dataclass
class Spectra:
    """What was seen in training.

    centres: spectra (centres, features); stretch: what the distance from each is multiplied by; spread of each
    feature; familiar: how far from all others' the spectrum of a bearing may lie; novelties: quantiles, equally spaced
    from 0 to 1, of the novelty of bearings left out.
    """

    centres: np.ndarray
    stretch: np.ndarray
    spread: np.ndarray
    familiar: float
    novelties: np.ndarray


def relative_distance(spectra: Spectra, features: Features) -> np.ndarray:
    """Return how far each window's spectrum lies from the nearest of training's, in familiar distances, (windows,)."""
    return spectral_distance(spectra.centres, spectra.stretch, spectra.spread, features) / spectra.familiar


def spectral_familiarity(relative: np.ndarray) -> np.ndarray:
    """Return 1 where a spectrum is nearer to one of training's than most bearings to each other, 0 where it is not."""
    return np.clip((1 - relative) / FADE, 0, 1)


def spectral_share(relative: np.ndarray) -> np.ndarray:
    """Return the spectrum's share of the say on the type: half where it is familiar, more for a bearing known from
    training, none where it is not familiar."""
    known = np.clip((KNOWN - relative) / KNOWN_FADE, 0, 1)
    return 0.5 * spectral_familiarity(relative) + 0.4 * known


def spectral_distance(centres: np.ndarray, stretch: np.ndarray, spread: np.ndarray, features: Features) -> np.ndarray:
    """Return the root mean square of standardised differences from the nearest centre, stretched, (windows,)."""
    seen = spectral_features(features)
    parts = np.array_split(seen, max(len(seen) // DISTANCES, 1))
    apart = [np.sqrt(np.square((part[:, None] - centres) / spread).mean(axis=2)) for part in parts]
    return (np.concatenate(apart) * stretch).min(axis=1)


def novelty(relative: np.ndarray, combs: np.ndarray) -> np.ndarray:
    """Return how unlike training windows are: far spectra, and lines that no fault explains, (windows,)."""
    return SPECTRUM_NOVELTY * relative + combs[:, 3] - combs[:, :3].max(axis=1)
