"""The fuzzers, short; `python -m tests.fuzz` runs them for longer."""

import pytest

from tests import fuzz


def test_nothing_over_a_raw_socket_gets_a_5xx_hangs_or_ends_the_service():
    assert fuzz.fuzz_sockets(500) == []


def test_the_openapi_document_says_what_the_service_does():
    tried, failed = fuzz.run_schemathesis(10)
    assert not failed, failed
    assert tried >= 150


@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_a_parser_lets_only_its_documented_exceptions_through(name):
    tried, found = fuzz.fuzz_parser(name, 5)
    assert not found, found
    assert tried > 100
