"""The signature of the Standard Webhooks specification."""

import pytest

from api.machine.notify.webhook import read_secret, sign


def test_the_signature_is_that_of_the_specifications_example():
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/tests"""
    key = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    ("secret", "key"), [("a-secret-of-the-tests", b"a-secret-of-the-tests"), ("whsec_AAEC", b"\0\1\2")]
)
def test_a_secret_is_text_or_base64_after_its_prefix(secret, key):
    assert read_secret(secret) == key
