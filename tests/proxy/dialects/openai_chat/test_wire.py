"""The types of the wire take what the official types have, and what others have made common."""

from __future__ import annotations

import typing

import msgspec
import pytest
from openai.types.chat import ChatCompletionMessage
from openai.types.chat.completion_create_params import CompletionCreateParamsBase

from proxy.dialects.openai_chat.wire import ANSWER, FORMAT_OF, FORMATS, KNOWN, REQUEST, Said

# Of OpenAI's own parameters those without a neutral name: they are told as unknown.
_WITHOUT = {"moderation", "prompt_cache_options", "prompt_cache_retention", "web_search_options"}


def test_every_parameter_of_the_official_client_is_known_or_named_here() -> None:
    official = set(typing.get_type_hints(CompletionCreateParamsBase))
    assert official - KNOWN == _WITHOUT


def test_every_member_of_an_official_message_is_read() -> None:
    assert set(ChatCompletionMessage.model_fields) - {"role"} <= set(Said.__struct_fields__)


def test_formats_of_thoughts_have_one_origin_each() -> None:
    assert {FORMAT_OF[origin]: origin for origin in FORMAT_OF} == FORMATS


@pytest.mark.parametrize("part", ["text", "image_url", "input_audio", "file", "video_url", "document_url"])
def test_an_unknown_member_of_a_part_is_no_error(part: str) -> None:
    inner = {
        "text": "a",
        "image_url": {"url": "u"},
        "input_audio": {"data": "", "format": "wav"},
        "file": {},
        "video_url": {"url": "u"},
        "document_url": "u",
    }[part]
    body = {"model": "m", "messages": [{"role": "user", "content": [{"type": part, part: inner, "new": 1}], "new": 2}]}
    REQUEST.decode(msgspec.json.encode(body))


def test_an_answer_may_hold_anything_else() -> None:
    assert ANSWER.decode(b'{"choices":[{"delta":{"new":1}}],"object":7,"system_fingerprint":null}').choices
