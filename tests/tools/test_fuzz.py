"""The fuzzers, short; `python -m tests.tools.fuzz` runs them for longer."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.tools import fuzz


def test_nothing_over_a_raw_socket_gets_a_5xx_hangs_or_ends_the_service():
    assert fuzz.fuzz_sockets(500) == []


def test_the_openapi_document_says_what_the_service_does():
    tried, failed = fuzz.run_schemathesis(10)
    assert not failed, failed
    assert tried >= 150


@pytest.fixture(scope="module")
def found():
    """What a minute of atheris found in each parser."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return dict(zip(fuzz.TARGETS, threads.map(lambda name: fuzz.fuzz_parser(name, 60), fuzz.TARGETS), strict=True))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_a_parser_lets_only_its_documented_exceptions_through(name, found):
    tried, mistake = found[name]
    assert not mistake, mistake
    assert tried > 1000
