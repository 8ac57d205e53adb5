"""The policy `moderation`: what is asked, what counts, and what is no answer. The wire is in ``tests/e2e``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from policies.guardrails._consulted import Finding, Said
from policies.guardrails.moderation import Moderation, ModerationConfig
from proxy.exchange import Exchange
from proxy.guarding.service import ServiceFailed
from proxy.policy import CompileContext, Target
from proxy.units import Percent
from tests.policies.conftest import Context, Scripted

FINE = {"flagged": False, "categories": {"hate": False}, "category_scores": {"hate": 0.01, "violence": 0.3}}
HATE = {"flagged": True, "categories": {"hate": True}, "category_scores": {"hate": 0.9, "violence": 0.6}}


class Asking(Context):
    """A target that gives one answer after the other, and keeps what it was asked."""

    def __init__(self, *answers: bytes | None) -> None:
        super().__init__()
        self.answers = list(answers)
        self.inputs: list[list[str]] = []

    def detour(self, route: str, at: str = "") -> Callable[[], Target]:
        """Any."""
        return lambda: Scripted(route)

    async def consult(self, target: Target, x: Exchange, path: str, body: bytes, patience: float) -> bytes | None:
        """The next answer."""
        assert path == "/v1/moderations"
        self.inputs.append(msgspec.json.decode(body)["input"])
        return self.answers.pop(0)


def _results(*results: Any) -> bytes:
    return msgspec.json.encode({"results": results})


async def _consult(context: Asking, x: Exchange, count: int = 1, **settings: Any) -> Finding:
    config = ModerationConfig(route="scores", **settings)
    policy = Moderation.compile(config, cast(CompileContext, context))
    return await policy.consult(x, "input", [Said("a", "user", f"Hi {number}") for number in range(count)])


async def test_what_the_provider_flags(exchange: Callable[..., Exchange]) -> None:
    assert await _consult(Asking(_results(FINE)), exchange()) == Finding("pass")
    assert await _consult(Asking(_results(HATE)), exchange()) == Finding("block", ("hate",))
    assert await _consult(Asking(_results(HATE)), exchange(), action="warn") == Finding("warn", ("hate",))
    unnamed = {"flagged": True, "categories": {"rude": True}}
    assert await _consult(Asking(_results(unnamed)), exchange()) == Finding("block", ("other",))
    assert await _consult(Asking(_results({"flagged": True})), exchange()) == Finding("block", ("other",))


async def test_scores_of_the_file(exchange: Callable[..., Exchange]) -> None:
    scores = {"violence": Percent(0.5)}
    assert await _consult(Asking(_results(FINE)), exchange(), categories=scores) == Finding("pass")
    assert await _consult(Asking(_results(HATE)), exchange(), categories=scores) == Finding("block", ("violence",))
    with pytest.raises(ServiceFailed, match="no score for rude"):
        await _consult(Asking(_results(FINE)), exchange(), categories={"rude": Percent(0.5)})


async def test_many_texts_are_asked_about_in_turns(exchange: Callable[..., Exchange]) -> None:
    context = Asking(_results(*[FINE] * 32), _results(*[FINE] * 7, HATE))
    assert await _consult(context, exchange(), 40) == Finding("block", ("hate",))
    assert [len(one) for one in context.inputs] == [32, 8]


async def test_only_what_somebody_says_is_asked_about(exchange: Callable[..., Exchange]) -> None:
    context = Asking(_results(FINE, FINE))
    policy = Moderation.compile(ModerationConfig(route="scores"), cast(CompileContext, context))
    places = [
        ("user", "a"),
        ("metadata", "b c"),
        ("tool_definition", "d e"),
        ("other", "id-1"),
        ("other", "f g"),
        ("user", " "),
    ]
    await policy.consult(exchange(), "input", [Said("x", place, text) for place, text in places])
    assert context.inputs == [["a", "f g"]]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        b"[]",
        b"{}",
        b'{"error":{"message":"busy"}}',
        _results(),
        _results(FINE, FINE),
        _results({"score": 1}),
    ],
)
async def test_what_is_no_answer_is_a_failure(answer: bytes | None, exchange: Callable[..., Exchange]) -> None:
    with pytest.raises(ServiceFailed):
        await _consult(Asking(answer), exchange())
