import pytest
from starlette.exceptions import HTTPException

from api.serving.keys import Keys
from tests.api.serving.asgi import make_exchange

KEY, OTHER_KEY = "a-key-for-the-tests", "the-key-that-follows-it"


@pytest.fixture
def keys():
    return Keys((KEY, OTHER_KEY), open_prefixes=("/health/",), open_paths=("/", "/page.js"))


@pytest.mark.parametrize(
    "headers",
    [
        {"x_api_key": KEY},
        {"x_api_key": OTHER_KEY},
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY}"},
    ],
)
def test_each_of_several_keys_is_accepted(keys, headers):
    keys.check(make_exchange(**headers))


@pytest.mark.parametrize(
    "headers",
    [{}, {"x_api_key": KEY[:-1]}, {"x_api_key": ""}, {"authorization": f"Basic {KEY}"}, {"authorization": KEY}],
)
def test_a_request_without_a_known_key_is_refused(keys, headers):
    with pytest.raises(HTTPException) as refused:
        keys.check(make_exchange(**headers))
    assert refused.value.status_code == 401
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}
    assert "X-API-Key" in refused.value.detail


@pytest.mark.parametrize("path", ["/health/ready", "/", "/page.js"])
def test_open_paths_need_no_key(keys, path):
    keys.check(make_exchange(path, "GET"))


@pytest.mark.parametrize("path", ["/model/", "/page.js/", "/page", "/x/health/ready"])
def test_other_paths_need_one(keys, path):
    with pytest.raises(HTTPException):
        keys.check(make_exchange(path, "GET"))


def test_a_preflight_request_carries_no_key_and_needs_none(keys):
    keys.check(make_exchange(method="OPTIONS"))


def test_without_keys_every_request_passes():
    Keys(()).check(make_exchange())
