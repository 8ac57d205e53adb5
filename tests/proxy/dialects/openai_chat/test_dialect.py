"""The dialect as others see it, and as fast as it has to be."""

from __future__ import annotations

import msgspec

from proxy.chat import Chat, Completion, Losses, Message, Text
from proxy.dialects.dialect import Aim
from proxy.dialects.table import DIALECTS
from tests.proxy.dialects.openai_chat.official import check_answer, check_request, check_stream

DIALECT = DIALECTS["openai_chat"]


def test_a_conversation_goes_through_both_sides() -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.5}
    chat = DIALECT.read_request(msgspec.json.encode(asked))
    written = DIALECT.write_request(chat, Aim(model="other"), Losses())
    assert check_request(written) == asked | {"model": "other"}
    answer = b'{"id":"1","model":"other","created":3,"choices":[{"index":0,"message":{"content":"hello"}}]}'
    completion = DIALECT.read_answer(answer)
    assert check_answer(DIALECT.write_answer(completion, chat)).choices[0].message.content == "hello"


def test_a_stream_goes_through_both_sides() -> None:
    chat = Chat(model="m", messages=[Message("user", [Text("hi")])], stream=True)
    reader, writer, frames = DIALECT.reader(), DIALECT.writer(chat), DIALECT.frames()
    stream = (
        b'data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"he"}}]}\n\n'
        b'data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"llo"},"finish_reason":"stop"}]}\n\n'
        b"data: [DONE]\n\n"
    )
    out = b"".join(writer.feed(reader.feed(frame)) for frame in frames.feed(stream))
    assert check_stream(out).choices[0].message.content == "hello"
    assert reader.finish() == []


def test_what_the_format_lacks_is_named() -> None:
    assert {"cache", "guardrail"} == DIALECT.lacks
    assert set(Chat.__struct_fields__) >= DIALECT.lacks
    assert DIALECT.signs == ""


def test_an_answer_of_nothing_is_an_answer() -> None:
    body = DIALECT.write_answer(Completion(id="1", model="m", choices=[]), Chat(model="m", messages=[]))
    assert check_answer(body).choices == []
