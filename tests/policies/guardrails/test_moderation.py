"""The policy `moderation`: what is asked, what counts, and what is no answer. The wire is in ``tests/e2e``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from policies.guardrails._consulted import Finding, Said, Span
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
        asked = msgspec.json.decode(body)
        if path == "/v1/guardrail":
            self.inputs.append([one["text"]["text"] for one in asked["content"]])
        else:
            assert path == "/v1/moderations"
            self.inputs.append(asked["input"])
        return self.answers.pop(0)


def _results(*results: Any) -> bytes:
    return msgspec.json.encode({"results": results})


async def _consult(context: Asking, x: Exchange, count: int = 1, **settings: Any) -> Finding:
    """What is found, without what is done about each."""
    found = await _all(context, x, count, **settings)
    return found._replace(actions=Finding("pass").actions)


async def _all(context: Asking, x: Exchange, count: int = 1, **settings: Any) -> Finding:
    config = ModerationConfig(route="scores", **settings)
    policy = Moderation.compile(config, cast(CompileContext, context))
    assert not context.problems
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


async def test_each_category_may_have_an_action_of_its_own(exchange: Callable[..., Exchange]) -> None:
    """The strongest counts; what each has done is told of each."""
    both = {"flagged": True, "categories": {"hate": True, "violence": True}}
    found = await _all(Asking(_results(both)), exchange(), entities={"violence": "warn"})
    assert (found.verdict, dict(found.actions)) == ("block", {"hate": "block", "violence": "warn"})
    quiet = {"hate": "shadow", "violence": "warn"}
    assert (await _all(Asking(_results(both)), exchange(), entities=quiet)).verdict == "warn"
    assert (await _all(Asking(_results(both)), exchange(), action="shadow")).verdict == "shadow"


async def test_what_a_guardrail_anonymises_may_be_left_or_blocked(exchange: Callable[..., Exchange]) -> None:
    answer = _guardrail(("Hi", "NAME"), ("0", "AGE"))
    guardrail: Any = {"api": "bedrock_guardrail"}
    some = await _all(Asking(answer), exchange(), entities={"age": "warn"}, **guardrail)
    assert some[:3] == ("redact", ("name", "age"), (Span(0, 0, 2, "NAME"),))
    assert dict(some.actions) == {"name": "redact", "age": "warn"}
    assert (await _all(Asking(answer), exchange(), entities={"age": "block"}, **guardrail))[:3] == (
        "block",
        ("name", "age"),
        (),
    )


@pytest.mark.parametrize(
    ("settings", "at"),
    [
        ({"entities": {"voilence": "warn"}}, ["entities.voilence"]),
        ({"entities": {"rude": "warn"}, "categories": {"rude": Percent(0.5)}}, []),
        ({"entities": {"topic": "warn", "other": "warn"}, "api": "bedrock_guardrail"}, []),
        ({"entities": {"harassment": "warn"}, "api": "bedrock_guardrail"}, ["entities.harassment"]),
    ],
)
def test_actions_are_of_what_is_told(settings: Any, at: list[str]) -> None:
    context = Asking()
    Moderation.compile(ModerationConfig(route="scores", **settings), cast(CompileContext, context))
    assert [place for place, _ in context.problems] == at


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


def _guardrail(*entries: tuple[str, str], blocked: bool = False) -> bytes:
    """What was anonymised, and perhaps a topic."""
    found = [{"match": match, "type": kind, "action": "ANONYMIZED"} for match, kind in entries]
    topics = [{"name": "Plans", "type": "DENY", "action": "BLOCKED"}] if blocked else []
    assessment = {"topicPolicy": {"topics": topics}, "sensitiveInformationPolicy": {"piiEntities": found}}
    action = "GUARDRAIL_INTERVENED" if entries or blocked else "NONE"
    return msgspec.json.encode({"action": action, "outputs": [], "assessments": [assessment]})


@pytest.mark.parametrize(
    ("answer", "action", "finding"),
    [
        (_guardrail(), "block", Finding("pass")),
        (_guardrail(blocked=True), "block", Finding("block", ("topic",))),
        (_guardrail(("Hi", "NAME"), blocked=True), "block", Finding("block", ("name", "topic"))),
        (_guardrail(("Hi", "NAME")), "block", Finding("redact", ("name",), (Span(0, 0, 2, "NAME"),))),
        (_guardrail(("Hi", "NAME"), blocked=True), "warn", Finding("warn", ("name", "topic"))),
        (_guardrail(("Hi", "NAME")), "warn", Finding("warn", ("name",))),
    ],
)
async def test_a_guardrail_is_asked(
    answer: bytes, action: Any, finding: Finding, exchange: Callable[..., Exchange]
) -> None:
    assert await _consult(Asking(answer), exchange(), api="bedrock_guardrail", action=action) == finding


async def test_a_guardrail_is_asked_in_portions(exchange: Callable[..., Exchange]) -> None:
    """Places are those among all texts, also of those that it was not asked about."""
    context = Asking(_guardrail(), _guardrail())
    policy = Moderation.compile(
        ModerationConfig(route="scores", api="bedrock_guardrail"), cast(CompileContext, context)
    )
    texts = ["a" * 15_000, "id", "to Ada", "b" * 19_998, "c"]
    said = [Said("x", "other" if text == "id" else "user", text) for text in texts]
    finding = await policy.consult(exchange(), "input", said)
    assert [[len(text) for text in portion] for portion in context.inputs] == [[15_000, 6], [19_998, 1]]
    assert finding == Finding("pass")
    context.answers = [_guardrail(("Ada", "NAME")), _guardrail()]
    found = await policy.consult(exchange(), "input", said)
    assert found[:3] == ("redact", ("name",), (Span(2, 3, 6, "NAME"),))


@pytest.mark.parametrize("answer", [None, b"{}", b'{"message":"busy"}', _guardrail(("Bob", "NAME"))])
async def test_a_guardrail_that_makes_no_sense_has_failed(
    answer: bytes | None, exchange: Callable[..., Exchange]
) -> None:
    with pytest.raises(ServiceFailed):
        await _consult(Asking(answer), exchange(), api="bedrock_guardrail")


def test_a_guardrail_has_filters_of_its_own() -> None:
    context = Asking()
    scores = {"violence": Percent(0.5), "self-harm": Percent(0.5)}
    config = ModerationConfig(route="scores", api="bedrock_guardrail", categories=scores)
    Moderation.compile(config, cast(CompileContext, context))
    assert [at for at, _ in context.problems] == ["categories.self-harm"]
