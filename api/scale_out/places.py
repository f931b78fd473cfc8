"""Folders that an archive is read from and written to: on this machine or in a bucket."""

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.fs as pafs


class ArchiveError(ValueError):
    """The archive cannot be diagnosed as asked; the message says what came and what was expected."""


class Place(NamedTuple):
    """A folder: its path, or a URL that pyarrow knows."""

    url: str

    def open(self) -> tuple[pafs.FileSystem, str]:
        """Return the file system and the folder's path in it. Raises ArchiveError."""
        try:
            if "://" in self.url:
                return pafs.FileSystem.from_uri(self.url)
            return pafs.LocalFileSystem(), str(Path(self.url).absolute())
        except (pa.ArrowException, OSError) as error:
            raise ArchiveError(f"{self.url} cannot be used: {error}") from error

    def list(self, suffixes: tuple[str, ...], needed: bool = True) -> list[pafs.FileInfo]:
        """Return the files below it that end in one of the suffixes, in order of their paths. Raises ArchiveError."""
        files, folder = self.open()
        try:
            found = files.get_file_info(pafs.FileSelector(folder, recursive=True, allow_not_found=not needed))
        except OSError as error:
            raise ArchiveError(f"{self.url} cannot be read: {error}") from error
        return sorted(
            (file for file in found if file.is_file and file.path.lower().endswith(suffixes)),
            key=lambda file: file.path,
        )
