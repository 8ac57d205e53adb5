"""How long to wait, as providers tell it."""

from __future__ import annotations

import pytest

from proxy.choosing.headroom import duration
from proxy.providers.waiting import MAX_RETRY_AFTER, capped, reset_in, retry_after, wait_in_words

NOW = 1_700_000_000.0


def _headers(given: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in given.items()]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT"}, 10.0),
        ({"retry-after": "Tue, 14 Nov 2000 22:13:30 GMT"}, 0.0),
        ({"retry-after": "Tue, 14 Nov 9999 22:13:30 GMT"}, MAX_RETRY_AFTER),
        ({"retry-after": "1000000000"}, MAX_RETRY_AFTER),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "\xff"}, None),
    ],
)
def test_retry_after_is_read_capped_or_ignored(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds, seconds, dates; garbage is nothing."""
    assert retry_after(_headers(headers), NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 1.0),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "5",
                "x-ratelimit-reset-tokens": "2m0s",
                "x-ratelimit-remaining-tokens": "0",
            },
            120.0,
        ),
        ({"anthropic-ratelimit-tokens-reset": "2023-11-14T22:13:30Z"}, 10.0),
        ({"anthropic-ratelimit-tokens-reset": "2023-11-14T23:13:30+01:00"}, 10.0),
        ({"anthropic-ratelimit-tokens-reset": "2000-01-01T00:00:00Z"}, 0.0),
        ({"x-ratelimit-reset": "1700000009000"}, 9.0),
        ({"x-ratelimit-reset": "1700000009"}, 9.0),
        ({"x-ratelimit-reset-requests": "99h"}, MAX_RETRY_AFTER),
        ({"x-ratelimit-reset-requests": "soon", "x-ratelimit-reset-tokens": "-5s"}, None),
        ({"x-ratelimit-reset-requests": "9" * 500 + "s"}, None),
        ({"x-ratelimit-reset-requests": "9999-99-99T00:00:00Z"}, None),
        ({"other-reset": "1s", "x-ratelimit-limit-requests": "60"}, None),
    ],
)
def test_the_limit_that_is_used_up_tells_the_wait(headers: dict[str, str], seconds: float | None) -> None:
    """OpenAI's durations, Anthropic's times, OpenRouter's moments; else the first of all."""
    assert reset_in(_headers(headers), NOW) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("47.434392449s", 47.434392449),
        ("12", 12.0),
        ("1d", 86400.0),
        ("", None),
        ("s", None),
        ("1 s", None),
        ("1y", None),
        ("-1s", None),
        ("1s" * 100, None),
    ],
)
def test_durations_are_read_as_go_and_protobuf_write_them(text: str, seconds: float | None) -> None:
    assert duration(text) == seconds


def test_a_wait_may_stand_in_the_words() -> None:
    """OpenAI's, Groq's and Gemini's."""
    assert wait_in_words("limit reached. please try again in 7.66s. need more?") == 7.66
    assert wait_in_words("please try again in 9m38.016s.") == pytest.approx(578.016)
    assert wait_in_words("please retry in 47.434392449s.") == 47.434392449
    assert wait_in_words("please try again later") is None
    assert capped(578.016) == MAX_RETRY_AFTER
    assert capped(None) is None
