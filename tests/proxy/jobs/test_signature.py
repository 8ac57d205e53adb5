"""Signatures of webhooks, against the example that Standard Webhooks publishes."""

from __future__ import annotations

import base64

import pytest

from proxy.jobs.signature import read_secret, signed


def test_the_published_example() -> None:
    """Id, time and body give the signature that every library of that standard gives."""
    secret = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = dict(signed(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'))
    assert headers == {
        b"webhook-id": b"msg_p5jXN8AQM9LWM0D4loKWxJek",
        b"webhook-timestamp": b"1614265330",
        b"webhook-signature": b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_with_or_without_its_prefix() -> None:
    """Both name the same key."""
    text = base64.b64encode(b"k" * 24).decode()
    assert read_secret(text) == read_secret(f"whsec_{text}") == b"k" * 24


@pytest.mark.parametrize("text", ["", "password", "whsec_", base64.b64encode(b"k" * 23).decode(), "ä" * 40])
def test_what_is_no_secret(text: str) -> None:
    """Too short, or no base64: said without repeating it."""
    with pytest.raises(ValueError, match="openssl rand") as caught:
        read_secret(text)
    assert not text or text not in str(caught.value)
