"""Stage download: fetch every recording of the catalogue, hash-checked, and write down which files were had."""

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pooch
import requests
from tqdm import tqdm

from pipeline import params
from pipeline.catalogue import MANIFEST, read_catalogue
from pipeline.params import RECORDINGS, InputError


def main() -> None:
    section = params.load("download")
    catalogue = read_catalogue(section.pop("catalogue"))
    manifest = download(catalogue, RECORDINGS, **section)
    excerpts = [recording for recording, entry in manifest.items() if entry["variant"] == "excerpt"]
    print(f"{len(manifest)} recordings in {RECORDINGS}, {len(manifest) - len(excerpts)} of them originals")
    if excerpts:
        print(f"the originals of {', '.join(excerpts)} could not be had: known excerpts stand in for them")
        print("when they are at hand: dvc repro -f download")


def download(
    catalogue: pd.DataFrame, folder: Path, sources: list[str], mirror: str = "", timeout: float = 5
) -> dict[str, dict]:
    """Fetch every recording into folder and return the manifest {recording: {file, sha256, samples, variant}}.

    Sources are tried in order, first the folder or URL that the environment variable `mirror` names. An excerpt is
    taken only where no source has the original. What arrived before a failure is kept; what the manifest does not
    name is removed. timeout in seconds. Raises InputError that lists every recording that could not be had.
    """
    sources = [os.environ[mirror], *sources] if os.environ.get(mirror) else sources
    if any(not is_url(source) and Path(source).resolve() == folder.resolve() for source in sources):
        raise InputError(f"{folder} cannot be its own source: move the files elsewhere and name that folder")
    fetch = Fetcher(folder, [absolute(source) for source in sources], timeout)
    manifest = {}
    missing = []
    folder.mkdir(parents=True, exist_ok=True)
    for row in tqdm(list(catalogue.itertuples()), desc="download", unit="file", disable=None):
        entry = fetch_recording(fetch, row)
        if entry:
            manifest[row.recording] = entry
        else:
            missing.append(row.file)
    remove_stale(folder, {entry["file"] for entry in manifest.values()})
    if missing:
        raise InputError(describe_missing(missing, len(catalogue), fetch.reasons, mirror))
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def absolute(source: str) -> str:
    return source if is_url(source) else str(Path(source).expanduser().resolve())


def is_url(source: str) -> bool:
    return "://" in source


class Fetcher:
    """Fetch files into a folder from the first source that has them with the right hash."""

    def __init__(self, folder: Path, sources: list[str], timeout: float) -> None:
        self.folder = folder
        self.sources = sources
        self.timeout = timeout
        self.dead_hosts: dict[str, str] = {}
        self.live_hosts: set[str] = set()
        self.reasons: dict[str, list[str]] = {}

    def __call__(self, file: str, sha256: str) -> bool:
        """Return whether the file is in the folder now; reasons tells why it is not."""
        target = self.folder / file
        if sha256 and target.is_file() and pooch.file_hash(str(target)) == sha256:
            return True
        return any(self.fetch_from(source, file, sha256) for source in self.sources)

    def fetch_from(self, source: str, file: str, sha256: str) -> bool:
        url = locate(source, file)
        host = urlsplit(url).netloc if is_url(url) else ""
        if host in self.dead_hosts:
            return self.give_up(file, self.dead_hosts[host])
        try:
            self.retrieve(url, file, sha256)
        except (requests.ConnectionError, requests.Timeout) as error:
            reason = f"{host} does not answer ({type(error).__name__})"
            # A host that never answered is not asked again for every file; one that did may have failed once.
            if host not in self.live_hosts:
                self.dead_hosts[host] = reason
            return self.give_up(file, reason)
        except FileNotFoundError:
            return self.give_up(file, f"not in {url.removesuffix(file)}")
        except (requests.RequestException, ValueError, OSError) as error:
            self.live_hosts.add(host)
            return self.give_up(file, str(error))
        self.live_hosts.add(host)
        return True

    def retrieve(self, url: str, file: str, sha256: str) -> None:
        target = self.folder / file
        # Without a hash pooch keeps an older copy; a file in a folder can be hashed beforehand.
        if not sha256 and not is_url(url):
            sha256 = pooch.file_hash(url)
        pooch.get_logger().setLevel("WARNING")
        pooch.retrieve(
            url if is_url(url) else Path(url).as_uri(),
            known_hash=f"sha256:{sha256}" if sha256 else None,
            fname=target.name,
            path=target.parent,
            downloader=download_url(file, self.timeout) if is_url(url) else copy_file(url),
        )
        if not sha256 and target.read_bytes()[:1] == b"<":
            target.unlink()
            raise ValueError(f"{url} is a page, not a recording")

    def give_up(self, file: str, reason: str) -> bool:
        self.reasons.setdefault(file, []).append(reason)
        return False


def locate(source: str, file: str) -> str:
    return source.replace("{file}", file) if "{file}" in source else f"{source.rstrip('/')}/{file}"


def download_url(file: str, timeout: float) -> pooch.HTTPDownloader:
    progress = tqdm(total=0, desc=file, unit="B", unit_scale=True, leave=False, delay=1, disable=None)
    return pooch.HTTPDownloader(progressbar=progress, chunk_size=1 << 16, timeout=timeout)


def copy_file(path: str) -> Callable[[str, str, object], None]:
    """Return a downloader for pooch, which knows no local folders."""
    return lambda _url, output, _pooch: shutil.copyfile(path, output)


def fetch_recording(fetch: Fetcher, row: tuple) -> dict | None:
    """Return the manifest's entry for one row of the catalogue, or None where neither original nor excerpt is had."""
    if fetch(row.file, row.sha256):
        return describe(fetch.folder, row.file, row.samples, "original")
    if row.excerpt_file and row.excerpt_sha256 and fetch(row.excerpt_file, row.excerpt_sha256):
        return describe(fetch.folder, row.excerpt_file, row.excerpt_samples, "excerpt")
    return None


def describe(folder: Path, file: str, samples: float, variant: str) -> dict:
    sha256 = pooch.file_hash(str(folder / file))
    return {"file": file, "sha256": sha256, "samples": None if pd.isna(samples) else int(samples), "variant": variant}


def remove_stale(folder: Path, wanted: set[str]) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()


def describe_missing(missing: list[str], total: int, reasons: dict[str, list[str]], mirror: str) -> str:
    files = defaultdict(list)
    for file in missing:
        files["; ".join(reasons.get(file, ["params.yaml names no source"]))].append(file)
    return "\n".join(
        [
            f"{len(missing)} of {total} recordings could not be had:",
            *(f"  {', '.join(names)}: {reason}" for reason, names in files.items()),
            f"Set {mirror or 'download.sources in params.yaml'} to a folder or URL that holds them and run again; "
            "what arrived is kept.",
        ]
    )


if __name__ == "__main__":
    params.run_stage(main)
