"""What headers tell of limits, in the two families of names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from proxy.choosing.headroom import UNKNOWN, read_headroom
from proxy.errors import Header

TOLD, WALL = 1000.0, 1_700_000_000.0


def _openai(kind: bytes, limit: int, left: int, reset: bytes) -> list[Header]:
    return [
        (b"x-ratelimit-limit-" + kind, b"%d" % limit),
        (b"x-ratelimit-remaining-" + kind, b"%d" % left),
        (b"x-ratelimit-reset-" + kind, reset),
    ]


def test_nothing_told_is_everything_left() -> None:
    """Unknown counts as free."""
    assert UNKNOWN.share(TOLD, 100) == 1.0
    assert read_headroom([], TOLD, WALL).share(TOLD) == 1.0


def test_the_tightest_limit_counts() -> None:
    """Of requests and tokens."""
    headers = _openai(b"requests", 100, 90, b"60s") + _openai(b"tokens", 1000, 250, b"60s")
    assert read_headroom(headers, TOLD, WALL).share(TOLD) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [(b"60s", 60.0), (b"1m0s", 60.0), (b"6m", 360.0), (b"500ms", 0.5), (b"1h1m1s", 3661.0), (b"12", 12.0),
     (b"1.5s", 1.5), (b"1700000030", 30.0), (b"nonsense", 60.0), (b"", 60.0), (b"Tuesday", 60.0)],
)  # fmt: skip
def test_what_is_left_grows_until_the_reset(reset: bytes, seconds: float) -> None:
    """Half of the way, half of what was missing; a time that cannot be read is taken for a minute."""
    found = read_headroom(_openai(b"tokens", 1000, 0, reset), TOLD, WALL)
    assert found.share(TOLD) == pytest.approx(0.0, abs=1e-6)
    assert found.share(TOLD + seconds / 2) == pytest.approx(0.5, abs=1e-3)
    assert found.share(TOLD + seconds * 2) == 1.0


def test_anthropics_names_and_moments() -> None:
    """Several limits, each with the moment at which it is whole."""
    moment = datetime.fromtimestamp(WALL + 40, UTC).isoformat().replace("+00:00", "Z").encode()
    headers: list[Header] = []
    for kind, limit, left in ((b"requests", 50, 40), (b"input-tokens", 1000, 100), (b"output-tokens", 1000, 900)):
        headers += [
            (b"anthropic-ratelimit-%b-limit" % kind, b"%d" % limit),
            (b"anthropic-ratelimit-%b-remaining" % kind, b"%d" % left),
            (b"anthropic-ratelimit-%b-reset" % kind, moment),
        ]
    found = read_headroom(headers, TOLD, WALL)
    assert found.share(TOLD) == pytest.approx(0.1)
    assert found.share(TOLD + 20) == pytest.approx(0.55)
    assert found.share(TOLD + 41) == 1.0


def test_requests_under_way_are_missing() -> None:
    """A limit of requests knows what is in flight; one of tokens cannot."""
    found = read_headroom(_openai(b"requests", 10, 8, b"60s"), TOLD, WALL)
    assert found.share(TOLD, 3) == pytest.approx(0.5)
    assert found.share(TOLD, 20) < 0
    assert read_headroom(_openai(b"tokens", 10, 8, b"60s"), TOLD, WALL).share(TOLD, 3) == pytest.approx(0.8)


def test_without_a_limit_the_largest_rest_stands_for_it() -> None:
    """Azure tells the rest alone."""
    first = read_headroom([(b"x-ratelimit-remaining-tokens", b"900")], TOLD, WALL)
    assert first.share(TOLD) == 1.0
    second = read_headroom([(b"x-ratelimit-remaining-tokens", b"450")], TOLD, WALL, first)
    assert second.share(TOLD) == pytest.approx(0.5)


@pytest.mark.parametrize("value", [b"", b"-1", b"many", b"1e9", b"9" * 40, "١٢".encode()])
def test_nonsense_is_as_if_it_had_not_been_sent(value: bytes) -> None:
    """Nobody fails over a header."""
    headers = [(b"x-ratelimit-limit-tokens", b"1000"), (b"x-ratelimit-remaining-tokens", value), (b"x-other", b"1")]
    assert read_headroom(headers, TOLD, WALL).share(TOLD) == 1.0
    assert read_headroom([(b"x-ratelimit-remaining-tokens", b"0")], TOLD, WALL).share(TOLD) == 1.0


def test_a_limit_that_another_is_always_tighter_than_costs_nothing() -> None:
    """It cannot decide, so it is not looked at; the answer stays the same."""
    headers = _openai(b"tokens", 1000, 100, b"60s") + _openai(b"images", 10, 9, b"30s")
    found = read_headroom(headers, TOLD, WALL)
    assert len(found.limits) == 2
    assert len(found.lines) == 1
    crossing = _openai(b"tokens", 1000, 100, b"10s") + _openai(b"images", 10, 2, b"600s")
    assert len(read_headroom(crossing, TOLD, WALL).lines) == 2
