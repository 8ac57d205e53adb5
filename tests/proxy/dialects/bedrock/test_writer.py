"""Streams as ConverseStream writes them, read by botocore and by our own reader."""

from __future__ import annotations

import base64
import random
from typing import Any

from proxy.chat import (
    Chat,
    Choice,
    Citation,
    Completion,
    Delta,
    Media,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from proxy.dialects.bedrock.reader import StreamReader
from proxy.dialects.bedrock.writer import StreamWriter
from proxy.dialects.eventstream import Messages
from proxy.gather import Gather, events_of
from tests.proxy.dialects.bedrock import client
from tests.support.sayings import cut

CHAT = Chat(model="m", messages=[Message("user", [Text("hi")])], stream=True)
BLOB = base64.b64encode(b"\x00\xffhidden").decode()
PARTS: list[Any] = [
    Reasoning(text="hm", signature="sig", origin="anthropic"),
    Reasoning(redacted=BLOB, origin="anthropic"),
    Text("hello"),
    Text("cited", citations=(Citation(text="q", url="http://x/", title="T"),)),
    ToolCall(id="t1", name="f", arguments='{"a":1}'),
    ToolCall(id="t2", name="g", arguments=""),
]
WHOLE = Completion(
    id="",
    model="",
    choices=[Choice(parts=PARTS, stop="tool_calls")],
    usage=Usage(input=3, cached_read=1, cache_write_5m=2, output=4),
)


def test_botocore_reads_every_event() -> None:
    found = client.stream(StreamWriter(CHAT).feed(events_of(WHOLE)))
    kinds = [next(iter(one)) for one in found]
    assert kinds[0] == "messageStart"
    assert kinds[-2:] == ["messageStop", "metadata"]
    assert found[-2]["messageStop"]["stopReason"] == "tool_use"
    assert found[-1]["metadata"]["usage"]["totalTokens"] == 10
    deltas = [one["contentBlockDelta"]["delta"] for one in found if "contentBlockDelta" in one]
    assert {"reasoningContent": {"redactedContent": base64.b64decode(BLOB)}} in deltas
    assert {"toolUse": {"input": '{"a":1}'}} in deltas
    starts = [one["contentBlockStart"]["start"]["toolUse"] for one in found if "contentBlockStart" in one]
    assert starts == [{"toolUseId": "t1", "name": "f"}, {"toolUseId": "t2", "name": "g"}]
    assert kinds.count("contentBlockStop") == len(PARTS)


def test_what_is_written_is_read_again_however_it_is_cut() -> None:
    sent = StreamWriter(CHAT).feed(events_of(WHOLE))
    for seed in range(40):
        cutter, reader, gather = Messages(), StreamReader(), Gather()
        for chunk in cut(random.Random(seed), sent):
            for one in cutter.feed(chunk):
                gather.feed(reader.feed(one))
        assert reader.finish() == []
        found = gather.completion()
        assert found.usage == WHOLE.usage
        assert [part for part in found.choices[0].parts if not isinstance(part, Text)] == [
            part for part in PARTS if not isinstance(part, Text)
        ]


def test_pieces_become_pieces() -> None:
    """Of every kind; a refusal is text here, a picture nothing."""
    writer = StreamWriter(CHAT)
    parts: list[Any] = [Refusal("no"), Media(kind="image", data=BLOB, media_type="image/png")]
    events = events_of(Completion(id="", model="", choices=[Choice(parts=parts)]))
    events[2:2] = [Delta(0, "refusal", "!", 0)]
    found = client.stream(writer.feed(events))
    texts = [one["contentBlockDelta"]["delta"]["text"] for one in found if "contentBlockDelta" in one]
    assert texts == ["no", "!"]


def test_other_choices_are_not_told() -> None:
    """Converse knows one answer."""
    choices = [Choice(parts=[Text("a")], index=0), Choice(parts=[Text("b")], index=1)]
    found = client.stream(StreamWriter(CHAT).feed(events_of(Completion(id="", model="", choices=choices))))
    assert [one["contentBlockDelta"]["delta"] for one in found if "contentBlockDelta" in one] == [{"text": "a"}]
