"""The official client is understood in all it says, and understands all that is written."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
from google.genai import types

from proxy.chat import (
    Begin,
    Chat,
    Choice,
    Citation,
    Close,
    Completion,
    Delta,
    Event,
    Finish,
    Foreign,
    Losses,
    Media,
    Message,
    Open,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolChoice,
    ToolResult,
    Total,
    Usage,
)
from proxy.chat import End as Ended
from proxy.choosing.capability import Capabilities
from proxy.dialects.dialect import Aim
from proxy.dialects.gemini.dialect import Gemini
from proxy.errors import BadAnswer
from proxy.gather import Gather, events_of
from proxy.wire.sse import Splitter
from tests.proxy.dialects.gemini.official import JSON, STREAM, asked, client

GEMINI = Gemini()
AIM = Aim(model="gemini-3-flash", capabilities=Capabilities(thinking="level"))
NOTHING = Chat(model="gemini-3-flash", messages=[])
COMPLETION = Completion(
    id="r1",
    model="gemini-3-flash",
    choices=[
        Choice(
            parts=[
                Reasoning(text="Let me thínk.", signature="QUJD", origin="gemini"),
                Text("It is wärm.", signature="REVG", origin="gemini"),
                ToolCall(id="c1", name="look", arguments='{"city":"Paris"}', signature="R0hJ", origin="gemini"),
                ToolCall(id="c2", name="look", arguments='{"city":"Rome"}'),
            ],
            stop="tool_calls",
        )
    ],
    usage=Usage(input=5, cached_read=4, input_audio=1, output=6, reasoning=7, output_audio=2),
)


def _stream(events: list[Event], pieces: int = 1) -> bytes:
    writer = GEMINI.writer(NOTHING)
    return b"".join(writer.feed(events[at : at + pieces]) for at in range(0, len(events), pieces))


def _read(stream: bytes, cut: random.Random | None = None) -> Completion:
    splitter, reader, gather = Splitter(), GEMINI.reader(), Gather()
    at = 0
    while at < len(stream):
        size = cut.randint(1, 40) if cut else len(stream)
        for frame in splitter.feed(stream[at : at + size]):
            gather.feed(reader.feed(frame))
        at += size
    for frame in splitter.finish():
        gather.feed(reader.feed(frame))
    gather.feed(reader.finish())
    return gather.completion()


def test_a_whole_answer_comes_back_as_it_was_written() -> None:
    assert GEMINI.read_answer(GEMINI.write_answer(COMPLETION, NOTHING)) == COMPLETION


def test_a_streamed_answer_comes_back_as_it_was_written_however_it_is_cut() -> None:
    assert _read(_stream(events_of(COMPLETION)), random.Random(1)) == COMPLETION


def test_the_official_client_reads_a_whole_answer() -> None:
    with client(lambda path, body: (JSON, GEMINI.write_answer(COMPLETION, NOTHING))) as (official, _):
        answer: Any = official.models.generate_content(model="m", contents="hi")
    _agree(answer.candidates[0].content.parts, answer)


def _agree(parts: list[Any], last: Any) -> None:
    """What the client made of it is what was meant."""
    thoughts = [part for part in parts if part.thought]
    said = [part for part in parts if part.text is not None and not part.thought]
    calls = [part for part in parts if part.function_call is not None]
    assert "".join(part.text or "" for part in thoughts) == "Let me thínk."
    assert [part.thought_signature for part in thoughts if part.thought_signature] == [b"ABC"]
    assert "".join(part.text or "" for part in said) == "It is wärm."
    assert [part.thought_signature for part in said if part.thought_signature] == [b"DEF"]
    assert [(part.function_call.id, part.function_call.args, part.thought_signature) for part in calls] == [
        ("c1", {"city": "Paris"}, b"GHI"),
        ("c2", {"city": "Rome"}, None),
    ]
    assert last.candidates[0].finish_reason == types.FinishReason.STOP
    usage = last.usage_metadata
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (10, 4)
    assert (usage.candidates_token_count, usage.thoughts_token_count, usage.total_token_count) == (8, 7, 25)
    assert last.model_version == "gemini-3-flash"
    assert last.response_id == "r1"


def test_the_official_client_reads_a_stream_in_which_everything_comes_in_pieces() -> None:
    usage = Usage(input=5, cached_read=4, input_audio=1, output=6, reasoning=7, output_audio=2)
    events: list[Event] = [
        Begin(id="r1", model="gemini-3-flash"),
        Open(0, 0, Reasoning(origin="gemini")),
        Delta(0, "reasoning", "Let me ", 0),
        Delta(0, "reasoning", "thínk.", 0),
        Delta(0, "signature", "QUJD", 0),
        Close(0, 0),
        Open(0, 1, Text("It ", signature="REVG", origin="gemini")),
        Delta(0, "text", "is wärm.", 1),
        Close(0, 1),
        Open(0, 2, ToolCall(id="c1", name="look", arguments="", signature="R0hJ", origin="gemini")),
        Open(0, 3, ToolCall(id="c2", name="look", arguments='{"ci')),
        Delta(0, "arguments", '{"city":"Pa', 2),
        Delta(0, "arguments", 'ty":"Rome"}', 3),
        Delta(0, "arguments", 'ris"}', 2),
        Close(0, 2),
        Close(0, 3),
        Finish(stop="tool_calls"),
        Total(usage),
        Ended(),
    ]
    with client(lambda path, body: (STREAM, _stream(events))) as (official, heard):
        chunks: list[Any] = list(official.models.generate_content_stream(model="m", contents="hi"))
    assert heard.is_stream()
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts or []]
    _agree(parts, chunks[-1])
    assert [chunk.usage_metadata is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]


def _say(name: str, **arguments: Any) -> Completion:
    signed = Reasoning(text="h\u00edm", signature="c2ln", origin="anthropic")
    hidden = Reasoning(redacted="b3BhcXVl", origin="anthropic")
    call = ToolCall(id="toolu_1", name=name, arguments=json.dumps(arguments))
    return Completion(
        id="a",
        model="m",
        choices=[Choice(parts=[signed, hidden, Text("a "), call], stop="tool_calls")],
        usage=Usage(input=1, output=1),
    )


@pytest.mark.parametrize("streamed", [False, True])
def test_a_chat_of_the_official_client_brings_thoughts_of_another_provider_back_over_two_turns(streamed: bool) -> None:
    first = _say("look", city="Paris")

    def reply(path: str, body: bytes) -> tuple[bytes, bytes]:
        if streamed:
            return STREAM, _stream([Begin(id="a", model="m"), *_pieces(first)])
        return JSON, GEMINI.write_answer(first, NOTHING)

    with client(reply) as (official, heard):
        chat = official.chats.create(model="m")
        result = types.Part.from_function_response(name="look", response={"output": "sunny"})
        for message in ("weather?", result):
            if streamed:
                list(chat.send_message_stream(message))
            else:
                chat.send_message(message)
    again = GEMINI.read_request(heard.bodies[-1], heard.model(), heard.is_stream())
    assert again.stream is streamed
    assert again.messages[1] == Message("assistant", first.choices[0].parts)
    assert again.messages[2].parts == [ToolResult(call_id="toolu_1", parts=(Text("sunny"),), name="look")]


def _pieces(completion: Completion) -> list[Event]:
    """Events in which every text comes letter by letter."""
    events: list[Event] = []
    for number, part in enumerate(completion.choices[0].parts):
        if isinstance(part, Text | Reasoning) and part.text:
            kind = type(part)
            events.append(Open(0, number, kind(text="", origin=part.origin)))
            events += [Delta(0, "text" if kind is Text else "reasoning", one, number) for one in part.text]
            if part.signature:
                events.append(Delta(0, "signature", part.signature, number))
        else:
            events.append(Open(0, number, part))
        events.append(Close(0, number))
    return [*events, Finish(stop="tool_calls"), Ended()]


def test_what_the_official_client_asks_is_read() -> None:
    """Tools with Python types, a schema, an image, thinking and everything of the configuration."""
    schema = types.Schema(
        type=types.Type.OBJECT,
        properties={
            "a": types.Schema(type=types.Type.STRING, nullable=True),
            "n": types.Schema(type=types.Type.INTEGER),
        },
        required=["a"],
        property_ordering=["a", "n"],
    )
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        candidate_count=2,
        max_output_tokens=100,
        stop_sequences=["END"],
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        response_logprobs=True,
        logprobs=3,
        response_mime_type="application/json",
        response_schema=schema,
        safety_settings=[
            types.SafetySetting(
                category=types.HarmCategory.HARM_CATEGORY_HARASSMENT, threshold=types.HarmBlockThreshold.BLOCK_NONE
            )
        ],
        labels={"team": "x"},
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW),
        tools=[
            types.Tool(
                function_declarations=[types.FunctionDeclaration(name="f", description="d", parameters=schema)],
            ),
            types.Tool(google_search=types.GoogleSearch()),
        ],
        tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(
                mode=types.FunctionCallingConfigMode.ANY, allowed_function_names=["f", "g"]
            )
        ),
    )
    image = types.Part.from_bytes(data=b"\xfb\xff\xfe!", mime_type="image/png")
    with client(lambda path, body: (JSON, GEMINI.write_answer(COMPLETION, NOTHING))) as (official, heard):
        official.models.generate_content(model="gemini-3-flash", contents=[image, "What is it?"], config=config)
    chat: Any = GEMINI.read_request(heard.bodies[-1], heard.model())
    assert chat.model == "gemini-3-flash"
    assert chat.messages == [
        Message("system", [Text("Be brief.")]),
        Message("user", [Media(kind="image", data="+//+IQ==", media_type="image/png"), Text("What is it?")]),
    ]
    assert (chat.temperature, chat.top_p, chat.top_k, chat.n, chat.max_tokens) == (0.5, 0.9, 40, 2, 100)
    assert (chat.stop, chat.seed, chat.presence_penalty, chat.frequency_penalty) == (["END"], 7, 0.1, 0.2)
    assert (chat.logprobs, chat.top_logprobs, chat.metadata) == (True, 3, {"team": "x"})
    assert (chat.thinking.effort, chat.thinking.visible) == ("low", True)
    assert chat.tool_choice == ToolChoice("required", allowed=("f", "g"))
    meant = {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"]}, "n": {"type": "integer"}},
        "required": ["a"],
        "propertyOrdering": ["a", "n"],
    }
    assert (chat.tools[1].name, chat.tools[1].description, chat.tools[1].parameters) == ("f", "d", meant)
    assert chat.format.schema == meant
    assert (chat.tools[0].foreign, chat.tools[0].value) == ("gemini", {"googleSearch": {}})
    assert list(chat.extra) == ["safetySettings"]


def test_a_request_that_we_write_is_one_that_the_official_types_take() -> None:
    chat = Chat(
        model="m",
        messages=[
            Message("system", [Text("Be brief.")]),
            Message("user", [Text("Look"), Media(kind="image", url="https://x.org/a.png?size=1")]),
            Message(
                "assistant", [ToolCall(id="1", name="f", arguments="{}"), ToolCall(id="2", name="g", arguments="")]
            ),
            Message("user", [ToolResult(call_id="2", parts=(Text("no"),), is_error=True)]),
            Message("user", [ToolResult(call_id="1", parts=(Text("yes"),)), Text("go on")]),
        ],
        max_tokens=5,
    )
    body = msgspec.json.decode(GEMINI.write_request(chat, AIM, Losses()))
    contents: list[Any] = [types.Content.model_validate(one) for one in body["contents"]]
    assert [(one.role, len(one.parts)) for one in contents] == [("user", 2), ("model", 2), ("user", 2), ("user", 1)]
    assert contents[0].parts[1].file_data == types.FileData(
        file_uri="https://x.org/a.png?size=1", mime_type="image/png"
    )
    assert contents[1].parts[0].thought_signature is not None
    assert contents[1].parts[1].thought_signature is None
    assert contents[2].parts[0].function_response.response == {"error": "no"}
    assert contents[2].parts[1].function_response.name == "f"
    assert types.GenerationConfig.model_validate(body["generationConfig"]).max_output_tokens == 5
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}


def test_tokens_are_counted_by_the_official_client() -> None:
    with client(lambda path, body: (JSON, GEMINI.write_count(41))) as (official, heard):
        assert official.models.count_tokens(model="m", contents="How long?").total_tokens == 41
    assert GEMINI.read_count_request(heard.bodies[-1], heard.model()).messages == [Message("user", [Text("How long?")])]
    assert asked(heard) == {"contents": [{"parts": [{"text": "How long?"}], "role": "user"}]}


def test_the_question_for_tokens_is_a_request_in_an_envelope_except_on_google_cloud() -> None:
    chat = Chat(model="m", messages=[Message("system", [Text("S")]), Message("user", [Text("U")])])
    wrapped = msgspec.json.decode(GEMINI.write_count_request(chat, AIM, Losses()))["generateContentRequest"]
    assert wrapped.pop("model") == "models/gemini-3-flash"
    plain = Aim(model="m", quirks=frozenset({"counts_plain"}))
    assert msgspec.json.decode(GEMINI.write_count_request(chat, plain, Losses())) == wrapped
    again = GEMINI.read_count_request(msgspec.json.encode({"generateContentRequest": wrapped}), "m")
    assert again.messages == chat.messages
    assert GEMINI.read_count(b'{"totalTokens": 31}') == 31
    with pytest.raises(BadAnswer):
        GEMINI.read_count(b'{"total": 31}')


def test_citations_refusals_and_foreign_parts_reach_the_official_client() -> None:
    cited = Citation(url="https://x.org", title="X", start=3, end=8, unit="answer")
    code = {"executableCode": {"language": "PYTHON", "code": "1"}}
    parts: list[Part] = [
        Text("Es wäre so.", citations=(cited,)),
        Foreign(origin="gemini", what="x", value=code),
        Refusal("No."),
    ]
    completion = Completion(id="i", model="m", choices=[Choice(parts=parts)])
    answer: Any = types.GenerateContentResponse.model_validate_json(GEMINI.write_answer(completion, NOTHING))
    candidate = answer.candidates[0]
    assert candidate.finish_reason == types.FinishReason.SAFETY
    assert candidate.content.parts[1].executable_code.code == "1"
    assert candidate.content.parts[2].text == "No."
    support = candidate.grounding_metadata.grounding_supports[0]
    assert (support.segment.start_index, support.segment.end_index, support.segment.text) == (3, 9, "wäre ")
    assert candidate.grounding_metadata.grounding_chunks[0].web.uri == "https://x.org"
    again = GEMINI.read_answer(GEMINI.write_answer(completion, NOTHING)).choices[0].parts
    assert any(isinstance(part, Text) and [(c.start, c.end) for c in part.citations] == [(3, 8)] for part in again)
