"""One attempt, noted whatever becomes of it."""

from __future__ import annotations

import asyncio
import time

import pytest

from proxy.dialects.paths import EXACT
from proxy.errors import Overloaded, UpstreamTimeout
from proxy.exchange import Exchange
from proxy.leaf import Leaf
from proxy.policy import Answer, Timeouts
from tests.support.compiled import Canned, make_exchange

TIMES = Timeouts(connect=1, first_token=2, gap=3, total=40)


def exchange(*, stream: bool = False) -> Exchange:
    x = make_exchange()
    x.endpoint, x.model, x.stream = EXACT["POST", "/v1/chat/completions"], "fast", stream
    x.body = b'{"model":"fast"}'
    x.deadline = time.monotonic() + 40
    return x


async def test_a_good_attempt_names_its_target() -> None:
    """Status and time of the first byte stand on the attempt; the answer knows who gave it."""
    x = exchange()
    answer = await Leaf("up/gpt-4o", Canned(), "gpt-4o", TIMES).send(x)
    (attempt,) = x.attempts
    assert (answer.target, attempt.target, attempt.outcome, attempt.status) == ("up/gpt-4o", "up/gpt-4o", "ok", 200)
    assert attempt.first_byte == attempt.duration == x.upstream_wait


async def test_a_star_passes_the_callers_model_on() -> None:
    """The answer names the model; the attempt's name stays bounded for metrics."""
    x = exchange()
    provider = Canned()
    answer = await Leaf("up/*", provider, None, TIMES).send(x)
    assert (answer.target, x.attempts[0].target, provider.asked[0][1]) == ("up/fast", "up/*", None)


async def test_a_failed_attempt_keeps_its_meaning() -> None:
    """And goes on to whoever may try another."""

    def fail(x: Exchange, model: str | None) -> Answer:
        raise Overloaded("busy")

    x = exchange()
    with pytest.raises(Overloaded):
        await Leaf("up/m", Canned(fail), "m", TIMES).send(x)
    assert (x.attempts[0].outcome, x.attempts[0].reason, x.attempts[0].status) == ("error", "overloaded", 503)


async def test_a_cancelled_attempt_is_told_from_a_failed_one() -> None:
    """The client left; the provider did nothing wrong."""

    def cancel(x: Exchange, model: str | None) -> Answer:
        raise asyncio.CancelledError

    x = exchange()
    with pytest.raises(asyncio.CancelledError):
        await Leaf("up/m", Canned(cancel), "m", TIMES).send(x)
    assert x.attempts[0].outcome == "cancelled"


async def test_no_attempt_begins_after_the_deadline() -> None:
    """One total time over all attempts."""
    x = exchange()
    x.deadline = time.monotonic() - 1
    provider = Canned()
    with pytest.raises(UpstreamTimeout):
        await Leaf("up/m", provider, "m", TIMES).send(x)
    assert provider.asked == []
    assert x.attempts == []


async def test_only_a_stream_has_a_first_token() -> None:
    """A whole answer comes when all of it is there: the total bounds it."""
    provider = Canned()
    leaf = Leaf("up/m", provider, "m", TIMES)
    await leaf.send(exchange(stream=True))
    await leaf.send(exchange())
    assert provider.timeouts == [TIMES, Timeouts(connect=1, first_token=40, gap=3, total=40)]


def test_explain_shows_where_and_what() -> None:
    """With the body that would be sent."""
    choice = Leaf("up/gpt-4o", Canned(), "gpt-4o", TIMES).explain(exchange())
    assert (choice.why, choice.body) == ("sends to a canned provider as gpt-4o", b'{"model":"gpt-4o"}')
