"""The policy `grounding`: what it does with whole answers. The wire is in ``tests/e2e``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from policies.guardrails.grounding import Grounding, GroundingConfig
from proxy.exchange import Exchange, Reply
from proxy.policy import CompileContext
from tests.policies.guardrails.test_output_schema import Real, Saying

FACTS = "<document id=1>The Atlas weighs 3 kg.</document>"
GOOD, BAD = "The Atlas weighs 3 kg.", "The Atlas weighs 9 kg."


def _policy(**settings: Any) -> Grounding:
    context = Real()
    made = Grounding.compile(GroundingConfig(**settings), cast(CompileContext, context))
    assert not context.problems
    return made


def _asked(exchange: Callable[..., Exchange], *texts: str) -> Exchange:
    messages = [{"role": "user", "content": text} for text in texts]
    x = exchange(body=json.dumps({"model": "m", "messages": messages}).encode())
    x.state = [None] * 9
    return x


async def _answer(policy: Grounding, x: Exchange, target: Saying) -> str:
    found = await policy.on_request(x)
    if isinstance(found, Reply):
        return found.code or ""
    around: Any = target
    for put_around in x.around:
        around = put_around(around)
    answer = await around.send(x)
    policy.on_close(x)
    told = json.loads(answer.body or b"")
    message = told["choices"][0]["message"]
    assert (told["id"] == "1") == bool(message.get("content"))  # what was stopped cannot be asked for again
    return str(message.get("content") or message.get("refusal"))


async def test_what_is_stopped(exchange: Callable[..., Exchange]) -> None:
    policy, x = _policy(message="Not told."), _asked(exchange, FACTS)
    assert await _answer(policy, x, Saying(BAD)) == "Not told."
    assert "score 0.00 (1 sentences, 1 passages; wrong: 1); output blocked" in x.notes["grounding"]
    assert [verdict.outcome for verdict in x.verdicts] == ["blocked"]
    x = _asked(exchange, FACTS)
    assert await _answer(policy, x, Saying(GOOD)) == GOOD
    assert "output clean" in x.notes["grounding"]


async def test_what_other_policies_make_of_a_request_counts(exchange: Callable[..., Exchange]) -> None:
    """Passages are those that the model is given, whoever has changed them."""
    policy, x, target = _policy(), _asked(exchange, FACTS), Saying(BAD)
    assert await policy.on_request(x) is None
    policy._editor.rewrite(x, x.body.replace(b"3 kg", b"9 kg"))
    (put_around,) = x.around
    answer = await put_around(target).send(x)
    assert BAD.encode() in (answer.body or b"")


async def test_a_request_is_as_it_was_after_it_was_asked_again(exchange: Callable[..., Exchange]) -> None:
    policy, x, target = _policy(action="retry", retries=3), _asked(exchange, FACTS), Saying(BAD, BAD, GOOD)
    body = x.body
    assert await _answer(policy, x, target) == GOOD
    assert x.body is body
    assert [len(json.loads(asked)["messages"]) for asked in target.asked] == [1, 3, 3]
    assert "after 2 retries" in x.notes["grounding"]


async def test_nothing_given(exchange: Callable[..., Exchange]) -> None:
    x = _asked(exchange, "Hi")
    assert await _answer(_policy(), x, Saying(BAD)) == BAD
    assert "not judged" in x.notes["grounding"]
    assert await _answer(_policy(without_context="block"), _asked(exchange, "Hi"), Saying(BAD)) == "guardrail_blocked"
    x = _asked(exchange, "Hi")
    assert await _answer(_policy(without_context="block", action="warn"), x, Saying(BAD)) == BAD
    assert "warn no_context" in x.notes["grounding"]


async def test_what_cannot_be_looked_into_is_a_failure(exchange: Callable[..., Exchange]) -> None:
    many = "<document>a</document>" * 2000
    x = _asked(exchange, many)
    assert await _answer(_policy(), x, Saying(GOOD)) == "guardrail_blocked"
    x = _asked(exchange, many)
    assert await _answer(_policy(on_error="open"), x, Saying(GOOD)) == GOOD
    assert "output failed open (failed: more passages than are looked into)" in x.notes["grounding"]
    x = _asked(exchange, many)
    assert await _answer(_policy(action="shadow"), x, Saying(GOOD)) == GOOD
    x = _asked(exchange, FACTS)
    assert "was stopped" in await _answer(_policy(), x, Saying(f"{GOOD} " * 600))
    assert "failed closed (failed: more sentences" in x.notes["grounding"]


async def test_explain(exchange: Callable[..., Exchange]) -> None:
    x, policy = _asked(exchange, FACTS, "[1] One. \n[2] Two."), _policy(score=0.5, action="warn")
    await policy.on_request(x)
    assert policy.explain(x) == (
        "passages: 1 by tag, 2 by numbered; 50% of the sentences must be supported by 50% of their words, else warn"
    )
    x = _asked(exchange, "Hi")
    await policy.on_request(x)
    assert policy.explain(x) == "nothing was given: skip"
