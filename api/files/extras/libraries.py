"""The libraries of formats that the service can do without: api/requirements-files.txt installs them."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from api.files.errors import UnreadableError
from api.files.suffixes import SUFFIXES

PACKAGES = {
    "nptdms": (".tdms",),
    "pyuff": (".uff", ".unv"),
    "h5py": (".h5", ".hdf5"),
    "pyarrow": (".parquet", ".feather"),
    "soundfile": (".flac", ".aiff", ".aif", ".w64", ".caf"),
}  # and the suffixes of the files that need them
INSTALL = "pip install -r api/requirements-files.txt"


def load_library(name: str, kind: str) -> ModuleType:
    """Return a library, which is loaded when a file first needs it. Raises UnreadableError where it is not there."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise UnreadableError(
            f"the file is {kind}, which needs the package {error.name}: it is not installed where the service runs; "
            f"`{INSTALL}` does it, or save the recording as .mat (-v7), .wav, .npy or text"
        ) from error


def list_suffixes() -> list[str]:
    """Return the suffixes of all files that can be read here; none of the packages is loaded."""
    return [*SUFFIXES, *(each for name, suffixes in PACKAGES.items() if find_spec(name) for each in suffixes)]
