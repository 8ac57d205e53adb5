"""What a target cannot take is taken out of a request, and named."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from proxy.chat import (
    Cache,
    Chat,
    Format,
    Losses,
    Media,
    Message,
    Part,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from proxy.choosing.capability import Capabilities
from proxy.dialects.fit import REFUSABLE, fit

ALL = Capabilities(audio=True, video=True, thinking="budget", prompt_cache="marks", json_schema=True)
NOTHING = Capabilities(
    vision=False,
    files=False,
    tools=False,
    parallel_tools=False,
    json_object=False,
    json_schema=False,
    max_output=16,
)
IMAGE = Media(kind="image", data="aGk=", media_type="image/png")


def chat_of(*parts: Part, **more: Any) -> Chat:
    return Chat(model="m", messages=[Message("user", list(parts) or [Text("hi")])], **more)


def losses_of(chat: Chat, can: Capabilities = ALL, lacks: frozenset[str] = frozenset()) -> tuple[Chat, list[str]]:
    losses = Losses()
    return fit(chat, lacks, can, losses), list(losses.names)


def test_a_request_that_fits_is_the_same_object() -> None:
    chat = chat_of(Text("a", cache=Cache()), IMAGE, temperature=0.5, tools=[Tool(name="t")], max_tokens=9)
    fitted, lost = losses_of(chat, replace(ALL, max_output=9), frozenset({"top_k", "seed"}))
    assert fitted is chat
    assert lost == []


def test_members_that_the_format_lacks_or_the_target_refuses_go_and_are_named_in_their_order() -> None:
    chat = chat_of(seed=1, top_k=3, temperature=0.2, stop=["x"])
    fitted, lost = losses_of(chat, replace(ALL, refuses=frozenset({"temperature"})), frozenset({"seed", "top_k"}))
    assert lost == ["top_k", "seed", "temperature"]
    assert (fitted.seed, fitted.top_k, fitted.temperature, fitted.stop) == (None, None, None, ["x"])
    assert chat.seed == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 1),
        ("presence_penalty", 0.0),
        ("logprobs", False),
        ("store", False),
        ("modalities", ["text"]),
        ("top_p", 1),
    ],
)
def test_a_value_that_asks_for_what_happens_anyway_is_no_loss(name: str, value: Any) -> None:
    fitted, lost = losses_of(chat_of(**{name: value}), lacks=frozenset({name}))
    assert lost == []
    assert getattr(fitted, name) is None


def test_several_answers_are_a_loss_where_one_is_all_there_is() -> None:
    assert losses_of(chat_of(n=2), lacks=frozenset({"n"}))[1] == ["n"]


def test_log_probabilities_go_with_their_number() -> None:
    fitted, lost = losses_of(chat_of(logprobs=True, top_logprobs=4), lacks=frozenset({"logprobs"}))
    assert (fitted.logprobs, fitted.top_logprobs, lost) == (None, None, ["logprobs"])


def test_members_without_a_neutral_name_go_by_the_name_that_the_caller_gave_them() -> None:
    fitted, lost = losses_of(chat_of(extra={"safety_settings": [1], "odd": 2}))
    assert lost == ["safety_settings", "odd"]
    assert fitted.extra == {}


def test_hints_about_caching_go_without_a_word() -> None:
    chat = chat_of(Text("a", cache=Cache()), cache=Cache(), prompt_cache_key="k", tools=[Tool(name="t", cache=Cache())])
    chat.messages.append(Message("user", [ToolResult(call_id="c", parts=(Text("r", cache=Cache()),), cache=Cache())]))
    before = copy.deepcopy(chat)
    fitted, lost = losses_of(chat, replace(ALL, prompt_cache="automatic"), frozenset({"prompt_cache_key"}))
    assert lost == []
    assert "Cache" not in repr(fitted)
    assert fitted.prompt_cache_key is None
    assert chat == before


def test_an_image_goes_and_a_message_with_nothing_else_says_so() -> None:
    chat = Chat(model="m", messages=[Message("user", [Text("see"), IMAGE]), Message("user", [IMAGE, IMAGE])])
    fitted, lost = losses_of(chat, replace(ALL, vision=False))
    assert [message.parts for message in fitted.messages] == [[Text("see")], [Text("(image left out)")]]
    assert lost == ["messages[0].image", "messages[1].image"]
    assert len(chat.messages[0].parts) == 2


def test_media_inside_results_of_tools_go_too() -> None:
    result = ToolResult(call_id="c", parts=(Text("look"), IMAGE, Media(kind="audio", data="")))
    fitted, lost = losses_of(chat_of(result), replace(ALL, vision=False, audio=False))
    assert fitted.messages[0].parts == [replace(result, parts=(Text("look"),))]
    assert lost == ["messages[0].image", "messages[0].audio"]


def test_an_empty_result_of_a_tool_stays_empty() -> None:
    chat = chat_of(ToolResult(call_id="c", parts=(), cache=Cache()))
    fitted, _ = losses_of(chat, replace(ALL, prompt_cache="none"))
    assert fitted.messages[0].parts == [ToolResult(call_id="c", parts=())]


def test_without_tools_earlier_calls_and_results_become_text() -> None:
    messages = [
        Message("assistant", [Text("let me see"), ToolCall(id="c", name="look", arguments='{"at":1}')]),
        Message("user", [ToolResult(call_id="c", name="look", parts=(Text("a dog"),)), Text("so?")]),
        Message("user", [ToolResult(call_id="d", parts=(IMAGE,), is_error=True)]),
    ]
    chat = Chat(
        model="m",
        messages=messages,
        tools=[Tool(name="look")],
        tool_choice=ToolChoice("auto"),
        parallel_tool_calls=False,
    )
    fitted, lost = losses_of(chat, replace(ALL, tools=False))
    assert (fitted.tools, fitted.tool_choice, fitted.parallel_tool_calls) == ([], None, None)
    assert fitted.messages[0].parts[1] == Text('(called the tool look with {"at":1})')
    assert fitted.messages[1].parts == [Text("(the tool look answered: a dog)"), Text("so?")]
    assert fitted.messages[2].parts == [Text("(the tool failed: (image left out))")]
    assert lost == ["tools", "messages[0].tool_calls", "messages[1].tool_result", "messages[2].tool_result"]


@pytest.mark.parametrize(("wanted", "lost"), [(True, ["parallel_tool_calls"]), (False, [])])
def test_parallel_calls_are_missed_only_by_those_who_want_them(wanted: bool, lost: list[str]) -> None:
    chat = chat_of(tools=[Tool(name="t")], parallel_tool_calls=wanted)
    fitted, names = losses_of(chat, replace(ALL, parallel_tools=False))
    assert (fitted.parallel_tool_calls, names) == (None, lost)


@pytest.mark.parametrize(
    ("can", "kind", "lost"),
    [
        ({"json_schema": True}, "json_schema", []),
        ({"json_schema": False}, "json_object", ["format.schema"]),
        ({"json_schema": False, "json_object": False}, None, ["format"]),
    ],
)
def test_a_schema_becomes_plain_json_where_that_is_all_there_is(
    can: dict[str, bool], kind: str | None, lost: list[str]
) -> None:
    chat = chat_of(format=Format(kind="json_schema", schema={"type": "object"}))
    fitted, names = losses_of(chat, replace(ALL, **can))
    assert (None if fitted.format is None else fitted.format.kind) == kind
    assert names == lost


def test_a_schema_that_is_had_by_a_tool_stays() -> None:
    chat = chat_of(format=Format(kind="json_schema", schema={"type": "object"}))
    can = replace(ALL, json_schema=False, json_object=False, json_by_tool=True)
    assert losses_of(chat, can) == (chat, [])


@pytest.mark.parametrize(("effort", "lost"), [("high", ["temperature"]), ("none", []), (None, [])])
def test_some_parameters_are_refused_only_by_a_model_that_thinks(effort: Any, lost: list[str]) -> None:
    chat = chat_of(temperature=0.5, thinking=None if effort is None else Thinking(effort=effort))
    fitted, names = losses_of(chat, replace(ALL, refuses_thinking=frozenset({"temperature"})))
    assert (fitted.temperature is None, names) == (bool(lost), lost)


@pytest.mark.parametrize(
    ("style", "thinking", "stays", "lost"),
    [
        ("none", Thinking(effort="high"), False, ["thinking"]),
        ("none", Thinking(effort="none"), False, []),
        ("none", Thinking(budget=0), False, []),
        ("none", Thinking(visible=True), False, ["thinking"]),
        ("always", Thinking(effort="none"), False, ["thinking"]),
        ("effort", Thinking(budget=5), True, []),
    ],
)
def test_thinking_goes_where_it_cannot_be_asked_for(
    style: Any, thinking: Thinking, stays: bool, lost: list[str]
) -> None:
    fitted, names = losses_of(chat_of(thinking=thinking), replace(ALL, thinking=style))
    assert (fitted.thinking == thinking, names) == (stays, lost)


def test_more_output_than_there_is_becomes_the_most_there_is() -> None:
    fitted, lost = losses_of(chat_of(max_tokens=10_000), replace(ALL, max_output=8192))
    assert (fitted.max_tokens, lost) == (8192, ["max_tokens"])


_texts = st.builds(Text, st.text(max_size=4), cache=st.none() | st.just(Cache()))
_media = st.builds(
    Media, kind=st.sampled_from(["image", "audio", "video", "file"]), data=st.just("aGk="), cache=st.none()
)
_calls = st.builds(ToolCall, id=st.just("c"), name=st.just("t"), arguments=st.just("{}"))
_results = st.builds(
    ToolResult, call_id=st.just("c"), parts=st.lists(_texts | _media, max_size=3).map(tuple), is_error=st.booleans()
)
_messages = st.lists(
    st.builds(
        Message,
        st.sampled_from(["user", "assistant", "system"]),
        st.lists(_texts | _media | _calls | _results | st.just(Reasoning(text="t")), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=4,
)
_chats = st.builds(
    Chat,
    model=st.just("m"),
    messages=_messages,
    top_k=st.none() | st.integers(1, 9),
    stop=st.lists(st.text(max_size=2), max_size=2),
    tools=st.lists(st.just(Tool(name="t")), max_size=1),
    max_tokens=st.none() | st.integers(1, 99),
    extra=st.dictionaries(st.text(min_size=1, max_size=3), st.integers(), max_size=2),
)
_capabilities = st.builds(
    Capabilities,
    vision=st.booleans(),
    files=st.booleans(),
    audio=st.booleans(),
    video=st.booleans(),
    tools=st.booleans(),
    max_output=st.none() | st.integers(1, 99),
    prompt_cache=st.sampled_from(["none", "automatic", "marks"]),
    refuses=st.frozensets(st.sampled_from(sorted(REFUSABLE)), max_size=3),
)


@given(chat=_chats, can=_capabilities)
def test_fitting_changes_nothing_in_place_and_fitting_again_changes_nothing_at_all(
    chat: Chat, can: Capabilities
) -> None:
    """What goes is gone after one pass, and a fitted request is its own fit."""
    before = copy.deepcopy(chat)
    fitted, lost = losses_of(chat, can, frozenset({"seed"}))
    assert chat == before
    again, more = losses_of(fitted, can, frozenset({"seed"}))
    assert again is fitted
    assert more == []
    assert lost or "cache" in repr(before) or fitted == chat
    assert all(message.parts for message in fitted.messages)


@given(chat=_chats)
def test_a_target_that_can_do_nothing_gets_plain_text(chat: Chat) -> None:
    fitted, _ = losses_of(chat, NOTHING, REFUSABLE)
    assert all(isinstance(part, Text | Reasoning) for message in fitted.messages for part in message.parts)
    said = {name: value for name, value in asdict(fitted).items() if name not in ("model", "messages")}
    assert not any(said.values())


@pytest.mark.parametrize("wanted", [Format(kind="json_object"), Format(kind="json_schema", schema={"type": "object"})])
def test_a_shape_that_is_had_by_a_tool_stays(wanted: Format) -> None:
    can = Capabilities(json_object=False, json_schema=False, json_by_tool=True)
    fitted, lost = losses_of(chat_of(format=wanted), can)
    assert (fitted.format, lost) == (wanted, [])
