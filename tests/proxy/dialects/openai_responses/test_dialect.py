"""The dialect as the rest of the gateway sees it."""

from __future__ import annotations

import json

import msgspec

from proxy.chat import Chat, Losses, Message, Text
from proxy.dialects.dialect import Aim
from proxy.dialects.openai_responses.dialect import OpenAIResponses
from proxy.dialects.openai_responses.reader import StreamReader
from proxy.dialects.openai_responses.writer import StreamWriter
from proxy.dialects.table import DIALECTS

_DIALECT = OpenAIResponses()
_CHAT = Chat(model="m", messages=[Message("user", [Text("Hi")])])


def test_it_is_in_the_table() -> None:
    assert type(DIALECTS["openai_responses"]) is OpenAIResponses
    assert (_DIALECT.name, _DIALECT.signs) == ("openai_responses", "openai")


def test_every_member_that_it_lacks_is_one() -> None:
    assert set(Chat.__struct_fields__) >= _DIALECT.lacks


def test_it_reads_and_writes() -> None:
    body = _DIALECT.write_request(_CHAT, Aim(model="m"), Losses())
    assert _DIALECT.read_request(body).messages == _CHAT.messages
    answer = b'{"id":"resp_1","model":"m","status":"completed","output":[]}'
    assert msgspec.json.decode(_DIALECT.write_answer(_DIALECT.read_answer(answer), _CHAT))["id"] == "resp_1"
    assert isinstance(_DIALECT.reader(), StreamReader)
    assert isinstance(_DIALECT.writer(_CHAT), StreamWriter)


def test_it_counts() -> None:
    asked = json.loads(_DIALECT.write_count_request(_CHAT, Aim(model="m"), Losses()))
    assert asked == {"model": "m", "input": [{"role": "user", "content": "Hi"}]}
    assert _DIALECT.read_count(_DIALECT.write_count(7)) == 7


def test_what_goes_on_from_an_answer_of_ours_is_known() -> None:
    assert _DIALECT.is_ours(b'{"previous_response_id":"resp_sg_%b"}' % (b"a" * 32))
    assert _DIALECT.is_ours(b'{"encrypted_content":"sg.anthropic.S"}')
    assert not _DIALECT.is_ours(b'{"previous_response_id":"resp_68"}')
