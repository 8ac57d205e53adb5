"""The caller's own bytes, for services that know some members by other names or not at all."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import Losses
from proxy.dialects.openai_chat.body import QUIRKS
from proxy.dialects.openai_chat.native import fitted
from proxy.dialects.openai_chat.turns import nine


def _fitted(body: bytes, *quirks: str, refuses: tuple[str, ...] = ()) -> tuple[bytes, list[str]]:
    losses = Losses()
    return fitted(body, frozenset(quirks), frozenset(refuses), losses), list(losses.names)


@pytest.mark.parametrize(
    ("body", "quirks", "refuses", "expected", "losses"),
    [
        (b'{"model":"m", "n":2}', (), ("n",), b'{"model":"m"}', ["n"]),
        (b'{"model":"m", "n":1}', (), ("n",), b'{"model":"m"}', []),
        (b'{"user":null,"model":"m"}', (), ("user",), b'{"model":"m"}', []),
        (b'{"safety_identifier":"a","model":"m"}', (), ("user",), b'{"model":"m"}', ["user"]),
        (b'{"model":"m","response_format":{"type":"json_object"}}', (), ("format",), b'{"model":"m"}', ["format"]),
        (b'{"prompt_cache_key":"k","model":"m"}', (), ("prompt_cache_key",), b'{"model":"m"}', []),
        (b'{"\\u006e":2,"model":"m"}', (), ("n",), b'{"model":"m"}', ["n"]),
        (b'{"max_completion_tokens":5}', ("max_tokens",), (), b'{"max_tokens":5}', []),
        (b'{"max_tokens":4,"max_completion_tokens":5}', ("max_tokens",), (), b'{"max_tokens":5}', []),
        (b'{"max_tokens":4}', ("max_tokens",), (), b'{"max_tokens":4}', []),
        (b'{"seed":5}', ("random_seed",), (), b'{"random_seed":5}', []),
        (b'{"seed":5}', ("random_seed",), ("seed",), b"{}", ["seed"]),
        (b'{"stream":true,"stream_options":{}}', ("no_stream_options",), (), b'{"stream":true}', []),
        (b'{"reasoning_effort":"low"}', ("none_or_high",), (), b'{"reasoning_effort":"high"}', []),
        (b'{"reasoning_effort":"high"}', ("none_or_high",), (), b'{"reasoning_effort":"high"}', []),
        (b'{"reasoning_effort":"low"}', ("none_or_high",), ("thinking",), b"{}", ["thinking"]),
        (
            b'{"messages":[ {"role":"developer","content":"\\u00e9"} ]}',
            ("no_developer",),
            (),
            b'{"messages":[ {"role":"system","content":"\\u00e9"} ]}',
            [],
        ),
        (
            b'{"messages":[{"role":"user","name":"n","content":"a"},{"role":"tool","name":"f","content":"b"}]}',
            ("no_names",),
            (),
            b'{"messages":[{"role":"user","content":"a"},{"role":"tool","name":"f","content":"b"}]}',
            ["messages[0].name"],
        ),
        (
            b'{"messages":[{"name":"n","role":"developer","content":"\\"name\\""}]}',
            ("no_names", "no_developer"),
            (),
            b'{"messages":[{"role":"system","content":"\\"name\\""}]}',
            ["messages[0].name"],
        ),
    ],
)
def test_members_are_dropped_renamed_and_replaced(
    body: bytes, quirks: tuple[str, ...], refuses: tuple[str, ...], expected: bytes, losses: list[str]
) -> None:
    assert _fitted(body, *quirks, refuses=refuses) == (expected, losses)


def test_ids_of_calls_are_mapped_where_they_stand() -> None:
    body = (
        b'{"messages":[{"role":"assistant","tool_calls":[ {"id":"call_1","function":{"name":"id","arguments":"{}"}} ,'
        b'{"id":"abcdefghi"}]},{"role":"tool","tool_call_id":"call_1","content":"call_1"}]}'
    )
    short = nine("call_1").encode()
    expected = body.replace(b'"id":"call_1"', b'"id":"%b"' % short).replace(
        b'"tool_call_id":"call_1"', b'"tool_call_id":"%b"' % short
    )
    assert _fitted(body, "tool_ids_9") == (expected, [])


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"messages":7,"tool_choice":"developer"}',
        b'{"n":2,"messages":7}x',
        b'{"messages":[7,"developer"]}',
        b'{"messages":[{"role":["developer"]}]}',
        b'{"messages":[{"role":"assistant","tool_calls":{"id":"x"}}]}',
        b'{"messages":[{"role":"tool","tool_call_id":7}]}',
    ],
)
def test_what_is_not_of_the_format_passes_as_it_is(body: bytes) -> None:
    """The service will judge it."""
    assert _fitted(body, *QUIRKS, refuses=("n",)) == (body, [])


_MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "developer", "system"]), "content": st.text(max_size=9)},
        optional={"name": st.text(max_size=3), "developer": st.just("name")},
    ),
    max_size=4,
)


@given(
    value=st.fixed_dictionaries(
        {"model": st.just("m"), "messages": _MESSAGES},
        optional={"n": st.integers(1, 2), "seed": st.integers(), "logit_bias": st.just({"1": 2}), "zz": st.text()},
    ),
    indent=st.none() | st.integers(0, 2),
)
def test_the_rest_says_what_it_said(value: dict[str, Any], indent: int | None) -> None:
    """Judged by a decoder: edited bytes are the request without what had to go."""
    body = json.dumps(value, indent=indent).encode()
    found = msgspec.json.decode(
        _fitted(body, "no_developer", "no_names", "random_seed", refuses=("n", "logit_bias"))[0]
    )
    expected = {name: one for name, one in msgspec.json.decode(body).items() if name not in ("n", "logit_bias")}
    if "seed" in expected:
        expected["random_seed"] = expected.pop("seed")
    for message in expected["messages"]:
        message.pop("name", None)
        message["role"] = "system" if message["role"] == "developer" else message["role"]
    assert found == expected


def test_nothing_to_change_changes_nothing() -> None:
    body = b'{ "model":"m","messages":[{"role":"user","content":"the \\"developer\\" and \\"name\\""}] }'
    assert _fitted(body, *QUIRKS, refuses=("n",))[0] is body
