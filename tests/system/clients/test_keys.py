"""The clients at a service with API_KEYS."""

import pytest

from tests.conftest import running
from tests.system.clients.helpers import STATED, run

KEY = "a-key-for-the-clients-tests"
MEND = "give one of its API_KEYS with --key or in the environment variable API_KEY"
ARGUMENTS = {"test": ("--show", "0"), "performance": ("--rounds", "1"), "diagnose": STATED}
clients = pytest.mark.parametrize("client", ARGUMENTS)


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    with running(tmp_path_factory.mktemp("locked"), API_KEYS=f"{KEY},another-{KEY}") as url:
        yield url


@pytest.fixture
def ask(locked, folder):
    """Return a function that runs a client at the service with keys."""

    def run_client(client, *arguments, **extra):
        paths = [folder / "outer.npy"] if client == "diagnose" else []
        return run(locked, *paths, *ARGUMENTS[client], *arguments, client=client, **extra)

    return run_client


@clients
def test_a_key_may_be_an_argument(ask, client):
    answer = ask(client, "--key", KEY)
    assert (answer.returncode, answer.stderr) == (0, "")


@clients
def test_a_key_may_come_from_the_environment_and_the_argument_holds(ask, client):
    assert ask(client, API_KEY=KEY).returncode == 0
    assert ask(client, "--key", KEY, API_KEY="another one, of another service").returncode == 0


@clients
def test_without_a_key_the_client_says_what_to_do(ask, locked, client):
    answer = ask(client)
    assert answer.returncode == 1
    assert answer.stderr == f"{locked} asks for a key: {MEND}\n"


@clients
@pytest.mark.parametrize("key", ["a-key-of-another-service", "ключ-другого-сервиса"])
def test_a_key_that_the_service_does_not_know_is_told(ask, locked, client, key):
    answer = ask(client, "--key", key)
    assert answer.returncode == 1
    assert answer.stderr == f"{locked} does not know this key: {MEND}\n"


@clients
def test_spaces_around_a_key_do_not_count(ask, client):
    assert ask(client, "--key", f" {KEY}\n").returncode == 0
    assert ask(client, API_KEY=f"{KEY}\n").returncode == 0
