"""Markers are inserted into the caller's bytes, and nothing else changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import Cache, PromptCache
from proxy.dialects.spliced_cache import place_markers

MARK = b'"cache_control":{"type":"ephemeral"}'
ALL = PromptCache()


def test_markers_stand_at_the_last_tool_the_system_prompt_and_the_last_message() -> None:
    body = (
        b'{ "model":"m","tools":[{"name":"a"}, {"name":"b" }],"system" : "be brief",\n'
        b' "messages":[{"role":"user","content":"hi"},{"role":"user","content":[{"type":"text","text":"x"}]}]}'
    )
    assert place_markers(body, ALL) == (
        b'{ "model":"m","tools":[{"name":"a"}, {"name":"b" ,%b}],"system" : [{"type":"text","text":"be brief",%b}],\n'
        b' "messages":[{"role":"user","content":"hi"},{"role":"user","content":[{"type":"text","text":"x",%b}]}]}'
    ) % (MARK, MARK, MARK)


def test_an_hour_is_said() -> None:
    body = b'{"messages":[{"content":"a"}]}'
    assert b'{"type":"ephemeral","ttl":"1h"}' in place_markers(body, PromptCache(cache=Cache("1h")))


@pytest.mark.parametrize(
    "body",
    [
        b'{"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}],"messages":[{"content":"a"}]}',
        b'{"cache_control":{"type":"ephemeral"},"messages":[{"content":"a"}]}',
        b'{"messages":[],"system":""}',
        b'{"messages":7,"tools":{}}',
        b'{"messages":[{"content":"a"}],"messages":[{"content":"a"}]}',
        b'{"messages":[{"content":null}]}',
        b'{"x":{"messages":[{"content":"a"}]},"mess\\u0061ges":[{"content":"a"}]}',
        b'{"messages":[{"content":"a"}],"cache\\u005fcontrol":{}}',
        b'{"messages":[{"content":[{"type":"thinking","thinking":"t"},{"type":"text","text":""}]}]}',
        b'{"messages":["a"]}',
        b"[]",
        b"",
    ],
)
def test_a_body_that_has_markers_or_no_place_for_them_stays_as_it_is(body: bytes) -> None:
    assert place_markers(body, ALL) is body


def test_thoughts_and_empty_texts_carry_no_marker() -> None:
    blocks = [
        {"type": "tool_use", "id": "1", "name": "t", "input": {}},
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "text", "text": ""},
    ]
    placed = json.loads(place_markers(json.dumps({"messages": [{"content": blocks}]}).encode(), ALL))
    assert [list(block)[-1] for block in placed["messages"][0]["content"]] == ["cache_control", "signature", "text"]


def test_in_openais_form_texts_alone_carry_markers_and_the_system_prompt_is_a_message() -> None:
    body = json.dumps(
        {
            "tools": [{"type": "function"}],
            "messages": [
                {"role": "system", "content": "a"},
                {"role": "developer", "content": [{"type": "text", "text": "b"}]},
                {"role": "user", "content": [{"type": "text", "text": "c"}, {"type": "image_url"}]},
                {"role": "assistant", "content": None},
            ],
        }
    ).encode()
    placed = json.loads(place_markers(body, PromptCache(messages=(0, -1)), "openai_chat"))
    marked = [isinstance(one["content"], list) and "cache_control" in one["content"][0] for one in placed["messages"]]
    assert marked == [False, True, True, False]
    assert placed["tools"] == [{"type": "function"}]


_TEXTS = st.text(max_size=12)
_BLOCKS: Any = st.one_of(
    _TEXTS.map(lambda text: {"type": "text", "text": text}),
    st.just({"type": "image", "source": {"type": "url", "url": "https://a.b/c.png"}}),
    st.just({"type": "thinking", "thinking": "]}", "signature": "s"}),
    st.just({}),
)
_CONTENT = _TEXTS | st.lists(_BLOCKS, max_size=3)
_BODIES = st.fixed_dictionaries(
    {"messages": st.lists(st.builds(lambda found: {"role": "user", "content": found}, _CONTENT), max_size=5)},
    optional={
        "system": _CONTENT,
        "tools": st.lists(st.just({"name": 't"{', "input_schema": {}}), max_size=3),
        "x": _BLOCKS,
    },
)
_WANTED = st.builds(
    PromptCache,
    tools=st.booleans(),
    system=st.booleans(),
    messages=st.lists(st.integers(-6, 6), max_size=4).map(tuple),
)


def _without_markers(body: bytes, original: bytes) -> bytes:
    """``body`` without the markers, and without the lists that were put around texts for them."""
    body = body.replace(b"," + MARK, b"").replace(MARK, b"")
    begin = b'[{"type":"text","text":'
    out, at, mine = b"", 0, 0
    while at < len(body):
        if body.startswith(begin, at) and not original.startswith(begin, mine):
            at += len(begin)
        elif body.startswith(b"}]", at) and not original.startswith(b"}]", mine):
            at += 2
        else:
            out += body[at : at + 1]
            at, mine = at + 1, mine + 1
    return out


@given(value=_BODIES, wanted=_WANTED, indent=st.none() | st.just(1), dialect=st.sampled_from(["anthropic_messages"]))
def test_without_its_markers_the_body_is_the_callers_own(
    value: dict[str, Any], wanted: PromptCache, indent: int | None, dialect: str
) -> None:
    body = json.dumps(value, indent=indent).encode()
    placed = place_markers(body, wanted, dialect)
    json.loads(placed)
    assert placed.count(MARK) <= 4
    assert _without_markers(placed, body) == body


@given(value=_BODIES, wanted=_WANTED)
def test_markers_stand_where_a_reader_of_the_whole_request_would_put_them(
    value: dict[str, Any], wanted: PromptCache
) -> None:
    """A second, plain way to the same request: decode, place, compare."""
    expected = json.loads(json.dumps(value))
    budget = [4]

    def mark(holder: Any, key: Any) -> None:
        content = holder[key]
        if isinstance(content, str):
            if content and budget[0]:
                holder[key] = [{"type": "text", "text": content, "cache_control": {"type": "ephemeral"}}]
                budget[0] -= 1
            return
        for block in reversed(content):
            if block.get("type") != "thinking" and block != {"type": "text", "text": ""}:
                block["cache_control"] = {"type": "ephemeral"}
                budget[0] -= 1
                return

    if wanted.tools and expected.get("tools"):
        expected["tools"][-1]["cache_control"] = {"type": "ephemeral"}
        budget[0] -= 1
    if wanted.system and "system" in expected:
        mark(expected, "system")
    count = len(expected["messages"])
    for at in dict.fromkeys(at % count for at in wanted.messages if -count <= at < count):
        if budget[0]:
            mark(expected["messages"][at], "content")
    assert json.loads(place_markers(json.dumps(value).encode(), wanted)) == expected
