"""Secrets that are refused, and what may be said of a key."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from proxy.errors import BadRequest
from proxy.keys import record
from proxy.keys.record import IssuedKey, new_secret, read_expiry, read_name, read_properties, view, weakness

NOW = 1_800_000_000 * record.MICRO
DAY = 86_400 * record.MICRO


def test_a_new_secret_is_random_and_strong() -> None:
    """256 bits behind a prefix."""
    found = {new_secret() for _ in range(1000)}
    assert len(found) == 1000
    assert all(one.startswith("sk-sg-") and len(one) == 49 for one in found)


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("sk-1234", "characters"),
        ("changeme", "characters"),
        ("test", "characters"),
        ("x" * 513, "characters"),
        ("Kq8vPz3nRb7wXt2mLc9hYd5gJf4sVa6é", "ASCII"),
        ("Kq8vPz3nRb7wXt2m Lc9hYd5gJf4sVa6", "ASCII"),
        ("a" * 40, "different"),
        ("abababcdcdcdefefefababcdcdcdefefef1", "different"),
        ("Kq8vPz3nRb7wXt2mKq8vPz3nRb7wXt2m", "repeats"),
        ("abcdefghijklmnopqrstuvwxyz0123456789", "sequence"),
        ("sk-1234-Kq8vPz3nRb7wXt2mLc9hYd5gJf4s", "example"),
        ("changeme-Kq8vPz3nRb7wXt2mLc9hYd5gJf", "example"),
        ("Kq8vPz3nRb7wXt2mLc9hYd5gJf4s-test", "example"),
        ("your-api-key-Kq8vPz3nRb7wXt2mLc9hYd", "example"),
        ("MyPassword-Kq8vPz3nRb7wXt2mLc9hYd5", "example"),
    ],
)
def test_weak_secrets(secret: str, why: str) -> None:
    """Short ones, and long ones that somebody can guess."""
    reason = weakness(secret)
    assert reason is not None
    assert why in reason
    assert secret not in reason


def test_strong_secrets_pass() -> None:
    """Hexadecimal ones too."""
    assert weakness("Kq8vPz3nRb7wXt2mLc9hYd5gJf4sVa6e") is None
    assert weakness("9f1c3ab27e604d58b1e0f7a2c96d3485") is None
    assert sum(weakness(secrets.token_hex(32)) is None for _ in range(200)) > 180


@pytest.mark.parametrize("value", ["", "a/b", "-a", "a" * 65, "é", 5, None, "a\n"])
def test_names_that_are_none(value: Any) -> None:
    """With the parameter's name."""
    with pytest.raises(BadRequest) as caught:
        read_name(value, "team")
    assert caught.value.param == "team"


def test_properties_as_they_are_kept() -> None:
    """In one spelling."""
    found = read_properties(
        {
            "models": ["gpt-4o*"],
            "routes": None,
            "addresses": ["10.0.0.0/8", "2001:DB8::1"],
            "tier": None,
            "limits": ["60/min", "$5/day"],
            "tags": {"project": "x"},
            "expires": "30d",
        },
        NOW,
    )
    assert found == {
        "models": ("gpt-4o*",),
        "routes": None,
        "addresses": ("10.0.0.0/8", "2001:db8::1/128"),
        "tier": "",
        "limits": ("60/min", "$5/day"),
        "tags": {"project": "x"},
        "expires": NOW + 30 * DAY,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("models", []),
        ("models", "gpt-4o"),
        ("models", [""]),
        ("models", [5]),
        ("models", ["a\n"]),
        ("models", ["a" * 201]),
        ("models", ["a"] * 101),
        ("routes", ["a/b"]),
        ("routes", []),
        ("addresses", ["10.0.0.1/8"]),
        ("addresses", ["everywhere"]),
        ("addresses", []),
        ("tier", "gold"),
        ("tier", ["free"]),
        ("limits", ["many"]),
        ("limits", None),
        ("limits", ["0/min"]),
        ("tags", ["a"]),
        ("tags", {"A": "x"}),
        ("tags", {"a": 5}),
        ("tags", {"a": ""}),
        ("tags", {f"a{number}": "x" for number in range(17)}),
        ("expires", 5),
        ("expires", "soon"),
        ("expires", "0s"),
        ("expires", "2020-01-01"),
        ("expires", "2027-13-01"),
        ("expires", "4000d"),
        ("expires", "9" * 190 + "d"),
        ("expires", "9999-12-31T23:59:59-23:59"),
    ],
)
def test_properties_that_are_none(name: str, value: Any) -> None:
    """Each is refused by its name."""
    with pytest.raises(BadRequest) as caught:
        read_properties({name: value}, NOW)
    assert caught.value.param == name


def test_expiry() -> None:
    """A time without a zone is of UTC."""
    assert read_expiry("2027-02-01T00:00:00Z", NOW) == read_expiry("2027-02-01", NOW)
    assert read_expiry("2027-02-01T01:00:00+01:00", NOW) == read_expiry("2027-02-01", NOW)
    assert read_expiry(None, NOW) is None


def test_a_key_for_people() -> None:
    """Its state depends on the time; a revoked one stays so."""
    base: dict[str, Any] = {
        "organisation": "acme",
        "team": "search",
        "name": "web",
        "prefix": "sk-sg-ab",
        "created_by": "ada",
    }
    key = IssuedKey(id="key_1", created=NOW, expires=NOW + DAY, **base)
    shown = view(key, NOW)
    assert (shown["state"], shown["created"], shown["expires"]) == (
        "live",
        "2027-01-15T08:00:00Z",
        "2027-01-16T08:00:00Z",
    )
    assert view(key, NOW + DAY)["state"] == "expired"
    assert IssuedKey(id="key_1", created=NOW, revoked=NOW, expires=NOW, **base).state(NOW) == "revoked"
