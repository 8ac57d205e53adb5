"""The policy `output_schema`: which answers are handed on, how often it is asked. The wire is in ``tests/e2e``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from policies.guardrails.output_schema import OutputSchema, OutputSchemaConfig
from proxy.chat import Completion
from proxy.errors import GatewayError, Unavailable
from proxy.exchange import Exchange, Reply
from proxy.policy import Answer, CompileContext, Target
from proxy.translation.answers import Taken, completion_of, reply_of
from tests.policies.conftest import Context, Scripted

MakeExchange = Callable[..., Exchange]
AGE = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
ASKED = {"model": "m", "messages": [{"role": "user", "content": "How old?"}]}


class Real(Context):
    """What reads and writes answers is real."""

    def completion(self, x: Exchange, body: bytes, *, is_sse: bool) -> Completion | None:
        return completion_of(x, body, is_sse=is_sse)

    def reply(self, x: Exchange, completion: Completion, *, stream: bool) -> Reply | None:
        return reply_of(x, completion, stream=stream)

    def pieces(self, x: Exchange) -> Taken:
        """Of a stream."""
        return Taken(x)


class Saying(Scripted):
    """A target that says one text after the other; what it was asked is in ``asked``."""

    def __init__(self, *texts: str) -> None:
        super().__init__("up/a")
        self.texts = list(texts)
        self.asked: list[bytes] = []

    async def send(self, x: Exchange) -> Answer:
        """The next text, or a failure where there is none left."""
        self.asked.append(x.body)
        if not self.texts:
            raise Unavailable("gone")
        choice = {"index": 0, "message": {"role": "assistant", "content": self.texts.pop(0)}, "finish_reason": "stop"}
        body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return Answer(200, [], body=json.dumps(body).encode(), target=self.name)


def _policy(**settings: Any) -> OutputSchema:
    context = Real()
    made = OutputSchema.compile(OutputSchemaConfig(**settings), cast(CompileContext, context))
    assert not context.problems
    return made


async def _answer(policy: OutputSchema, x: Exchange, target: Target) -> str:
    x.state = [None] * 9
    assert await policy.on_request(x) is None
    for put_around in x.around:
        target = put_around(target)
    answer = await target.send(x)
    text: str = json.loads(answer.body or b"")["choices"][0]["message"]["content"]
    return text


async def test_a_right_answer_is_asked_for_once(exchange: MakeExchange) -> None:
    x, target = exchange(body=json.dumps(ASKED).encode()), Saying('{"age": 7}')
    assert await _answer(_policy(schema=AGE), x, target) == '{"age": 7}'
    assert x.notes["output_schema"] == "follows"
    assert len(target.asked) == 1


async def test_a_wrong_one_is_asked_for_again_with_what_is_wrong(exchange: MakeExchange) -> None:
    """Each time the first question, the last answer, and what is wrong with that."""
    x, target = exchange(body=json.dumps(ASKED).encode()), Saying("seven", '{"age": "7"}', '{"age": 7}')
    body = x.body
    assert await _answer(_policy(schema=AGE), x, target) == '{"age": 7}'
    assert x.notes["output_schema"] == "follows after 2 retries"
    assert x.body == body
    _, second, third = (json.loads(asked)["messages"] for asked in target.asked)
    assert [message["role"] for message in third] == ["user", "assistant", "user"]
    assert second[1]["content"] == "seven"
    assert third[1]["content"] == '{"age": "7"}'
    assert "$.age: '7' is not of type 'integer'" in third[2]["content"]
    assert '"required":["age"]' in third[2]["content"]


async def test_at_last_it_is_refused(exchange: MakeExchange) -> None:
    x, target = exchange(body=json.dumps(ASKED).encode()), Saying("seven", "eight", "nine")
    with pytest.raises(GatewayError, match="does not follow the schema") as refused:
        await _answer(_policy(schema=AGE, retries=1), x, target)
    assert (refused.value.http_status, refused.value.error_code) == (422, "output_schema_failed")
    assert len(target.asked) == 2
    assert x.notes["output_schema"] == "refused after 2 answers: $ json"


async def test_what_is_sure_is_repaired_and_not_asked_again(exchange: MakeExchange) -> None:
    x, target = exchange(body=json.dumps(ASKED).encode()), Saying('Sure:\n```json\n{"age": 7,}\n```')
    assert await _answer(_policy(schema=AGE), x, target) == '{"age": 7}'
    assert x.notes["output_schema"] == "repaired"
    x, target = exchange(body=json.dumps(ASKED).encode()), Saying('{"age": 7,}', '{"age": 7}')
    assert await _answer(_policy(schema=AGE, repair=False), x, target) == '{"age": 7}'
    assert len(target.asked) == 2


async def test_a_failure_of_the_target_is_its_own(exchange: MakeExchange) -> None:
    with pytest.raises(Unavailable):
        await _answer(_policy(schema=AGE), exchange(body=json.dumps(ASKED).encode()), Saying("seven"))


async def test_the_schema_of_the_request(exchange: MakeExchange) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "age", "schema": AGE}}
    x, target = exchange(body=json.dumps({**ASKED, "response_format": form}).encode()), Saying("7", '{"age": 7}')
    assert await _answer(_policy(), x, target) == '{"age": 7}'
    assert "The schema:" not in target.asked[1].decode()
    x, target = (
        exchange(body=json.dumps({**ASKED, "response_format": {"type": "json_object"}}).encode()),
        Saying("[]", "{}"),
    )
    assert await _answer(_policy(), x, target) == "{}"
    x, target = exchange(body=json.dumps(ASKED).encode()), Saying("seven")
    policy = _policy()
    assert await _answer(policy, x, target) == "seven"
    assert policy.explain(x) == "the request asks for no schema"


@pytest.mark.parametrize("on_error", ["open", "closed"])
async def test_a_schema_that_is_none(on_error: Any, exchange: MakeExchange) -> None:
    """Never told as checked."""
    form = {"type": "json_schema", "json_schema": {"name": "age", "schema": {"patternProperties": {}}}}
    x = exchange(body=json.dumps({**ASKED, "response_format": form}).encode())
    x.state = [None] * 9
    reply = await _policy(on_error=on_error).on_request(x)
    assert (reply is None) == (on_error == "open")
    assert x.notes["output_schema"].startswith("failed: `patternProperties`")


@pytest.mark.parametrize("on_error", ["open", "closed"])
async def test_a_schema_that_never_ends(on_error: Any, exchange: MakeExchange) -> None:
    x, policy = exchange(body=json.dumps(ASKED).encode()), _policy(schema={"$ref": "#"}, on_error=on_error)
    if on_error == "open":
        assert await _answer(policy, x, Saying("{}")) == "{}"
    else:
        with pytest.raises(GatewayError, match="takes too long"):
            await _answer(policy, x, Saying("{}"))
    assert x.notes["output_schema"].startswith("failed: ")


async def test_errors_are_none_of_its_business(exchange: MakeExchange) -> None:
    class Refusing(Scripted):
        async def send(self, x: Exchange) -> Answer:
            return Answer(400, [], body=b"no", code="rate_limited")

    x = exchange(body=json.dumps(ASKED).encode())
    x.state = [None] * 9
    assert await _policy(schema=AGE).on_request(x) is None
    (put_around,) = x.around
    answer = await put_around(Refusing("up/a")).send(x)
    assert answer.body == b"no"
