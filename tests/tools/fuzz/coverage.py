"""Each parser under atheris, which looks for inputs that reach other code, in a process of its own.

`CORPUS` holds such inputs from long runs, so that a short one begins where they ended.
`python -m tests.tools.fuzz.coverage NAME FOLDER -max_total_time=60` looks for more from those in a folder.
"""

import re
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from tests.tools.fuzz.cases import SEED
from tests.tools.fuzz.parsers import TARGETS, seeds_of

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT / "tests" / "tools" / "corpus"


def found_before(name: str) -> list[Path]:
    return sorted((CORPUS / name).iterdir())


class Found(NamedTuple):
    tried: int  # inputs
    covered: int  # branches; none are where atheris did not see the parser's code
    mistake: str


def fuzz_parser(name: str, seconds: int, timeout: int = 1) -> Found:
    """Fuzz one parser in a process of its own; timeout, in seconds, is the most that it may take for one input."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate([*seeds_of(name), *map(Path.read_bytes, found_before(name))]):
            (corpus / str(number)).write_bytes(seed)
        options = [
            f"-max_total_time={seconds}",
            f"-seed={SEED + 1}",
            f"-timeout={timeout}",
            "-rss_limit_mb=2048",
            "-max_len=4096",
        ]
        command = [sys.executable, "-m", "tests.tools.fuzz.coverage", name, str(corpus), *options]
        result = subprocess.run(
            [*command, f"-artifact_prefix={folder}/"], cwd=ROOT,
            capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        culprits = [path.read_bytes()[:500] for path in Path(folder).iterdir() if path.is_file()]
    tried = re.findall(r"^#(\d+)|Done (\d+) runs", result.stderr, re.MULTILINE)
    found = "" if result.returncode == 0 else f"{culprits}\n{result.stdout[-2000:]}{result.stderr[-3000:]}"
    covered = re.findall(r" cov: (\d+) ", result.stderr)
    counts = map(int, filter(None, chain.from_iterable(tried)))
    return Found(max(counts, default=0), max(map(int, covered), default=0), found)


def become_fuzzer(name: str, options: list[str]) -> None:
    """Hand this process to atheris, which does not return."""
    import atheris

    with atheris.instrument_imports(include=["api", "fast_records"]):
        read = TARGETS[name].make()
    atheris.Setup([sys.argv[0], *options], read)
    atheris.Fuzz()


if __name__ == "__main__":
    become_fuzzer(sys.argv[1], sys.argv[2:])
