"""How far a recording is from anything that was seen in training."""

from dataclasses import dataclass

import numpy as np

from model.recording.experts import spectral_features
from model.recording.lines import Features
from model.recording.thresholds import Familiarity

DISTANCES = 32  # windows compared with all spectra at once, few enough for a processor's cache


@dataclass
class Spectra:
    """What was seen in training.

    centres: spectra (centres, features); stretch: what the distance from each is multiplied by; spread of each
    feature; familiar: how far from all others' the spectrum of a bearing may lie; novelties: quantiles, equally spaced
    from 0 to 1, of the novelty of the windows of all bearings, each bearing left out in turn.
    """

    centres: np.ndarray
    stretch: np.ndarray
    spread: np.ndarray
    familiar: float
    novelties: np.ndarray


def relative_distance(spectra: Spectra, features: Features) -> np.ndarray:
    """Return how far each window's spectrum lies from the nearest of training's, in familiar distances, (windows,)."""
    return spectral_distance(spectra.centres, spectra.stretch, spectra.spread, features) / spectra.familiar


def spectral_familiarity(relative: np.ndarray, limits: Familiarity) -> np.ndarray:
    """Return 1 where a spectrum is nearer to one of training's than most bearings to each other, 0 where it is not."""
    return np.clip((1 - relative) / limits.fade, 0, 1)


def spectral_share(relative: np.ndarray, limits: Familiarity) -> np.ndarray:
    """Return the weight of the spectrum's word on the type, (windows,): some where it is familiar, more for a bearing
    known from training, none where it is not familiar."""
    known = np.clip((limits.known - relative) / limits.known_fade, 0, 1)
    return limits.familiar_share * spectral_familiarity(relative, limits) + limits.known_share * known


def spectral_trust(relative: np.ndarray, limits: Familiarity) -> np.ndarray:
    """Return 1 where a recording's spectrum is one of training's, so that healthy or faulty may rest on it; else 0."""
    return np.clip((limits.trusted - relative) / limits.trusted_fade, 0, 1)


def spectral_distance(centres: np.ndarray, stretch: np.ndarray, spread: np.ndarray, features: Features) -> np.ndarray:
    """Return the root mean square of standardised differences from the nearest centre, stretched, (windows,)."""
    seen = spectral_features(features)
    parts = np.array_split(seen, max(len(seen) // DISTANCES, 1))
    apart = [np.sqrt(np.square((part[:, None] - centres) / spread).mean(axis=2)) for part in parts]
    return (np.concatenate(apart) * stretch).min(axis=1)


def novelty(relative: np.ndarray | float, combs: np.ndarray, limits: Familiarity) -> np.ndarray:
    """Return how unlike training windows are: far spectra, and lines that no fault explains, (windows,)."""
    return limits.spectrum_novelty * relative + combs[:, 3] - combs[:, :3].max(axis=1)


def familiarity(spectra: Spectra, relative: np.ndarray | float, combs: np.ndarray, limits: Familiarity) -> np.ndarray:
    """Return the share of training's windows, their bearing left out in turn, that are at least as novel, (windows,).

    A share of windows and not of bearings: a bearing with many windows counts for more.
    """
    quantiles = spectra.novelties
    return np.interp(novelty(relative, combs, limits), quantiles, np.linspace(1, 0, len(quantiles)))
