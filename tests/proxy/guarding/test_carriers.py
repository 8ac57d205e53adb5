"""Where text stands in requests of every dialect: no place is missed, and what is put there disturbs nothing else."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from proxy.guarding.carriers import Carrier, carriers, splice

CANARY = 'canary ü "quoted" \\ end'
B64 = base64.b64encode(CANARY.encode() * 3).decode()
C = CANARY
SCHEMA = {"type": "object", "properties": {C: {"description": C, "enum": [C]}}, "title": C}
CHAT = {
    "model": "m",
    "messages": [
        {"role": "system", "content": C, "name": C},
        {"content": [{"type": "text", "text": C}, {"type": "image_url", "image_url": {"url": C}}],
         "role": "user"},
        {"role": "user", "content": [
            {"type": "file", "file": {"filename": C, "file_data": f"data:text/plain;base64,{B64}"}}]},
        {"role": "assistant", "reasoning_content": C, "refusal": C, "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({C: [C]})}}]},
        {"role": "tool", "tool_call_id": "c", "content": C},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "description": C, "parameters": SCHEMA}}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    "prediction": {"type": "content", "content": C},
    "metadata": {"note": C, C: "x"}, "user": C, "stop": [C],
}  # fmt: skip
RESPONSES = {
    "model": "m", "instructions": C, "input": [
        {"role": "user", "content": [{"type": "input_text", "text": C},
            {"type": "input_file", "filename": C, "file_data": B64}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": json.dumps({"a": C})},
        {"type": "function_call_output", "call_id": "c", "output": C},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": C}]},
        {"type": "message", "role": "assistant", "content": [
            {"type": "output_text", "text": C, "annotations": [{"title": C}]}]},
    ],
    "tools": [{"type": "function", "name": "f", "description": C, "parameters": SCHEMA},
              {"type": "mcp", "server_label": "s", "server_description": C}],
    "metadata": {"a": C}, "safety_identifier": C,
}  # fmt: skip
ANTHROPIC = {
    "model": "m", "system": [{"type": "text", "text": C}], "messages": [
        {"role": "user", "content": [{"type": "text", "text": C},
            {"type": "document", "title": C, "context": C,
             "source": {"type": "text", "media_type": "text/plain", "data": C}},
            {"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": B64}}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": C, "signature": "x"},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"deep": [{C: C}]}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": C}]}]},
    ],
    "tools": [{"name": "f", "description": C, "input_schema": SCHEMA}], "metadata": {"user_id": C},
}  # fmt: skip
GEMINI = {
    "systemInstruction": {"parts": [{"text": C}]},
    "contents": [{"role": "user", "parts": [{"text": C}, {"inlineData": {"mimeType": "text/plain", "data": B64}}]},
                 {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": C}}}]},
                 {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"r": C}}}]}],
    "tools": [{"functionDeclarations": [{"name": "f", "description": C, "parameters": SCHEMA}]}],
    "labels": {"team": C},
}  # fmt: skip
OTHERS: list[Any] = [
    {"model": "m", "input": [CANARY, CANARY]},
    {"model": "m", "prompt": CANARY, "suffix": CANARY},
    {"model": "m", "query": CANARY, "documents": [CANARY, {"text": CANARY}]},
]
EVERYWHERE = {"system", "user", "assistant", "tool_call", "tool_result", "tool_definition", "metadata"}
BODIES = [CHAT, RESPONSES, ANTHROPIC, GEMINI, *OTHERS]


def leaves(value: Any) -> int:
    """How often the canary stands in a document, in whatever wrapping."""
    if isinstance(value, dict):
        return sum(leaves(key) + leaves(one) for key, one in value.items())
    if isinstance(value, list):
        return sum(map(leaves, value))
    if not isinstance(value, str):
        return 0
    if value.startswith("{"):
        return leaves(json.loads(value))
    return int(value == CANARY or value.endswith(B64))


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("ascii_only", [True, False])
def test_no_place_is_missed(body: Any, ascii_only: bool) -> None:
    data = json.dumps(body, ensure_ascii=ascii_only).encode()
    found = [carrier for carrier in carriers(data) if CANARY in carrier.text]
    assert len(found) == leaves(body)
    assert all("canary" not in carrier.path for carrier in found)
    changed = splice(data, [(carrier, carrier.text.replace(CANARY, "-")) for carrier in found])
    assert leaves(json.loads(changed)) == 0
    assert b"canary" not in changed
    assert B64.encode() not in changed


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (CHAT, {"system", "user", "assistant", "tool_call", "tool_result", "tool_definition", "metadata", "other"}),
        (
            RESPONSES,
            {"system", "user", "assistant", "tool_call", "tool_result", "tool_definition", "metadata", "other"},
        ),
        (ANTHROPIC, {"system", "user", "assistant", "tool_call", "tool_result", "tool_definition", "metadata"}),
        (GEMINI, {"system", "user", "tool_call", "tool_result", "tool_definition", "metadata"}),
        (OTHERS[0], {"user"}),
    ],
    ids=["chat", "responses", "anthropic", "gemini", "embeddings"],
)
def test_it_is_told_whose_text_it_is(body: Any, places: set[str]) -> None:
    found = carriers(json.dumps(body).encode())
    assert {carrier.place for carrier in found if CANARY in carrier.text} <= places
    assert places - {"other"} <= {carrier.place for carrier in found}


def _by_path(body: Any) -> dict[str, Carrier]:
    return {carrier.path: carrier for carrier in carriers(json.dumps(body).encode())}


def test_paths_and_places() -> None:
    found = _by_path(CHAT)
    assert found["messages[1].content[0].text"].place == "user"
    assert found["messages[3].tool_calls[0].function.arguments.*[0]"].place == "tool_call"
    assert found["messages[4].content"].place == "tool_result"
    assert found["tools[0].function.description"].place == "tool_definition"


def test_what_is_there_twice_is_found_twice() -> None:
    """A decoder keeps the last; a provider may read the first."""
    body = b'{"messages":[{"role":"user","content":"first","content":"second"}]}'
    assert [carrier.text for carrier in carriers(body)] == ["first", "second"]


def test_only_the_changed_bytes_change() -> None:
    body = b'{ "n" :1.50,\n"messages":[ {"role":"user","content":"a\\u0020b"} ], "model":"m" , "seed":4111111111111111}'
    found = {carrier.path: carrier for carrier in carriers(body)}
    assert splice(body, []) == body
    assert splice(body, [(found["messages[0].content"], 'x"')]) == body.replace(b'"a\\u0020b"', b'"x\\""')
    assert splice(body, [(found["seed"], "[X]")]) == body.replace(b"4111111111111111", b'"[X]"')


def test_pictures_and_seals_are_no_text() -> None:
    picture = base64.b64encode(bytes(range(256)) * 8).decode()
    parts = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}, {"signature": picture}]
    assert not carriers(json.dumps({"messages": [{"role": "user", "content": parts}]}).encode())


def test_it_takes_linear_time() -> None:
    """Brackets, quotes and escapes by the hundred thousand."""
    for piece in (b'"\\\\",', b"[],", b'{"a":1},', b'"x",', b'"' + b"\\u0041" * 500 + b'",'):
        taken = []
        for size in (8_000, 32_000):
            body = b"[" + (piece * (size // len(piece) + 1))[:-1] + b"]"
            taken.append(min(_cpu(body) for _ in range(3)))
        assert taken[1] < 12 * taken[0] + 0.05


def _cpu(body: bytes) -> float:
    before = time.thread_time()
    carriers(body)
    return time.thread_time() - before
