"""Recordings in HDF5 files, and in MATLAB's of version 7.3, which are such. h5py reads them.

A link or a dataset may name another file of the machine: such ones are passed over.
"""

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from api.files.channels import Channels, Vector, make_recordings, read_along, select
from api.files.errors import UnreadableError
from api.files.extras.libraries import load_library
from api.files.limits import Limits
from api.files.said import find_rate, find_record_speed, find_speed, find_unit, name_positions
from api.files.time_axes import FIRST_ROWS, match_axes

MAGIC = b"\x89HDF\r\n\x1a\n"
MOST_NODES = 1_000
DEPTH = 8  # of groups in groups


class Found(NamedTuple):
    """A vector of the file, not yet read: the dataset, which column of it, and what stands nearest to it."""

    dataset: Any
    column: int | None
    said: dict[str, Any]


def is_hdf5(content: bytes) -> bool:
    return MAGIC in (content[:8], content[512:520])


def read_hdf5(content: bytes, name: str, channel: str | None, limits: Limits) -> Channels:
    h5py = load_library("h5py", "an HDF5 file (MATLAB 7.3 is such)")
    with h5py.File(io.BytesIO(content)) as file:
        found = dict(find_vectors(h5py, file, limits.channels, "", {}))
        if not found:
            raise UnreadableError("the HDF5 file holds no vector of real numbers, expected a recording")
        axes = match_axes(
            {each: max(vector.dataset.shape) for each, vector in found.items()},
            lambda each: read_column(load([found[each]], limits, FIRST_ROWS), found[each]),
        )
        aliases = name_positions(axes, name)
        variables = {aliases.get(variable, variable): variable for variable in axes}
        chosen = select(list(variables), aliases.get(channel, channel) if channel else channel)
        needed = {each for name in chosen for each in (variables[name], axes[variables[name]]) if each}
        arrays = load([found[each] for each in sorted(needed)], limits)
        vectors = {name: make_vector(variables[name], arrays, found, axes[variables[name]]) for name in chosen}
        return make_recordings(vectors, list(variables), limits)


def load(found: list[Found], limits: Limits, rows: int | None = None) -> dict[str, np.ndarray]:
    """Read the datasets of vectors, each once, whatever its columns, or first rows. Raises UnreadableError."""
    datasets = {each.dataset.name: each.dataset for each in found}
    limits.check_unpacked(8 * sum(each.size for each in datasets.values()))
    return {name: each[(slice(rows),) * len(each.shape)].squeeze() for name, each in datasets.items()}


def read_column(arrays: dict[str, np.ndarray], found: Found) -> np.ndarray:
    samples = arrays[found.dataset.name]
    if found.column is None:
        return samples
    return samples[:, found.column] if is_tall(samples.shape) else samples[found.column]


def make_vector(name: str, arrays: dict[str, np.ndarray], found: dict[str, Found], axis: str) -> Vector:
    samples, said = read_column(arrays, found[name]), found[name].said
    vector = Vector(samples, find_rate(said), find_record_speed(name, said) or find_speed(said), find_unit(said))
    return read_along(vector, axis, read_column(arrays, found[axis])) if axis else vector


def find_vectors(h5py: Any, group: Any, most: int, prefix: str, said: dict[str, Any]) -> Iterator[tuple[str, Found]]:
    """Yield all vectors by name, those in groups too, each with the attributes and scalars that stand nearest to it."""
    if len(group) > MOST_NODES:
        raise UnreadableError(
            f"the HDF5 file holds {len(group):,} datasets in one group, expected {MOST_NODES:,} at most"
        )
    inside = {name: group[name] for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink)}
    datasets = {name: each for name, each in inside.items() if isinstance(each, h5py.Dataset) and is_own(each)}
    said = said | read_attributes(group)
    said |= {name: each[()].item() for name, each in datasets.items() if each.size == 1}
    for name, dataset in datasets.items():
        shape = [length for length in dataset.shape if length != 1]
        own = read_attributes(dataset)
        if len(shape) == 1:
            yield f"{prefix}{name}", Found(dataset, None, said | own)
        elif len(shape) == 2 and 1 < (columns := min(shape)) <= most:
            for index in range(columns):
                yield f"{prefix}{name}[{index}]", Found(dataset, index, said | pick_column(own, index, columns))
    for name, each in inside.items():
        if isinstance(each, h5py.Group) and not name.startswith("#") and prefix.count(".") < DEPTH:  # MATLAB's own
            yield from find_vectors(h5py, each, most, f"{prefix}{name}.", said)


def is_own(dataset: Any) -> bool:
    """Return whether a dataset holds real numbers that lie in this file; MATLAB stores a text as numbers, too."""
    is_elsewhere = dataset.is_virtual or dataset.external
    is_text = np.array_equal(dataset.attrs.get("MATLAB_class"), b"char")
    return dataset.dtype.kind in "iuf" and dataset.shape is not None and not is_elsewhere and not is_text


def is_tall(shape: tuple[int, ...]) -> bool:
    return shape[1] <= shape[0]


def read_attributes(node: Any) -> dict[str, Any]:
    """Return the attributes by name, texts as str; of a list that is no single value, the elements in an array."""
    said = {}
    for name in list(node.attrs)[:MOST_NODES]:
        value = node.attrs[name]
        said[name] = as_text(value.item() if isinstance(value, np.ndarray) and value.size == 1 else value)
    return said


def pick_column(said: dict[str, Any], index: int, columns: int) -> dict[str, Any]:
    """Return what is said with the column's own element of each list that has as many as there are columns."""
    return {
        name: as_text(value[index]) if isinstance(value, np.ndarray) and value.shape == (columns,) else value
        for name, value in said.items()
    }


def as_text(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
