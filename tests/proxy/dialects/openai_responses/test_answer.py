"""Whole answers, both ways, and what is no answer."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from openai.types.responses import Response

from proxy.chat import Chat, Choice, Completion, Foreign, Media, Message, Reasoning, Refusal, Text, ToolCall, Usage
from proxy.dialects.openai_responses.answer import (
    read_answer,
    read_call,
    read_item,
    read_output,
    read_said,
    write_answer,
)
from proxy.dialects.openai_responses.wire import Content, Item
from proxy.dialects.reading import Again
from proxy.errors import BadAnswer, RateLimited, Unavailable, UpstreamError
from tests.support.heard.openai_responses import of_whole

_CHAT = Chat(model="fast", messages=[Message("user", [Text("Hi")])])
_THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
    "encrypted_content": "E",
}
_SAID = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Yes", "annotations": []}],
}
_CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}


def _read(*output: dict[str, Any], **members: Any) -> Completion:
    answer = {
        "id": "resp_1",
        "object": "response",
        "model": "m",
        "created_at": 5,
        "status": "completed",
        "output": output,
    }
    return read_answer(json.dumps({**answer, **members}).encode())


def test_every_item_is_its_part_in_order() -> None:
    found = _read(_THOUGHT, _SAID, _CALL, usage={"input_tokens": 3, "output_tokens": 2}, service_tier="default")
    assert found == Completion(
        id="resp_1",
        model="m",
        created=5,
        choices=[
            Choice(
                parts=[
                    Reasoning(text="a\n\nb", signature="rs_1:E", origin="openai", id="rs_1", is_summary=True),
                    Text("Yes"),
                    ToolCall(id="c1", name="f", arguments='{"a":1}'),
                ],
                stop="tool_calls",
            )
        ],
        usage=Usage(input=3, output=2),
        service_tier="default",
    )


def test_thoughts_that_cannot_be_read_are_hidden_ones() -> None:
    found = _read({**_THOUGHT, "summary": []})
    assert found.choices[0].parts == [Reasoning(redacted="rs_1:E", origin="openai", id="rs_1")]
    assert _read({"type": "reasoning", "id": "rs_1", "summary": []}).choices[0].parts == []


def test_open_thoughts_are_no_summary() -> None:
    found = _read(
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    )
    assert found.choices[0].parts == [Reasoning(text="hm", origin="openai", id="rs_1")]


def test_other_parts_are_read() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "x"}}
    picture = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AAAA"}
    refusal = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "refusal", "refusal": "No"}, {"type": "new"}],
    }
    patch = {"type": "custom_tool_call", "call_id": "c", "name": "p", "input": "x"}
    assert _read(search, picture, refusal, patch).choices[0].parts == [
        Foreign(origin="openai_responses", what="output.web_search_call", value=search),
        Media(kind="image", data="AAAA", media_type="image/png"),
        Refusal("No"),
        Foreign(origin="openai_responses", what="output.content.new", value={"type": "new"}),
        ToolCall(id="c", name="p", arguments="x", custom=True),
    ]


def test_token_objects_and_citations_are_read() -> None:
    note = {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 1}
    token = {"token": "Yes", "logprob": -0.1, "bytes": [], "top_logprobs": []}
    piece = {"type": "output_text", "text": "Yes", "annotations": [note], "logprobs": [token]}
    choice = _read({**_SAID, "content": [piece]}).choices[0]
    assert choice.logprobs == [token]
    assert isinstance(choice.parts[0], Text)
    assert choice.parts[0].citations[0].url == "https://a.example"


def test_a_short_answer_says_why() -> None:
    found = _read(_SAID, status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    assert found.choices[0].stop == "length"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", BadAnswer),
        (b"<html>", BadAnswer),
        (b'{"id":"resp_1"', BadAnswer),
        (b"[]", BadAnswer),
        (b"{}", BadAnswer),
        (b'{"output":"x"}', BadAnswer),
        (b'{"status":"in_progress","output":[]}', BadAnswer),
        (b'{"status":"queued","output":[]}', BadAnswer),
        (b'{"status":"failed","output":[]}', Unavailable),
        (b'{"status":"failed","error":{"code":"rate_limit_exceeded","message":"x"},"output":[]}', RateLimited),
        (b'{"error":{"type":"rate_limit_error"}}', RateLimited),
        (b'{"output":[{"type":"function_call","name":"f"}]}', BadAnswer),
        (b'{"output":[{"type":"function_call","call_id":"c","name":"f","arguments":{}}]}', BadAnswer),
        (b'{"output":[{"type":"message","content":[{}]}]}', BadAnswer),
        (b'{"output":[{"type":"new","x":"\xff"}]}', BadAnswer),
        (b'{"output":[{"type":"new","x":' + b"[" * 5000 + b"]" * 5000 + b"}]}", BadAnswer),
    ],
)
def test_what_is_no_answer_is_an_error_of_the_provider(body: bytes, kind: type[UpstreamError]) -> None:
    with pytest.raises(UpstreamError) as caught:
        read_answer(body)
    assert type(caught.value) is kind


def test_lenient_forms_are_read() -> None:
    parts: list[Any] = []
    read_item(Item(type="message", content="Hi"), parts, [], Again(b""), "output", 0)
    assert parts == [Text("Hi")]
    assert read_call(Item(type="function_call", id="fc_1", name="f")).id == "fc_1"
    assert read_said(Content("output_text"), Again(b""), "output") == Text("")
    assert read_output(None, Again(b""), "output") == ([], [])


def test_a_written_answer_is_what_the_official_client_reads() -> None:
    completion = _read(_THOUGHT, _SAID, _CALL, usage={"input_tokens": 3, "output_tokens": 2})
    body = write_answer(completion, _CHAT)
    Response.model_validate_json(body, strict=True)
    heard = of_whole(body)
    assert (heard.reasoning, heard.text, heard.proofs) == ("a\n\nb", "Yes", ["E"])
    assert [(call.id, call.name, call.arguments) for call in heard.calls] == [("c1", "f", '{"a":1}')]
    assert read_answer(body).choices == completion.choices


def test_an_answer_has_an_id_of_this_form() -> None:
    def id_of(given: str) -> str:
        answer = Completion(id=given, model="m", choices=[])
        found: str = msgspec.json.decode(write_answer(answer, _CHAT))["id"]
        return found

    own = "resp_sg_" + "a" * 32
    assert id_of(own) == own
    assert id_of("msg_1") == "resp_msg_1"


def test_what_broke_off_says_so() -> None:
    answer = Completion(id="1", model="", choices=[Choice(parts=[Text("Ye")], stop="length")])
    found = json.loads(write_answer(answer, _CHAT))
    assert (found["status"], found["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert (found["output"][0]["status"], found["model"]) == ("incomplete", "fast")
