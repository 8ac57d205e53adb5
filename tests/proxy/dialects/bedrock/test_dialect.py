"""The dialect as a whole: what its requests and answers become on the way through the gateway."""

from __future__ import annotations

import random

import pytest

from proxy.chat import Chat, Losses, Message, Text
from proxy.dialects.bedrock.dialect import Bedrock
from proxy.dialects.dialect import Aim
from proxy.dialects.fit import REFUSABLE
from proxy.errors import BadAnswer
from proxy.gather import Gather, events_of
from tests.proxy.dialects.bedrock.client import accepted
from tests.support.sayings import cut, saying
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked

CHAT = Chat(model="m", messages=[Message("user", [Text("hi")])])
AIM = Aim(model="amazon.nova-lite-v1:0")


def test_what_is_said_in_pieces_is_what_is_said_at_once() -> None:
    """100 answers, cut anywhere; then told in our words and read again."""
    dialect = Bedrock()
    for seed in range(100):
        say = saying(seed)
        whole = dialect.read_answer(RENDERERS["bedrock"].body(say, Asked(model="m")))
        sent = b"".join(RENDERERS["bedrock"].frames(say, Asked(model="m", stream=True)))
        again = dialect.writer(CHAT).feed(events_of(whole))
        for stream in (sent, again):
            gather, frames, reader = Gather(), dialect.frames(), dialect.reader()
            for chunk in cut(random.Random(seed), stream):
                for frame in frames.feed(chunk):
                    gather.feed(reader.feed(frame))
            frames.finish()
            reader.finish()
            found = gather.completion()
            assert found.usage == whole.usage
            assert found.choices[0].stop == whole.choices[0].stop
            texts = [[part.text for part in one.choices[0].parts if isinstance(part, Text)] for one in (found, whole)]
            assert "".join(texts[0]) == "".join(texts[1])


def test_tokens_are_asked_for_and_told() -> None:
    dialect = Bedrock()
    asked = accepted(dialect.write_count_request(CHAT, AIM, Losses()), "CountTokens")
    assert asked == {"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}}}
    assert dialect.read_count(b'{"inputTokens":7}') == 7
    assert dialect.read_count(dialect.write_count(9)) == 9
    assert dialect.read_count(b'{"inputTokens":-7}') == 0
    for body in (b"{}", b"<html>", b'{"inputTokens":"x"}'):
        with pytest.raises(BadAnswer):
            dialect.read_count(body)


def test_a_question_for_tokens_is_read_as_it_is_written() -> None:
    dialect = Bedrock()
    chat = dialect.read_count_request(dialect.write_count_request(CHAT, AIM, Losses()), "m")
    assert chat.messages == CHAT.messages


def test_what_it_lacks_are_parameters() -> None:
    assert Bedrock.lacks <= REFUSABLE
    assert Bedrock.signs == "anthropic"
    assert Bedrock.stream_type == b"application/vnd.amazon.eventstream"
