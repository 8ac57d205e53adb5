"""The types of the wire take what the API documents, and leave the rest for later."""

from __future__ import annotations

import msgspec
import pytest

from proxy.dialects.anthropic_messages.wire import EVENT, KNOWN, REQUEST
from proxy.dialects.reading import Again


def test_a_block_of_any_kind_decodes_in_one_pass() -> None:
    body = (
        b'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"a"},'
        b'{"type":"web_search_tool_result","tool_use_id":"x","content":{"type":"web_search_tool_result_error"}},'
        b'{"type":"not_yet_known","text":"t"}]}]}'
    )
    content = REQUEST.decode(body).messages[0].content
    assert not isinstance(content, str)
    assert [block.type for block in content] == ["text", "web_search_tool_result", "not_yet_known"]


def test_an_event_of_an_unknown_kind_is_no_error() -> None:
    assert EVENT.decode(b'{"type":"news","payload":[1]}').type == "news"


@pytest.mark.parametrize("name", ["max_tokens", "cache_control", "output_format", "tool_choice"])
def test_members_of_a_request_are_known_by_name(name: str) -> None:
    assert name in KNOWN


def test_what_no_type_describes_is_read_again_once() -> None:
    again = Again(b'{"a":[{"b":1},{"b":2}]}')
    assert again.at("a", 1, "b") == 2
    assert again.at("a", 0) is again.at("a", 0)


def test_what_is_read_again_may_be_broken() -> None:
    with pytest.raises(msgspec.DecodeError):
        Again(b'{"a":').at("a")
