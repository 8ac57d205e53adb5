"""Parameters and system prompts are set in the bytes of a request; every other byte is the caller's own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import Adjustment
from proxy.dialects.adjust import adjusted

CHAT, RESPONSES, MESSAGES, GEMINI = "openai_chat", "openai_responses", "anthropic_messages", "gemini"
ALL: dict[str, Any] = {
    "temperature": 0.2,
    "top_p": 0.9,
    "top_k": 40,
    "max_tokens": 300,
    "stop": ["END"],
    "seed": 7,
    "presence_penalty": 0.5,
    "frequency_penalty": -0.5,
    "reasoning_effort": "low",
}


def _set(dialect: str, body: str, **parameters: Any) -> str:
    return adjusted(body.encode(), dialect, Adjustment(parameters=parameters))[0].decode()


def _said(dialect: str, body: str, text: str, place: Any = "replace") -> str:
    return adjusted(body.encode(), dialect, Adjustment(system=text, place=place))[0].decode()


@pytest.mark.parametrize(
    ("dialect", "body", "lost"),
    [
        (CHAT, {"max_completion_tokens": 300, **{name: ALL[name] for name in ALL if name != "max_tokens"}}, ()),
        (
            RESPONSES,
            {"temperature": 0.2, "top_p": 0.9, "max_output_tokens": 300, "reasoning": {"effort": "low"}},
            ("top_k", "stop", "seed", "presence_penalty", "frequency_penalty"),
        ),
        (
            MESSAGES,
            {
                "temperature": 0.2,
                "top_p": 0.9,
                "top_k": 40,
                "max_tokens": 300,
                "stop_sequences": ["END"],
                "output_config": {"effort": "low"},
            },
            ("seed", "presence_penalty", "frequency_penalty"),
        ),
        (
            GEMINI,
            {
                "generationConfig": {
                    "temperature": 0.2,
                    "topP": 0.9,
                    "topK": 40,
                    "maxOutputTokens": 300,
                    "stopSequences": ["END"],
                    "seed": 7,
                    "presencePenalty": 0.5,
                    "frequencyPenalty": -0.5,
                }
            },
            ("reasoning_effort",),
        ),
    ],
)
def test_every_parameter_by_its_name_in_each_dialect(dialect: str, body: dict[str, Any], lost: tuple[str, ...]) -> None:
    """Added where there is none; what has no name there is told."""
    found, told = adjusted(b'{"x": 1}', dialect, Adjustment(parameters=ALL))
    assert (json.loads(found), told) == ({"x": 1, **body}, lost)


@pytest.mark.parametrize(
    ("dialect", "before", "after"),
    [
        (CHAT, '{ "max_tokens" : 9 ,"a":1}', '{ "max_tokens" : 300 ,"a":1}'),
        (CHAT, '{"max_tokens":9, "max_completion_tokens":8}', '{"max_tokens":300, "max_completion_tokens":300}'),
        (CHAT, '{"max\\u005ftokens":9}', '{"max\\u005ftokens":300}'),
        (CHAT, '{"a":{"max_tokens":1}}', '{"a":{"max_tokens":1},"max_completion_tokens":300}'),
        (CHAT, '{"max_tokens":1,"max_tokens":2}', '{"max_tokens":300,"max_tokens":300}'),
        (RESPONSES, '{"max_output_tokens":null}', '{"max_output_tokens":300}'),
        (
            GEMINI,
            '{"generation_config": {"max_output_tokens":9} }',
            '{"generation_config": {"max_output_tokens":300} }',
        ),
        (GEMINI, '{"generationConfig":{"topK":1}}', '{"generationConfig":{"topK":1,"maxOutputTokens":300}}'),
        (GEMINI, '{"generationConfig":null}', '{"generationConfig":{"maxOutputTokens":300}}'),
        (GEMINI, '{"generationConfig": {}}', '{"generationConfig": {"maxOutputTokens":300}}'),
    ],
)
def test_a_parameter_is_replaced_where_it_stands(dialect: str, before: str, after: str) -> None:
    assert _set(dialect, before, max_tokens=300) == after


@pytest.mark.parametrize(
    ("dialect", "place", "before", "after"),
    [
        (CHAT, "replace", '{"messages":[ ]}', '{"messages":[{"role":"system","content":"B\\"e"} ]}'),
        (
            CHAT,
            "prepend",
            '{"messages": [{"role":"user"}]}',
            '{"messages": [{"role":"system","content":"B\\"e"},{"role":"user"}]}',
        ),
        (
            CHAT,
            "replace",
            '{"messages":[{"content": "a", "role":"developer"}, {"role":"system","content":"b"}, {"role":"user"}]}',
            '{"messages":[{"content": "B\\"e", "role":"developer"}, {"role":"user"}]}',
        ),
        (
            CHAT,
            "prepend",
            '{"messages":[{"role":"system","content":"a"},{"role":"system","content":"b"}]}',
            '{"messages":[{"role":"system","content":"B\\"e\\n\\na"},{"role":"system","content":"b"}]}',
        ),
        (
            CHAT,
            "append",
            '{"messages":[{"role":"system","content":"a"},{"role":"system","content":[{"type":"text"}]},{"role":"user"}]}',
            '{"messages":[{"role":"system","content":"a"},{"role":"system","content":[{"type":"text"},'
            '{"type":"text","text":"B\\"e"}]},{"role":"user"}]}',
        ),
        (
            CHAT,
            "replace",
            '{"messages":[{"role":"user"},{"role":"system","content":"later"}]}',
            '{"messages":[{"role":"system","content":"B\\"e"},{"role":"user"},{"role":"system","content":"later"}]}',
        ),
        (RESPONSES, "append", '{"instructions":"a" }', '{"instructions":"a\\n\\nB\\"e" }'),
        (RESPONSES, "append", '{"instructions":""}', '{"instructions":"B\\"e"}'),
        (RESPONSES, "prepend", '{"instructions":null}', '{"instructions":"B\\"e"}'),
        (
            RESPONSES,
            "replace",
            '{"input":[{"role":"developer","content":"a"}, {"role":"user"}]}',
            '{"input":[{"role":"user"}],"instructions":"B\\"e"}',
        ),
        (RESPONSES, "replace", '{"input":"a"}', '{"input":"a","instructions":"B\\"e"}'),
        (
            RESPONSES,
            "replace",
            '{"input":[{"role":"system","content":"a"}]}',
            '{"input":[],"instructions":"B\\"e"}',
        ),
        (MESSAGES, "prepend", '{"system":"a"}', '{"system":"B\\"e\\n\\na"}'),
        (
            MESSAGES,
            "prepend",
            '{"system":[{"type":"text","text":"a"}]}',
            '{"system":[{"type":"text","text":"B\\"e"},{"type":"text","text":"a"}]}',
        ),
        (MESSAGES, "append", '{"system":[]}', '{"system":[{"type":"text","text":"B\\"e"}]}'),
        (MESSAGES, "replace", '{"system":[{"type":"text","text":"a"}]}', '{"system":"B\\"e"}'),
        (MESSAGES, "append", '{"model":"m"}', '{"model":"m","system":"B\\"e"}'),
        (
            GEMINI,
            "append",
            '{"system_instruction":{"parts":[{"text":"a"}]}}',
            '{"system_instruction":{"parts":[{"text":"a"},{"text":"B\\"e"}]}}',
        ),
        (GEMINI, "replace", '{"systemInstruction":{"x":1}}', '{"systemInstruction":{"parts":[{"text":"B\\"e"}]}}'),
        (
            GEMINI,
            "prepend",
            '{"contents":[]}',
            '{"contents":[],"systemInstruction":{"parts":[{"text":"B\\"e"}]}}',
        ),
    ],
)
def test_the_system_prompt_of_each_dialect(dialect: str, place: str, before: str, after: str) -> None:
    assert _said(dialect, before, 'B"e', place) == after


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (CHAT, '{"messages":"a"}'),
        (CHAT, '{"prompt":"a"}'),
        (CHAT, '{"messages":[],"messages":[]}'),
        (CHAT, '{"messages":[{"role":"system"}]}'),
        (CHAT, '{"messages":[{"role":"user","role":"system","content":"a"}]}'),
        (CHAT, '{"messages":[{"role":"system","content":3}]}'),
        (RESPONSES, '{"instructions":"a","instructions":"b"}'),
        (MESSAGES, '{"system":{"text":"a"}}'),
        (GEMINI, '{"systemInstruction":{},"system_instruction":{}}'),
        (GEMINI, '{"systemInstruction":"a"}'),
        (GEMINI, '{"systemInstruction":{"parts":{"text":"a"}}}'),
    ],
)
def test_a_doubt_is_no_way_around_it(dialect: str, body: str) -> None:
    """What could be read in two ways, or not at all, raises: else a caller could keep the prompt from being set."""
    with pytest.raises(ValueError, match=r"\w"):
        _said(dialect, body, "Be brief.", "append")


@pytest.mark.parametrize("dialect", [CHAT, RESPONSES, MESSAGES, GEMINI])
def test_a_question_for_the_number_of_tokens_has_no_parameters(dialect: str) -> None:
    """But a system prompt, where it may have one."""
    body = b'{"messages":[]}'
    found, lost = adjusted(body, dialect, Adjustment(parameters=ALL, system="Be brief."), counts=True)
    assert lost == ()
    assert (b"Be brief." in found) == (dialect != GEMINI)
    assert b"0.2" not in found


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=8,
)


@given(
    head=st.lists(_WORDS, max_size=2),
    others=st.dictionaries(st.sampled_from(["seed", "user", "tools", "x messages"]), _VALUES, max_size=3),
    text=_WORDS.filter(bool),
    place=st.sampled_from(["prepend", "append"]),
    indent=st.sampled_from([None, 1]),
    is_ascii=st.booleans(),
)
def test_all_other_bytes_stay(
    head: list[str], others: dict[str, Any], text: str, place: str, indent: int | None, is_ascii: bool
) -> None:
    """What is added is added in one or two places, and says what it should; nothing else moves."""
    messages = [*({"role": "system", "content": one} for one in head), {"role": "user", "content": "Hi"}]
    body = json.dumps({"messages": messages, **others}, indent=indent, ensure_ascii=is_ascii)
    found = _said(CHAT, body, text, place)
    at = 0 if place == "prepend" else -1
    if head:
        said = [one for one in ((text, head[at]) if place == "prepend" else (head[at], text)) if one]
        messages[at if place == "prepend" else len(head) - 1] = {"role": "system", "content": "\n\n".join(said)}
    else:
        messages.insert(0, {"role": "system", "content": text})
    assert json.loads(found) == {"messages": messages, **others}
    added = len(found) - len(body)
    assert any(found[:cut] + found[cut + added :] == body for cut in range(len(body) + 1))
