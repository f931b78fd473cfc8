"""Which records can be answered: those of finite numbers that are not constant."""

import numpy as np

from api.window.mistakes import invalid


def have_answers(records: np.ndarray, least_variation: float) -> bool:
    """Return whether all records (records, samples) are finite and vary by more than least_variation of their size."""
    variation, largest = measure(records)
    return bool((variation > least_variation * largest).all()) and bool(largest.max() < np.inf)


def check(records: np.ndarray, least_variation: float) -> None:
    """Raise InvalidRecordsError that names the first sample or record for which there is no answer."""
    finite = np.isfinite(records)
    if not finite.all():
        index, sample = np.argwhere(~finite)[0].tolist()
        expected = "Input should be a finite number that float32 holds, up to 3.4e38"
        raise invalid("finite_number", [index, "record", sample], expected, str(records[index, sample]))
    variation, largest = measure(records)
    constant = variation <= least_variation * largest
    if constant.any():
        index = int(constant.argmax())
        expected = f"Input should vary by more than {least_variation:g} of its largest value: this is a constant"
        came = f"values from {records[index].min():.6g} to {records[index].max():.6g}"
        raise invalid("constant", [index, "record"], expected, came)


def measure(records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the variation (largest minus smallest) and the largest absolute value of each record, float64."""
    lowest, highest = records.min(axis=1).astype(np.float64), records.max(axis=1)
    return highest - lowest, np.maximum(-lowest, highest)
