"""The fuzzers, 10 s each; `python -m tests.tools.fuzz` runs them for longer, and limits the time of a response."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.tools.fuzz.contract import run_schemathesis
from tests.tools.fuzz.coverage import found_before, fuzz_parser
from tests.tools.fuzz.parsers import TARGETS
from tests.tools.fuzz.sockets import fuzz_sockets

TIMEOUT = 20  # s: longer is a request that gets no response or a parser that does not end, on any machine

pytestmark = pytest.mark.alone


def test_no_raw_request_gets_a_5xx_or_no_response_or_ends_the_service():
    assert fuzz_sockets(500, TIMEOUT) == []


def test_the_openapi_document_says_what_the_service_does():
    tried, failed = run_schemathesis(10, TIMEOUT)
    assert not failed, failed
    assert tried >= 150


@pytest.fixture(scope="module")
def found():
    """What atheris found in each parser."""
    pytest.importorskip("atheris", reason="ATHERIS SKIPPED: it has no build for this platform")
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return dict(zip(TARGETS, threads.map(lambda name: fuzz_parser(name, 10, TIMEOUT), TARGETS), strict=True))


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_lets_only_its_documented_exceptions_through(name, found):
    assert not found[name].mistake, found[name].mistake
    assert found[name].tried > len(found_before(name)) + 500  # what atheris made itself, beside the corpus
    assert found[name].covered > 20  # 28 and 29 are all that the shortest two have; 0 where atheris sees no code
