"""Hostile input: raw sockets, schemathesis and atheris against the service, `python -m tests.tools.fuzz`.

No input may get a 5xx, delay its response by more than a second, or end the service or a parser with an exception that
is not documented.
"""

import argparse
import sys
import time

from tests.tools.fuzz.contract import run_schemathesis
from tests.tools.fuzz.coverage import fuzz_parser
from tests.tools.fuzz.parsers import TARGETS
from tests.tools.fuzz.sockets import fuzz_sockets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=10_000, help="over raw sockets")
    parser.add_argument("--examples", type=int, default=700, help="of schemathesis for each operation with a body")
    parser.add_argument("--seconds", type=int, default=600, help="of atheris for each parser")
    options = parser.parse_args()
    begin = time.perf_counter()
    wrong = fuzz_sockets(options.cases)
    print(
        f"{options.cases:,} raw cases in {time.perf_counter() - begin:.0f} s, wrong: {len(wrong)}",
        *wrong,
        sep="\n",
        flush=True,
    )
    tried, failed = run_schemathesis(options.examples)
    print(f"{tried:,} examples of schemathesis, {failed or 'none failed'}", flush=True)
    found = {name: fuzz_parser(name, options.seconds) for name in TARGETS}
    for name, parser in found.items():
        print(f"{parser.tried:,} inputs for {name}, {parser.covered} branches, {parser.mistake or 'nothing found'}")
    sys.exit(1 if wrong or failed or any(parser.mistake for parser in found.values()) else 0)


if __name__ == "__main__":
    main()
