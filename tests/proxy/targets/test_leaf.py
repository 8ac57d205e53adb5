"""One attempt, noted whatever becomes of it."""

from __future__ import annotations

import asyncio
import gc
import time

import pytest

from proxy.choosing.health import Rules
from proxy.dialects.paths import EXACT
from proxy.errors import (
    BadRequest,
    GatewayError,
    NoTarget,
    Overloaded,
    RateLimited,
    Unavailable,
    Unsupported,
    UpstreamTimeout,
)
from proxy.exchange import Exchange
from proxy.ledger.charge import Charges
from proxy.policy import Answer, Timeouts
from proxy.targets.leaf import Leaf
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


async def test_who_broke_off_an_answer_is_not_asked_for_the_rest() -> None:
    """Nothing is sent, not even where nobody else is left."""
    x, provider = exchange(), Canned()
    x.excluded, x.trial = frozenset({"up/m"}), True
    with pytest.raises(NoTarget) as caught:
        await Leaf("up/m", provider, "m", TIMES).send(x)
    assert caught.value.skipped
    assert (provider.asked, x.attempts, x.skipped) == ([], [], [("up/m", "failed in this answer")])


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


def failing(*failures: GatewayError) -> Canned:
    """A provider that fails in turn, the last failure for ever."""
    left = list(failures)

    def fail(x: Exchange, model: str | None) -> Answer:
        raise left.pop(0) if len(left) > 1 else left[0]

    return Canned(fail)


async def test_a_target_that_fails_often_is_not_asked() -> None:
    """The caller hears at once, with a time to come back; nothing is sent, and no attempt is counted."""
    provider = failing(Unavailable("gone"))
    leaf = Leaf("up/m", provider, "m", TIMES, rules=Rules(failures=3))
    for _ in range(3):
        with pytest.raises(Unavailable):
            await leaf.send(exchange())
    x = exchange()
    with pytest.raises(NoTarget) as caught:
        await leaf.send(x)
    assert (len(provider.asked), x.attempts, x.skipped) == (3, [], [("up/m", "open")])
    assert (caught.value.http_status, caught.value.headers) == (503, ((b"retry-after", b"30"),))


async def test_a_limited_target_is_left_until_its_reset() -> None:
    """And says how long that is."""
    provider = failing(RateLimited("slow down", retry_after=7))
    leaf = Leaf("up/m", provider, "m", TIMES)
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            await leaf.send(exchange())
    assert len(provider.asked) == 1
    assert caught.value.skipped
    assert caught.value.retry_after == pytest.approx(7, abs=0.5)


async def test_the_limit_of_one_callers_model_does_not_stop_others() -> None:
    """`provider/*` stands for models that only callers know."""
    provider = failing(RateLimited("slow down", retry_after=7))
    leaf = Leaf("up/*", provider, None, TIMES)
    for _ in range(2):
        with pytest.raises(RateLimited):
            await leaf.send(exchange())
    assert len(provider.asked) == 2


async def test_a_request_that_cannot_be_said_is_no_attempt() -> None:
    """Nothing was sent, and the target is none the worse for it."""
    leaf = Leaf("up/m", failing(Unsupported("no tools here"), BadRequest("odd")), "m", TIMES, rules=Rules(failures=1))
    for expected in (Unsupported, BadRequest, BadRequest):
        x = exchange()
        with pytest.raises(expected):
            await leaf.send(x)
        assert x.attempts == []
        assert x.skipped[0][0] == "up/m"
    assert leaf.health.in_flight == 0


async def test_a_callers_impatience_is_no_failure_of_the_target() -> None:
    """Deadlines of a few milliseconds must not eject a target for everybody."""

    def late(x: Exchange, model: str | None) -> Answer:
        x.deadline = time.monotonic() - 0.001
        raise UpstreamTimeout("the request's total time was used up")

    leaf = Leaf("up/m", Canned(late), "m", TIMES, rules=Rules(failures=1))
    with pytest.raises(UpstreamTimeout):
        await leaf.send(exchange())
    assert leaf.health.state(time.monotonic()) == "closed"


async def test_the_pace_of_a_stream_is_remembered() -> None:
    """Also of one that broke off, if it lasted long enough to have one."""
    paces = iter([0.02, None, 0.05])

    def paced(x: Exchange, model: str | None) -> Answer:
        answer = Answer(200, [], body=b"{}")
        answer.pace = paces.__next__
        return answer

    leaf = Leaf("up/m", Canned(paced), "m", TIMES)
    for failure, expected in ((None, 0.02), (None, 0.02), ("upstream_unavailable", 0.05)):
        answer = await leaf.send(exchange(stream=True))
        assert answer.attempt is not None
        answer.attempt.end("error" if failure else None, failure)
        assert leaf.health.per_token.seconds == expected


async def test_an_attempt_lasts_as_long_as_its_body() -> None:
    """The target is busy until then; a body that breaks off is its failure."""
    leaf = Leaf("up/m", Canned(), "m", TIMES, rules=Rules(failures=1))
    answer = await leaf.send(exchange())
    assert (leaf.health.in_flight, answer.attempt is not None) == (1, True)
    assert answer.attempt is not None
    answer.attempt.end("error", "bad_upstream_answer")
    answer.attempt.end()
    assert (leaf.health.in_flight, leaf.health.state(time.monotonic())) == (0, "open")
    leaf.health.restore(time.monotonic())
    answer = await leaf.send(exchange())
    answer.discard()
    assert (leaf.health.in_flight, leaf.health.state(time.monotonic())) == (0, "closed")


async def test_a_leaf_tells_why_it_would_not_be_asked() -> None:
    """For `explain`."""
    leaf = Leaf("up/m", Canned(), "m", TIMES)
    assert leaf.explain(exchange()).chosen
    leaf.health.eject(time.monotonic() + 20.4)
    choice = leaf.explain(exchange())
    assert (choice.chosen, choice.why) == (False, "not asked: open for 20 s")


@pytest.mark.parametrize("tells", [True, False])
async def test_a_stream_that_tells_of_a_failure_is_a_failed_attempt(tells: bool) -> None:
    """Its bytes have passed as they are, and ended as they should."""

    def stream(x: Exchange, model: str | None) -> Answer:
        answer = Answer(200, [], is_sse=True)
        answer.pace, answer.told_failure = (lambda: None), (lambda: tells)
        return answer

    x = exchange(stream=True)
    leaf = Leaf("up/m", Canned(stream), "m", TIMES)
    await leaf.send(x)
    x.attempts[0].end()
    assert (x.attempts[0].outcome, x.attempts[0].reason) == (("error", "upstream_error") if tells else ("ok", None))
    assert leaf.health.last_failure == ("upstream_error" if tells else None)


async def test_what_is_over_needs_no_collection() -> None:
    """A request, its attempt and its charge know each other only while it lasts: bodies are free at once."""

    def charged(x: Exchange, model: str | None) -> Answer:
        x.attempts[-1].dispatch(x)
        return Answer(200, [], body=b'{"usage": {"prompt_tokens": 1, "completion_tokens": 1}}')

    def alive() -> int:
        return sum(isinstance(one, Exchange) for one in gc.get_objects())

    leaf = Leaf("up/gpt-4o", Canned(charged), "gpt-4o", TIMES, charges=Charges())
    gc.disable()
    try:
        before = alive()
        x = exchange()
        await leaf.send(x)
        assert alive() == before + 1
        assert x.attempts[0].charge is not None
        assert x.attempts[0].charge.is_settled
        del x
        assert alive() == before
    finally:
        gc.enable()
