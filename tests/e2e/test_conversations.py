"""State of the Responses API on a provider that has none, and signatures for clients that lose them."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream

KEYS = ("sk-gate-first-0123456789abcdef", "sk-gate-second-0123456789abcdef")
_NUMBERS = itertools.count(1)
_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture(scope="module")
def gateway(upstream_process: FakeUpstream, module_gateway: Any) -> Gateway:
    """Two keys, and a provider that speaks Anthropic's dialect alone."""
    keys = ", ".join(f'k{at}: {{hash: "sha256:{_hash(key)}"}}' for at, key in enumerate(KEYS))
    found: Gateway = module_gateway(
        f"""\
listen: 127.0.0.1:8080
providers:
  claude: {{kind: anthropic, api_key: sk-ant-upstream-secret, base_url: {upstream_process.origin}}}
tenants: {{acme: {{teams: {{search: {{keys: {{{keys}}}}}}}}}}}
routes:
  all: {{policies: [authenticate], target: claude/*}}
"""
    )
    return found


@pytest.fixture
def client(gateway: Gateway, blocking_client: Callable[..., openai.OpenAI]) -> openai.OpenAI:
    """Whoever has the first key."""
    return blocking_client(f"{gateway.origin}/v1", KEYS[0])


@pytest.fixture
def stranger(gateway: Gateway, blocking_client: Callable[..., openai.OpenAI]) -> openai.OpenAI:
    """Whoever has the second."""
    return blocking_client(f"{gateway.origin}/v1", KEYS[1])


def _model(upstream: FakeUpstream, **say: Any) -> str:
    model = f"claude-sonnet-4-5-state-{next(_NUMBERS)}"
    upstream.tell(model, say=say)
    return model


def _last(upstream: FakeUpstream, model: str) -> Any:
    """The body of the newest request for ``model``."""
    bodies = [json.loads(body_of(one)) for one in upstream.journal().requests()]
    return next(body for body in reversed(bodies) if body["model"] == model)


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_goes_on_from_its_last_answer(
    client: openai.OpenAI, upstream: FakeUpstream, stream: bool
) -> None:
    """The provider is told everything again, but for the instructions of before."""
    model = _model(upstream, parts=[{"kind": "text", "pieces": ["Ul", "m."]}])
    first: Any
    if stream:
        with client.responses.stream(model=model, instructions="Be brief.", input="Which town?") as events:
            first = events.get_final_response()
    else:
        first = client.responses.create(model=model, instructions="Be brief.", input="Which town?")
    assert first.id.startswith("resp_sg_")
    second = client.responses.create(model=model, input="And the river?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    sent = _last(upstream, model)
    assert "system" not in sent
    assert [(turn["role"], turn["content"][0]["text"]) for turn in sent["messages"]] == [
        ("user", "Which town?"),
        ("assistant", "Ulm."),
        ("user", "And the river?"),
    ]
    third = client.responses.create(model=model, input="And the hill?", previous_response_id=second.id)
    assert len(_last(upstream, model)["messages"]) == 5
    assert client.responses.retrieve(third.id).output_text == "Ulm."
    items = client.responses.input_items.list(second.id)
    assert len(items.data) == 3


def test_a_conversation_belongs_to_its_key_and_can_be_deleted(
    client: openai.OpenAI, stranger: openai.OpenAI, upstream: FakeUpstream
) -> None:
    """Another key is told what it would be told of an id that never was."""
    model = _model(upstream, parts=[{"kind": "text", "pieces": ["Ulm."]}])
    kept = client.responses.create(model=model, input="Which town?")
    for who, id_ in ((stranger, kept.id), (client, "resp_sg_" + "0" * 32)):
        with pytest.raises(openai.BadRequestError) as caught:
            who.responses.create(model=model, input="And?", previous_response_id=id_)
        assert caught.value.code == "previous_response_not_found"
        with pytest.raises(openai.NotFoundError):
            who.responses.retrieve(id_)
    client.responses.delete(kept.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(kept.id)


def test_what_shall_not_be_kept_is_not(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    model = _model(upstream, parts=[{"kind": "text", "pieces": ["Ulm."]}])
    answer = client.responses.create(model=model, input="Which town?", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(answer.id)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_loses_signatures_gets_them_back(
    client: openai.OpenAI, upstream: FakeUpstream, stream: bool
) -> None:
    """It sends nothing but what OpenAI's own format knows; the provider refuses a thinking model's call without."""
    call = f"toolu_{next(_NUMBERS)}"
    parts = [
        {"kind": "reasoning", "pieces": ["Let me ", "look."], "signature": "c2lnbmVk"},
        {"kind": "call", "id": call, "name": "look", "pieces": ["{}"]},
    ]
    model = _model(upstream, parts=parts, stop="tool_calls")
    asked: dict[str, Any] = {"model": model, "tools": [_TOOL], "reasoning_effort": "low", "max_tokens": 4000}
    turns: list[Any] = [{"role": "user", "content": "Look."}]
    if stream:
        for _ in client.chat.completions.create(**asked, messages=turns, stream=True):
            pass
    else:
        client.chat.completions.create(**asked, messages=turns)
    made = {"id": call, "type": "function", "function": {"name": "look", "arguments": "{}"}}
    turns += [
        {"role": "assistant", "content": None, "tool_calls": [made]},
        {"role": "tool", "tool_call_id": call, "content": "Nothing."},
    ]
    client.chat.completions.create(**asked, messages=turns)
    sent = _last(upstream, model)
    assert sent["thinking"]["type"] == "enabled"
    assert sent["messages"][1]["content"][0] == {
        "type": "thinking",
        "thinking": "Let me look.",
        "signature": "c2lnbmVk",
    }
