"""How long a request may take, until its first token and altogether."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

from policies.guardrails._patience import FirstToken, Patience, Times
from proxy.errors import UpstreamTimeout
from proxy.exchange import Attempt, Exchange
from proxy.policy import Answer
from proxy.units import Duration
from tests.policies.conftest import Scripted

MakeExchange = Callable[..., Exchange]


class Endless(Scripted):
    """A target that never answers."""

    left = False

    async def send(self, x: Exchange) -> Answer:
        """Wait until somebody gives up."""
        try:
            await asyncio.Event().wait()
        finally:
            self.left = True
        raise AssertionError


def _patience(**seconds: float) -> Patience:
    times: Any = {name: Duration(value) for name, value in seconds.items()}
    return Patience(Times(**times))


def test_a_deadline_is_only_ever_lowered(exchange: MakeExchange) -> None:
    x = exchange()
    before = x.deadline
    _patience(total=1000.0).bound(x)
    assert x.deadline == before
    _patience(total=5.0).bound(x)
    assert x.deadline == x.received + 5


def test_only_what_is_streamed_has_a_first_token(exchange: MakeExchange) -> None:
    """The limit stands next to the target, whatever else is around that."""
    x = exchange()
    others: tuple[Any, ...] = ("other",)
    x.around = others
    _patience(first_token=5.0).bound(x)
    assert x.around is others
    x.stream = True
    _patience(first_token=5.0).bound(x)
    first, *rest = x.around
    assert isinstance(first(Scripted("a")), FirstToken)
    assert rest == ["other"]


async def test_what_has_begun_is_not_disturbed(exchange: MakeExchange) -> None:
    around = FirstToken(1000.0, Scripted("a"))
    assert (await around.send(exchange())).target == "a"


@pytest.mark.parametrize("ago", [0.0, 100.0])
async def test_what_has_not_begun_is_given_up(ago: float, exchange: MakeExchange) -> None:
    """Where the time is over already nobody is asked."""
    x, target = exchange(), Endless("a")
    x.received -= ago
    with pytest.raises(UpstreamTimeout, match=r"No answer began within 0\.05 s"):
        await FirstToken(0.05, target).send(x)
    assert target.left is not bool(ago)


@pytest.mark.parametrize(
    ("settings", "ago", "stream", "code", "reason", "said"),
    [
        ({"total": 5.0}, 6.0, False, "upstream_timeout", None, "total 5 s"),
        ({"total": 5.0}, 6.0, True, None, "deadline", "total 5 s"),
        ({"total": 5.0}, 6.0, True, None, None, ""),
        ({"total": 5.0}, 0.0, False, "upstream_timeout", "timeout", ""),
        ({"first_token": 5.0}, 6.0, True, "upstream_timeout", None, "first_token 5 s"),
        ({"first_token": 5.0}, 6.0, False, "upstream_timeout", None, ""),
        ({"first_token": 5.0}, 6.0, True, None, "deadline", ""),
        ({}, math.inf, True, "upstream_timeout", "timeout", ""),
    ],
)
def test_it_says_what_it_has_ended(
    settings: Any, ago: float, stream: bool, code: Any, reason: Any, said: str, exchange: MakeExchange
) -> None:
    x = exchange()
    x.received, x.stream = x.received - ago, stream
    attempt = Attempt("up/a")
    attempt.reason = reason
    x.attempts.append(attempt)
    assert _patience(**settings).ended(x, code) == said
