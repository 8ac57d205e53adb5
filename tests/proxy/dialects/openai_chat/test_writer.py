"""Streams are written so that the official client gathers them to what was said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import (
    Begin,
    Chat,
    Choice,
    Citation,
    Cite,
    Close,
    Completion,
    Delta,
    End,
    Event,
    Finish,
    Logprobs,
    Media,
    Open,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.dialects.openai_chat.reader import StreamReader
from proxy.dialects.openai_chat.writer import StreamWriter
from proxy.gather import Gather, events_of
from proxy.wire.sse import Splitter
from tests.proxy.dialects.openai_chat.official import check_stream, chunks

ASKED = Chat(model="asked", messages=[], stream=True, include_usage=True)
BEGIN = Begin(id="chatcmpl-1", model="m", created=7)


def _write(events: list[Event], chat: Chat = ASKED) -> bytes:
    """Event by event, as they would come."""
    writer = StreamWriter(chat)
    return b"".join(writer.feed([event]) for event in events)


def _block(part: Any, *deltas: tuple[str, str], block: int = 0, choice: int = 0) -> list[Event]:
    told = [Delta(choice, kind, text, block) for kind, text in deltas]  # type: ignore[arg-type]
    return [Open(choice, block, part), *told, Close(choice, block)]


def _end(stop: Any = "stop") -> list[Event]:
    return [Finish(stop=stop), End()]


def test_text_arrives_in_its_pieces_under_one_id() -> None:
    stream = _write([BEGIN, *_block(Text(""), ("text", "Hel"), ("text", "lo")), *_end()])
    assert [one["choices"][0]["delta"].get("content") for one in chunks(stream)[:2]] == ["Hel", "lo"]
    answer = check_stream(stream)
    assert (answer.id, answer.model, answer.created) == ("chatcmpl-1", "m", 7)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Hello", "stop")


def test_usage_comes_last_and_only_for_those_who_asked() -> None:
    usage = Usage(input=5, cached_read=2, output=3, reasoning=1)
    events = [BEGIN, *_block(Text("a")), Finish(), Total(usage), End()]
    answer = check_stream(_write(events))
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 4)
    last = chunks(_write(events))[-1]
    assert last["choices"] == []
    assert all(one["usage"] is None for one in chunks(_write(events))[:-1])
    silent = _write(events, Chat(model="m", messages=[], stream=True))
    assert b"usage" not in silent


def test_parallel_calls_keep_their_ids_and_pieces() -> None:
    events = [
        BEGIN,
        *_block(ToolCall(id="a", name="f", arguments=""), ("arguments", '{"x"'), ("arguments", ":1}")),
        *_block(ToolCall(id="b", name="g", arguments="{}"), block=1),
        *_end("tool_calls"),
    ]
    choice = check_stream(_write(events)).choices[0]
    assert choice.message.tool_calls is not None
    found = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls]  # type: ignore[union-attr]
    assert found == [("a", "f", '{"x":1}'), ("b", "g", "{}")]
    assert choice.finish_reason == "tool_calls"


def test_several_choices_begin_and_end_on_their_own() -> None:
    events = [
        BEGIN,
        *_block(Text("a")),
        *_block(Text("b"), choice=1),
        Finish(choice=1, stop="length"),
        Finish(),
        End(),
    ]
    answer = check_stream(_write(events))
    assert [(one.message.content, one.finish_reason) for one in answer.choices] == [("a", "stop"), ("b", "length")]


def test_a_refusal_is_told_as_one() -> None:
    choice = check_stream(_write([BEGIN, *_block(Refusal(""), ("refusal", "no")), *_end("refusal")])).choices[0]
    assert (choice.message.refusal, choice.finish_reason) == ("no", "stop")
    assert (
        check_stream(_write([BEGIN, *_block(Text("a")), *_end("refusal")])).choices[0].finish_reason == "content_filter"
    )


def test_an_answer_without_words_is_an_answer() -> None:
    assert check_stream(_write([BEGIN, *_end("length")])).choices[0].finish_reason == "length"


def test_probabilities_are_gathered() -> None:
    token = {"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}
    choice = check_stream(_write([BEGIN, *_block(Text("a")), Logprobs(0, [token]), *_end()])).choices[0]
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert choice.logprobs.content[0].token == "a"


def test_a_client_of_older_functions_is_answered_in_its_words() -> None:
    chat = Chat(model="m", messages=[], stream=True, functions=True)
    events = [
        BEGIN,
        *_block(ToolCall(id="a", name="f", arguments=""), ("arguments", "{"), ("arguments", "}")),
        *_block(ToolCall(id="b", name="g", arguments=""), ("arguments", "{}"), block=1),
        *_end("tool_calls"),
    ]
    choice = check_stream(_write(events, chat)).choices[0]
    assert choice.message.function_call is not None
    assert (choice.message.function_call.name, choice.message.function_call.arguments) == ("f", "{}")
    assert (choice.finish_reason, choice.message.tool_calls) == ("function_call", None)


EVERYTHING = Completion(
    id="chatcmpl-1",
    model="m",
    created=7,
    choices=[
        Choice(
            parts=[
                Reasoning(text="hm", signature="S", origin="anthropic"),
                Reasoning(redacted="D", origin="anthropic"),
                Reasoning(text="in short", origin="openai", is_summary=True),
                Text("a", citations=(Citation(url="https://x", title="t", start=0, end=1, unit="answer"),)),
                ToolCall(id="c1", name="f", arguments='{"a":1}', signature="G", origin="gemini"),
                ToolCall(id="c2", name="g", arguments="free", custom=True),
            ],
            stop="tool_calls",
        ),
        Choice(parts=[Refusal("no")], stop="refusal", index=1),
    ],
    usage=Usage(input=5, cached_read=2, output=3, reasoning=1),
    service_tier="flex",
)


def _pieces(events: list[Event], size: int) -> list[Event]:
    """The same answer in small pieces: what stands in `Open` comes as deltas."""
    found: list[Event] = []
    for event in events:
        part = event.part if isinstance(event, Open) else None
        kinds: dict[Any, Any] = {Text: "text", Refusal: "refusal", Reasoning: "reasoning"}
        kind = kinds.get(type(part))
        if isinstance(event, Open) and kind and getattr(part, "redacted", None) is None:
            text = part.text  # type: ignore[union-attr]
            part.text = ""  # type: ignore[union-attr]
            found.append(event)
            found += [Delta(event.choice, kind, text[at : at + size], event.block) for at in range(0, len(text), size)]
        elif isinstance(part, ToolCall) and isinstance(event, Open):
            text, part.arguments = part.arguments, ""
            found.append(event)
            found += [
                Delta(event.choice, "arguments", text[at : at + size], event.block) for at in range(0, len(text), size)
            ]
        else:
            found.append(event)
    return found


@pytest.mark.parametrize("size", [0, 1, 3])
def test_everything_comes_back_as_it_went(size: int) -> None:
    """Through this writer and this reader, whole or in pieces; the grammar is the official client's."""
    events = events_of(_copy())
    stream = _write(_pieces(events, size) if size else events)
    chunks(stream)
    splitter, reader, gather = Splitter(), StreamReader(), Gather()
    for frame in [*splitter.feed(stream), *splitter.finish()]:
        gather.feed(reader.feed(frame))
    gather.feed(reader.finish())
    assert gather.completion() == EVERYTHING


def _copy() -> Completion:
    return msgspec.convert(msgspec.to_builtins(EVERYTHING), Completion)


def test_citations_signatures_and_audio_stand_in_chunks_of_their_own() -> None:
    cite = Cite(0, 0, Citation(url="u", title="t", unit="answer"))
    stream = _write(
        [
            BEGIN,
            Open(0, 0, Text("a")),
            cite,
            Cite(0, 0, Citation(document=1)),
            Close(0, 0),
            *_block(ToolCall(id="c", name="f", arguments="{}"), ("signature", "G"), block=1),
            *_block(Media(kind="audio", data="QUJD", name="hi"), block=2),
            *_end(),
        ]
    )
    deltas = [one["choices"][0]["delta"] for one in chunks(stream)]
    assert [one["annotations"][0]["url_citation"]["url"] for one in deltas if "annotations" in one] == ["u"]
    assert {"google": {"thought_signature": "G"}} in [
        one["tool_calls"][0].get("extra_content") for one in deltas if "tool_calls" in one
    ]
    assert [one["audio"]["data"] for one in deltas if "audio" in one] == ["QUJD"]
