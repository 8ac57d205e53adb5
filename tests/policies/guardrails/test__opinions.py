"""Who is asked about sentences that words do not support, and what counts as an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from policies.guardrails._grounded import Basis, Rules, Weighed, weigh
from policies.guardrails._opinions import MAX_ASKED, Judge, Likeness, Weigher, question
from proxy.chat import Choice, Completion, Text
from proxy.exchange import Exchange
from proxy.grounding.passages import Given, Passage
from proxy.guarding.service import ServiceFailed
from proxy.policy import CompileContext, Target
from tests.policies.conftest import Context, Scripted

BASIS = Basis(
    Given([Passage("Returns are accepted within 30 days.", ("1",), "tag"), Passage("Dogs sleep.", (), "tag")])
)
RULES = Rules(0.5, None)


def _completion(*texts: str) -> Completion:
    return Completion(id="", model="", choices=[Choice(parts=[Text(" ".join(texts))])])


class Answering(Context):
    """Everybody who is asked says this; what they were asked is in ``asked``."""

    def __init__(self, said: Any) -> None:
        super().__init__()
        self.said = said
        self.asked: list[Any] = []

    async def ask(self, target: Target, x: Exchange, prompt: str, patience: float, most: int = 16) -> str | None:
        self.asked.append((prompt, patience, most))
        return cast("str | None", self.said)

    async def consult(self, target: Target, x: Exchange, path: str, body: bytes, patience: float) -> bytes | None:
        """As told, or by a function of the texts."""
        texts = json.loads(body)["input"]
        self.asked.append(texts)
        if callable(self.said):
            data = [{"index": at, "embedding": self.said(text)} for at, text in enumerate(texts)]
            return json.dumps({"data": data[::-1]}).encode()
        return cast("bytes | None", self.said)


def _judge(context: Answering, *, asks_all: bool = False) -> Judge:
    return Judge(cast(CompileContext, context), lambda: Scripted("up/j"), asks_all, 3.0)


def _likeness(context: Answering, threshold: float = 0.9) -> Likeness:
    return Likeness(cast(CompileContext, context), Scripted("up/v"), None, threshold, 3.0)


async def _wrong(x: Exchange, weigher: Weigher, *texts: str) -> list[str]:
    return [one.wrong for one in await weigher.weighed(x, _completion(*texts), BASIS)]


GOOD, UNCLEAR, OTHER = (
    "Returns are accepted within 30 days.",
    "Hand it over at our door by day 30.",
    "Cats fly at night.",
)


async def test_a_judge_is_asked_about_what_is_unclear_alone(exchange: Callable[..., Exchange]) -> None:
    context = Answering("UNSUPPORTED: 2")
    assert await _wrong(exchange(), Weigher(RULES, None, _judge(context)), GOOD, UNCLEAR, OTHER) == [
        "",
        "",
        "unsupported",
    ]
    ((prompt, patience, most),) = context.asked
    assert f"1. {UNCLEAR}\n2. {OTHER}" in prompt
    assert GOOD not in prompt.split("\n1. ")[1]
    assert (patience, most) == (3.0, 32)
    assert await _wrong(exchange(), Weigher(RULES, None, _judge(context)), GOOD) == [""]
    assert len(context.asked) == 1


async def test_a_judge_of_everything(exchange: Callable[..., Exchange]) -> None:
    weigher = Weigher(RULES, None, _judge(Answering("UNSUPPORTED: 1"), asks_all=True))
    assert await _wrong(exchange(), weigher, GOOD, OTHER) == ["unsupported", ""]
    assert str(weigher) == "a judge"


@pytest.mark.parametrize(
    "said", [None, "", "NONE", "UNSUPPORTED: 3", "UNSUPPORTED: 0", "UNSUPPORTED: all", "Yes. " * 9]
)
async def test_what_is_no_answer(said: Any, exchange: Callable[..., Exchange]) -> None:
    with pytest.raises(ServiceFailed):
        await _wrong(exchange(), Weigher(RULES, None, _judge(Answering(said))), UNCLEAR, OTHER)


async def test_too_many_sentences_for_one_question(exchange: Callable[..., Exchange]) -> None:
    weigher = Weigher(RULES, None, _judge(Answering("UNSUPPORTED: NONE")))
    assert not any(await _wrong(exchange(), weigher, *[OTHER] * MAX_ASKED))
    with pytest.raises(ServiceFailed):
        await _wrong(exchange(), weigher, *[OTHER] * (MAX_ASKED + 1))


def test_nobody_knows_the_word_of_the_fence() -> None:
    found = weigh(_completion(OTHER), BASIS, RULES)
    one, other = question(found, BASIS), question(found, BASIS)
    fence = one.split("the word ")[1].split()[0]
    assert one.count(fence) == 4
    assert fence not in other


async def test_vectors(exchange: Callable[..., Exchange]) -> None:
    """Of a piece that has the number; another number is never asked about."""
    context = Answering(lambda text: [1.0, 0.0] if "30" in text else [0.0, 1.0 + len(text)])
    weigher = Weigher(RULES, _likeness(context), None)
    other = UNCLEAR.replace("30", "40")
    assert await _wrong(exchange(), weigher, GOOD, UNCLEAR, other) == ["", "", "unsupported"]
    (texts,) = context.asked
    assert texts == [UNCLEAR, GOOD, "Dogs sleep."]
    assert str(weigher) == "50% of their words or a vector near by"


@pytest.mark.parametrize(
    "said",
    [None, b"", b"{}", b'{"data": []}', b'{"data": [{"index": 0, "embedding": [1]}]}', lambda text: [0.0] * len(text)],
)
async def test_vectors_that_are_none(said: Any, exchange: Callable[..., Exchange]) -> None:
    with pytest.raises(ServiceFailed):
        await _wrong(exchange(), Weigher(RULES, _likeness(Answering(said)), None), UNCLEAR)


async def test_what_vectors_do_not_support_a_judge_may(exchange: Callable[..., Exchange]) -> None:
    vectors = _likeness(Answering(lambda text: [float(len(text)), -1.0] if text == UNCLEAR else [0.0, 1.0]))
    asked = Answering("UNSUPPORTED: NONE")
    assert await _wrong(exchange(), Weigher(RULES, vectors, _judge(asked)), UNCLEAR) == [""]
    assert len(asked.asked) == 1


async def test_nobody_is_asked_when_it_is_only_explained(exchange: Callable[..., Exchange]) -> None:
    x, context = exchange(), Answering("UNSUPPORTED: NONE")
    x.explained = True
    assert await _wrong(x, Weigher(RULES, _likeness(context), _judge(context)), UNCLEAR) == ["unsupported"]
    assert context.asked == []
    found: list[Weighed] = weigh(_completion(UNCLEAR), BASIS, RULES)
    assert found[0].is_doubtful
