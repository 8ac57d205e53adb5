"""Conversations go on where they were, for those whose they are; and proofs of thought come back."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from proxy.chat import (
    Chat,
    Choice,
    Citation,
    Completion,
    Foreign,
    Media,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from proxy.conversations.earlier import PREFIX, Conversations, new_id
from proxy.dialects.openai_responses.answer import write_answer
from proxy.dialects.openai_responses.request import read_request
from proxy.errors import BadRequest
from proxy.store.memory import MemoryStore

_CALL = ToolCall(id="c1", name="f", arguments="{}")


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _asked(**members: Any) -> Chat:
    return read_request(json.dumps({"model": "m", "input": "Hi", **members}).encode())


async def _answered(kept: Conversations, chat: Chat, *parts: Part, scope: str = "acme") -> str:
    completion = Completion(id=new_id(), model="m", choices=[Choice(parts=list(parts))])
    await kept.keep(scope, completion.id, chat, completion, write_answer(completion, chat))
    return completion.id


def _new() -> Conversations:
    return Conversations(MemoryStore(1 << 20), 100)


async def test_a_conversation_goes_on() -> None:
    kept = _new()
    first = await _answered(kept, _asked(instructions="Be."), Text("Hello"), _CALL)
    result = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
    chat = await kept.expand("acme", _asked(input=[result], previous_response_id=first, instructions="Be brief."))
    assert chat.messages == [
        Message("system", [Text("Be brief.")]),
        Message("user", [Text("Hi")]),
        Message("assistant", [Text("Hello"), _CALL]),
        Message("user", [ToolResult(call_id="c1", parts=(Text("ok"),))]),
    ]
    assert (chat.previous, chat.continued) == (None, first)
    second = await _answered(kept, chat, Text("Done"))
    third = await kept.expand("acme", _asked(input="And?", previous_response_id=second))
    assert [message.role for message in third.messages] == ["user", "assistant", "user", "assistant", "user"]


async def test_every_kind_of_part_is_kept_as_it_is() -> None:
    parts: list[Part] = [
        Reasoning(text="hm", signature="S", origin="anthropic"),
        Reasoning(redacted="R", origin="anthropic"),
        Text("a", citations=(Citation(url="https://a.example", value={"b": [1, None]}, origin="gemini"),)),
        Media(kind="image", data="AAAA", media_type="image/png"),
        Refusal("no"),
        Foreign(origin="gemini", what="x", value={"a": [1.5, "\u2028"]}),
        ToolCall(id="c", name="f", arguments="{}", signature="S", origin="gemini"),
    ]
    kept = _new()
    first = await _answered(kept, _asked(), *parts)
    chat = await kept.expand("acme", _asked(previous_response_id=first))
    assert chat.messages[1].parts == parts


@pytest.mark.parametrize("given", ["resp_68aa", "resp_sg_x", PREFIX + "a" * 32, "", "\0"])
async def test_what_is_not_kept_is_not_found(given: str) -> None:
    with pytest.raises(BadRequest) as caught:
        await _new().expand("acme", _asked(previous_response_id=given))
    assert (caught.value.error_code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


async def test_what_belongs_to_another_key_is_told_like_what_does_not_exist() -> None:
    kept = _new()
    first = await _answered(kept, _asked(), Text("secret"))
    other = PREFIX + "a" * 32
    messages = []
    for given in (first, other):
        with pytest.raises(BadRequest) as caught:
            await kept.expand("rival", _asked(previous_response_id=given))
        messages.append(caught.value.message.replace(given, "ID"))
    assert messages[0] == messages[1]
    assert await kept.get("rival", first) is None
    assert await kept.items("rival", first) is None
    assert not await kept.delete("rival", first)
    assert await kept.get("acme", first) is not None


async def test_nothing_is_kept_that_shall_not_be_stored() -> None:
    kept = _new()
    assert await kept.get("acme", await _answered(kept, _asked(store=False), Text("x"))) is None


async def test_a_conversation_ends_with_its_lifetime() -> None:
    clock = _Clock()
    kept = Conversations(MemoryStore(1 << 20, clock=clock), 100)
    first = await _answered(kept, _asked(), Text("x"))
    clock.now = 99
    assert await kept.get("acme", first)
    clock.now = 101
    assert await kept.get("acme", first) is None


async def test_an_answer_can_be_fetched_listed_and_deleted() -> None:
    kept = _new()
    chat = _asked(instructions="Be.")
    first = await _answered(kept, chat, Text("Hello"))
    body = await kept.get("acme", first)
    assert body is not None
    assert json.loads(body)["output"][0]["content"][0]["text"] == "Hello"
    page = await kept.items("acme", first)
    assert page is not None
    assert [item["content"][0]["text"] for item in json.loads(page)["data"]] == ["Hi"]
    with pytest.raises(BadRequest):
        await kept.items("acme", first, after="other")
    assert await kept.delete("acme", first)
    assert not await kept.delete("acme", first)
    assert await kept.items("acme", first) is None


async def test_a_request_that_goes_on_from_nothing_stays_as_it_is() -> None:
    chat = _asked()
    assert await _new().expand("acme", chat) is chat


async def test_references_to_items_become_the_items() -> None:
    """Some clients send them in place of what they were given."""
    kept = _new()
    first = await _answered(
        kept, _asked(), Reasoning(text="hm", signature="S", origin="anthropic"), Text("Hello"), _CALL
    )
    output = msgspec.json.decode(await kept.get("acme", first) or b"")["output"]
    references = [{"type": "item_reference", "id": item["id"]} for item in output]
    result = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
    chat = await kept.expand("acme", _asked(input=[{"role": "user", "content": "Hi"}, *references, result]))
    assert chat.messages[1].parts == [
        Reasoning(text="hm", signature="S", origin="anthropic", is_summary=True),
        Text("Hello"),
        _CALL,
    ]


@pytest.mark.parametrize("item", ["msg_68aa", f"msg_sg_{'a' * 32}_0"])
async def test_a_reference_to_nothing_is_refused(item: str) -> None:
    with pytest.raises(BadRequest) as caught:
        await _new().expand("acme", _asked(input=[{"type": "item_reference", "id": item}]))
    assert caught.value.error_code == "item_not_found"


async def test_a_reference_beyond_the_last_item_is_refused() -> None:
    kept = _new()
    first = await _answered(kept, _asked(), Text("Hello"))
    with pytest.raises(BadRequest):
        await kept.expand("acme", _asked(input=[{"id": f"msg_{first.removeprefix('resp_')}_7"}]))


async def test_nothing_is_answered_in_the_background() -> None:
    with pytest.raises(BadRequest) as caught:
        await _new().expand("acme", _asked(background=True))
    assert caught.value.param == "background"


async def test_what_cannot_be_packed_is_forgotten() -> None:
    kept = _new()
    first = await _answered(kept, _asked(), Foreign(origin="gemini", what="x", value={"n": 10**30}))
    assert await kept.get("acme", first) is None


def test_ids_of_ours_are_known() -> None:
    kept = _new()
    assert kept.owns(new_id())
    assert not kept.owns("resp_1")


def _completion(*parts: Part) -> Completion:
    return Completion(id="x", model="m", choices=[Choice(parts=list(parts))])


async def test_lost_proofs_come_back() -> None:
    """Before the calls that they led to, and before the text between."""
    kept = _new()
    thought = Reasoning(text="hm", signature="S", origin="anthropic")
    hidden = Reasoning(redacted="R", origin="anthropic")
    second = ToolCall(id="c2", name="g", arguments="{}", signature="T", origin="gemini")
    await kept.remember("acme", _completion(thought, hidden, Text("I look"), _CALL, second))
    lost = Chat(
        model="m",
        messages=[
            Message("user", [Text("Hi")]),
            Message("assistant", [Text("I look"), _CALL, ToolCall(id="c2", name="g", arguments="{}")]),
        ],
    )
    found = await kept.remind("acme", lost)
    assert found.messages[1].parts == [thought, hidden, Text("I look"), _CALL, second]
    assert len(lost.messages[1].parts) == 3
    assert (await kept.remind("rival", lost)) is lost


async def test_thoughts_between_calls_stay_between_them() -> None:
    kept = _new()
    first, then = (Reasoning(text=text, signature=text, origin="anthropic") for text in "ab")
    other = ToolCall(id="c2", name="g", arguments="{}")
    await kept.remember("acme", _completion(first, _CALL, then, other))
    chat = await kept.remind("acme", Chat(model="m", messages=[Message("assistant", [_CALL, other])]))
    assert chat.messages[0].parts == [first, _CALL, then, other]


@pytest.mark.parametrize(
    "parts",
    [
        [Text("no call")],
        [Reasoning(text="own"), _CALL],
        [ToolCall(id="unknown", name="f", arguments="{}")],
        [ToolCall(id="c1", name="other", arguments="{}")],
        [ToolCall(id="c1", name="f", arguments="{}", signature="own", origin="gemini")],
    ],
)
async def test_what_lacks_nothing_or_is_unknown_stays_as_it_is(parts: list[Part]) -> None:
    kept = _new()
    await kept.remember("acme", _completion(Reasoning(text="hm", signature="S", origin="anthropic"), _CALL))
    chat = Chat(model="m", messages=[Message("assistant", parts), Message("user", [Text("x")])])
    assert await kept.remind("acme", chat) is chat


async def test_thoughts_that_nobody_signed_are_not_remembered() -> None:
    store = MemoryStore(1 << 20)
    await Conversations(store, 100).remember("acme", _completion(Reasoning(text="hm"), _CALL))
    assert len(store) == 0
