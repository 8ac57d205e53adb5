"""Played at recorded, scaled or no time, within the request's own."""

from __future__ import annotations

import time

import pytest

from proxy.cassettes.player import Player, head, headers, is_sse, pace
from proxy.cassettes.take import Cut, Event, Request, Response, Take
from proxy.errors import UpstreamError, UpstreamTimeout

FAR = 1e12


def take(*events: Event, cut: Cut | None = None, after: float = 0) -> Take:
    """A stream."""
    response = Response(
        status=200, headers={"content-type": "Text/Event-Stream"}, after=after, events=list(events), cut=cut
    )
    return Take(recorded="x", request=Request(method="POST", path="/"), response=response)


@pytest.mark.parametrize(("speed", "factor"), [("instant", 0), ("recorded", 1), ("2x", 0.5), ("0.5x", 2)])
def test_speeds(speed: str, factor: float) -> None:
    assert pace(speed) == factor


@pytest.mark.parametrize("speed", ["fast", "0x", "2", "-1x", "1e3x"])
def test_what_is_no_speed(speed: str) -> None:
    with pytest.raises(ValueError, match="is no speed"):
        pace(speed)


async def test_what_came_at_once_goes_out_at_once() -> None:
    events = (Event(at=0, text="a"), Event(at=0, text="b"), Event(at=5, text="c"))
    assert [chunk async for chunk in Player(take(*events), 0, FAR)] == [b"ab", b"c"]


async def test_times_are_kept() -> None:
    began = time.monotonic()
    await head(take(after=20), 1, FAR)
    assert time.monotonic() - began >= 0.02
    times = []
    player = Player(take(Event(at=0, text="a"), Event(at=40, text="b")), 0.5, FAR)
    began = time.monotonic()
    async for _ in player:
        times.append(time.monotonic() - began)
    assert times[1] >= 0.02


async def test_a_cut_is_played() -> None:
    cut = Cut(at=1, status=502, code="upstream_unavailable", message="gone")
    player = Player(take(Event(at=0, text="a"), cut=cut), 0, FAR)
    assert await anext(player) == b"a"
    with pytest.raises(UpstreamError, match="gone") as failed:
        await anext(player)
    assert (failed.value.http_status, failed.value.error_code) == (502, "upstream_unavailable")


async def test_nobody_waits_beyond_the_deadline() -> None:
    """As with a provider that is too slow."""
    began = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        await head(take(after=60_000), 1, began + 0.01)
    player = Player(take(Event(at=60_000, text="a")), 1, began + 0.02)
    with pytest.raises(UpstreamTimeout):
        await anext(player)
    assert time.monotonic() - began < 30


def test_the_head() -> None:
    response = take().response
    assert is_sse(response)
    assert headers(response) == [(b"content-type", b"Text/Event-Stream")]
