"""GRD-05: a canary is found wherever text can stand, in requests and in answers of every endpoint."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from policies.guardrails.keywords import Keywords, KeywordsConfig
from proxy.chat import Choice, Citation, Completion, Foreign, Media, Part, Reasoning, Refusal, Text, ToolCall
from proxy.dialects.table import DIALECTS
from proxy.exchange import Exchange
from proxy.filters.filtered import filtered
from proxy.gather import events_of
from proxy.translation.attempt import read
from tests.proxy.filters.test_filtered import ASKED, PATHS, answer, exchange, told
from tests.proxy.guarding.test_carriers import ANTHROPIC, CHAT, GEMINI, RESPONSES
from tests.support.guards import Guarded

CANARY = "zq-canary"
GUARD = Guarded(Keywords, KeywordsConfig(deny={"canary": (CANARY,)}))
FILE = base64.b64encode(f"some text with {CANARY} in it".encode()).decode()
PARAMETERS = {
    "type": "object",
    "properties": {"a": {"type": "string", "description": "d", "enum": ["e"], "default": "f"}},
}
MCP = {
    "type": "mcp",
    "server_label": "s",
    "server_description": "d",
    "server_url": "https://a.example",
    "headers": {"h": "v"},
}
REQUESTS: dict[str, tuple[str, Any]] = {
    "chat": ("/v1/chat/completions", CHAT),
    "chat, the rest": ("/v1/chat/completions", {"model": "m", "messages": [
        {"role": "developer", "content": "a"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a/b.png", "alt": "words"}},
                                     {"type": "input_audio", "input_audio": {"data": "AAAA", "transcript": "t"}}]},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a": {"b": ["c"]}}'}},
        {"role": "function", "name": "f", "content": "r"}, {"role": "assistant", "audio": {"id": "x"}}],
        "functions": [{"name": "f", "description": "d", "parameters": PARAMETERS}],
        "web_search_options": {"user_location": {"approximate": {"city": "c"}}}, "safety_identifier": "s"}),
    "responses": ("/v1/responses", RESPONSES),
    "responses, the rest": ("/v1/responses", {"model": "m", "instructions": "i", "prompt": {
        "id": "p", "version": "1", "variables": {"name": "n", "file": {"type": "input_text", "text": "t"}}}, "input": [
        {"type": "file_search_call", "id": "f", "queries": ["q"], "status": "completed", "results": [
            {"file_id": "f", "filename": "n", "text": "t", "score": 1, "attributes": {"a": "b"}}]},
        {"type": "mcp_list_tools", "id": "l", "server_label": "s", "tools": [
            {"name": "t", "description": "d", "input_schema": PARAMETERS, "annotations": {"title": "t"}}]},
        {"type": "mcp_call", "id": "c", "server_label": "s", "name": "n", "arguments": '{"a":"b"}', "output": "o",
         "error": "e"},
        {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True, "reason": "r"},
        {"type": "code_interpreter_call", "id": "c", "code": "x", "outputs": [{"type": "logs", "logs": "l"}]},
        {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"], "env": {"A": "b"}}},
        {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "image_url": "u"}},
        {"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "i"},
        {"type": "web_search_call", "action": {"type": "search", "query": "q"}}],
        "tools": [MCP, {"type": "file_search", "vector_store_ids": ["v"], "filters": {"key": "k", "value": "v"}},
                  {"type": "custom", "name": "n", "description": "d", "format": {"definition": "g"}}]}),
    "messages": ("/v1/messages", ANTHROPIC),
    "messages, the rest": ("/v1/messages", {"model": "m", "max_tokens": 9, "system": "s", "messages": [
        {"role": "user", "content": [
            {"type": "search_result", "source": "u", "title": "t", "content": [{"type": "text", "text": "p"}]},
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "t"}]}},
            {"type": "document", "source": {"type": "url", "url": "u"}},
            {"type": "tool_result", "tool_use_id": "t", "content": [
                {"type": "search_result", "source": "u", "title": "t", "content": [{"type": "text", "text": "p"}]}]}]},
        {"role": "assistant", "content": [
            {"type": "mcp_tool_use", "id": "i", "name": "n", "server_name": "s", "input": {"a": "b"}},
            {"type": "mcp_tool_result", "tool_use_id": "i", "content": [{"type": "text", "text": "t"}]},
            {"type": "text", "text": "t", "citations": [
                {"type": "char_location", "cited_text": "c", "document_title": "d"}]}]}],
        "mcp_servers": [{"type": "url", "url": "u", "name": "n", "tool_configuration": {"allowed_tools": ["t"]}}],
        "stop_sequences": ["s"]}),
    "gemini": ("/v1beta/models/m:generateContent", GEMINI),
    "gemini, the rest": ("/v1beta/models/m:generateContent", {"contents": [{"role": "user", "parts": [
        {"fileData": {"fileUri": "u", "displayName": "d"}}, {"executableCode": {"code": "c"}},
        {"codeExecutionResult": {"output": "o"}}, {"text": "t", "thought": True}]}],
        "tools": [{"retrieval": {"vertexRagStore": {"ragResources": [{"ragCorpus": "c"}]}}}],
        "generationConfig": {"stopSequences": ["s"], "responseSchema": PARAMETERS}, "cachedContent": "c"}),
    "completions": ("/v1/completions", {"model": "m", "prompt": ["p", "q"], "suffix": "s", "user": "u", "stop": "x"}),
    "embeddings": ("/v1/embeddings", {"model": "m", "input": ["a", "b"], "user": "u"}),
    "images": ("/v1/images/generations", {"model": "m", "prompt": "p", "user": "u"}),
    "speech": ("/v1/audio/speech", {"model": "m", "input": "i", "instructions": "i", "voice": "v"}),
    "rerank": ("/v1/rerank", {"model": "m", "query": "q", "documents": ["d", {"text": "t"}]}),
    "moderations": ("/v1/moderations", {"model": "m", "input": [{"type": "text", "text": "t"}]}),
    "count": ("/v1/messages/count_tokens", {"model": "m", "messages": [{"role": "user", "content": "c"}]}),
    "batches": ("/v1/batches", {"input_file_id": "f", "metadata": {"a": "b"}}),
}  # fmt: skip
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
ANSWERS: dict[str, tuple[str, Any]] = {
    "chat": ("/v1/chat/completions", {"id": "i", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": index, "finish_reason": "stop", "message": {
            "role": "assistant", "content": "c", "refusal": "r", "reasoning_content": "t", "annotations": [
                {"type": "url_citation", "url_citation": {"url": "u", "title": "t"}}],
            "audio": {"id": "a", "data": "AAAA", "transcript": "t"}, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "n", "arguments": '{"a": "b"}'}}]},
         "logprobs": {"content": [{"token": "t", "logprob": -0.1, "top_logprobs": [{"token": "x", "logprob": -1}]}]}}
        for index in range(2)], "usage": USAGE}),
    "responses": ("/v1/responses", {"id": "i", "object": "response", "model": "m", "status": "completed", "output": [
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "t"}]},
        {"type": "file_search_call", "id": "f", "queries": ["q"], "results": [{"filename": "n", "text": "t"}]},
        {"type": "mcp_list_tools", "id": "l", "tools": [{"name": "t", "description": "d"}]},
        {"type": "mcp_call", "id": "c", "name": "n", "arguments": "{}", "output": "o"},
        {"type": "web_search_call", "action": {"type": "search", "query": "q", "sources": [{"url": "u"}]}},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "t", "annotations": [
            {"type": "file_citation", "filename": "f", "quote": "q"}], "logprobs": [{"token": "t"}]}]},
        {"type": "function_call", "call_id": "c", "name": "n", "arguments": '{"a": "b"}'}], "metadata": {"a": "b"}}),
    "messages": ("/v1/messages", {"id": "i", "type": "message", "role": "assistant", "model": "m", "content": [
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "text", "text": "t", "citations": [{"type": "char_location", "cited_text": "c", "title": "t"}]},
        {"type": "tool_use", "id": "t", "name": "n", "input": {"a": ["b"]}},
        {"type": "web_search_tool_result", "content": [{"type": "web_search_result", "title": "t", "url": "u"}]}],
        "stop_reason": "end_turn", "stop_sequence": "s"}),
    "gemini": ("/v1beta/models/m:generateContent", {"candidates": [{"index": index, "content": {"parts": [
        {"text": "t", "thought": True}, {"text": "t"}, {"functionCall": {"name": "n", "args": {"a": "b"}}}]},
        "groundingMetadata": {"groundingChunks": [{"web": {"uri": "u", "title": "t"}}]},
        "citationMetadata": {"citations": [{"uri": "u", "title": "t"}]}, "finishMessage": "f",
        "logprobsResult": {"chosenCandidates": [{"token": "t"}], "topCandidates": [{"candidates": [{"token": "x"}]}]}}
        for index in range(2)], "promptFeedback": {"blockReasonMessage": "b"}}),
    "completions": ("/v1/completions", {"id": "i", "object": "text_completion", "choices": [
        {"index": 0, "text": "t", "logprobs": {"tokens": ["t"], "top_logprobs": [{"x": -1}]}},
        {"index": 1, "text": "t"}]}),
    "images": ("/v1/images/generations", {"data": [{"b64_json": "iVBORw0KGgo", "revised_prompt": "r", "url": "u"}]}),
    "transcript": ("/v1/audio/transcriptions", {"text": "t", "language": "l", "words": [{"word": "w"}],
                                                "segments": [{"text": "t"}], "logprobs": [{"token": "t"}]}),
    "rerank": ("/v1/rerank", {"results": [{"index": 0, "document": {"text": "t"}}]}),
    "stored": ("/v1/responses/r", {"id": "i", "output": [{"type": "message", "content": [{"text": "t"}]}]}),
}  # fmt: skip


def planted(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Where the canary was put, and the document with it there: in every text and in every name, one at a time."""
    if isinstance(value, dict):
        for name, one in value.items():
            for where, changed in planted(one, (*steps, name)):
                yield where, {**value, name: changed}
            rest = {other: kept for other, kept in value.items() if other != name}
            yield (*steps, f"{name} (name)"), {**rest, CANARY: one}
    elif isinstance(value, list):
        for at, one in enumerate(value):
            for where, changed in planted(one, (*steps, at)):
                yield where, [*value[:at], changed, *value[at + 1 :]]
    elif isinstance(value, str):
        if steps != ("model",):  # which a route has chosen
            yield steps, f"a {CANARY} there"
        if steps[-1] in ("arguments", "partial_json") and value.startswith("{"):
            yield (*steps, "inside"), json.dumps({"a": {CANARY: 1}, "b": "c"})
            yield (*steps, "escaped"), '{"a": "\\u007aq-canary"}'
        if steps[-1] in ("file_data", "data", "url"):
            yield (*steps, "base64"), f"data:text/plain;base64,{FILE}"


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_canary_is_found_in_every_place_of_a_request(name: str) -> None:
    path, body = REQUESTS[name]
    missed = []
    for where, document in planted(copy.deepcopy(body)):
        x = GUARD.request(document, path)
        x.headers = [(b"content-type", b"application/json")]
        if await GUARD.guard.on_request(x) is None:
            missed.append(where)
        else:
            assert CANARY not in x.notes["keywords"]
    assert missed == []


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/images/edits", "/v1/files"])
async def test_a_canary_is_found_in_every_place_of_a_form(path: str) -> None:
    places = {"prompt": "p", "file name": "f.txt", "file": "some text", "a name of a field": "own", "a name": "x"}
    for place in ("", *places):
        at = {key: CANARY if key == place else value for key, value in places.items()}
        lines = [
            *("--b", 'Content-Disposition: form-data; name="prompt"', "", at["prompt"]),
            *("--b", f'Content-Disposition: form-data; name="file"; filename="{at["file name"]}"', "", at["file"]),
            *("--b", f'Content-Disposition: form-data; name="{at["a name of a field"]}"', "", at["a name"]),
            *("--b--", ""),
        ]
        x = GUARD.request("\r\n".join(lines).encode(), path)
        x.headers = [(b"content-type", b"multipart/form-data; boundary=b")]
        reply = await GUARD.guard.on_request(x)
        assert (reply is not None) is (place != ""), place


async def _leaves(path: str, body: bytes, kind: bytes) -> tuple[bytes, str]:
    """What a client gets, and what was decided."""
    name = next((name for name, own in PATHS.items() if path.startswith(own.partition(":")[0])), "openai_chat")
    x: Exchange = exchange(name, path)
    x.state.append(None)
    await GUARD.guard.on_request(x)
    filter_ = GUARD.guard.open_stream(x)
    assert filter_ is not None
    found = answer(body, kind, len(body) // 3 + 1 if kind.startswith(b"text/event") else 0)
    reply = await filtered(x, found, filter_)
    left = reply.body if reply is not None else await told(found)
    return left, str(x.verdicts[-1])


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_canary_is_found_in_every_place_of_an_answer(name: str) -> None:
    path, body = ANSWERS[name]
    missed = []
    for where, document in planted(body):
        left, verdict = await _leaves(path, json.dumps(document).encode(), b"application/json")
        if "blocked" not in verdict or CANARY.encode() in left:
            missed.append(where)
    assert missed == []
    left, verdict = await _leaves(path, json.dumps(body).encode(), b"application/json")
    assert "clean" in verdict
    assert json.loads(left) == body


PARTS: dict[str, Part] = {
    "text": Text(f"a {CANARY}"),
    "thought": Reasoning(text=f"a {CANARY}"),
    "refusal": Refusal(f"a {CANARY}"),
    "name of a tool": ToolCall(id="i", name=CANARY, arguments="{}"),
    "number of a call": ToolCall(id=CANARY, name="n", arguments="{}"),
    "arguments": ToolCall(id="i", name="n", arguments=f'{{"a": "{CANARY}"}}'),
    "name in arguments": ToolCall(id="i", name="n", arguments=f'{{"{CANARY}": 1}}'),
    "escaped in arguments": ToolCall(id="i", name="n", arguments='{"a": "\\u007aq-canary"}'),
    "text of a citation": Text("t", citations=(Citation(url="https://a", text=CANARY),)),
    "address of a citation": Text("t", citations=(Citation(url=CANARY),)),
    "title of a citation": Text("t", citations=(Citation(url="https://a", title=CANARY),)),
    "words of a sound": Media(kind="audio", data="AAAA", media_type="audio/pcm", name=CANARY),
    "something of its own": Foreign(origin="openai_responses", what="file_search_call", value={
        "type": "file_search_call", "id": "f", "status": "completed", "queries": [], "results": [{"text": CANARY}]}),
    "list of tools": Foreign(origin="openai_responses", what="mcp_list_tools", value={
        "type": "mcp_list_tools", "id": "l", "server_label": "s", "tools": [{"name": "n", "description": CANARY}]}),
    "result of a search": Foreign(origin="anthropic_messages", what="web_search_tool_result", value={
        "type": "web_search_tool_result", "tool_use_id": "i", "content": [{"title": CANARY, "url": "u"}]}),
}  # fmt: skip


@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("choice", [0, 1])
async def test_a_canary_is_found_in_every_place_of_a_stream(dialect: str, choice: int) -> None:
    """Wherever a dialect has a word for it."""
    found = 0
    for name, part in PARTS.items():
        choices = [Choice(parts=[Text("fine")], index=index) for index in range(choice + 1)]
        choices[choice].parts.append(part)
        body = (
            DIALECTS[dialect]
            .writer(read(exchange(dialect)))
            .feed(events_of(Completion(id="i", model="m", choices=choices)))
        )
        if b"canary" not in body:
            continue
        found += 1
        left, verdict = await _leaves(PATHS[dialect], body, b"text/event-stream")
        assert "blocked" in verdict, name
        assert b"canary" not in left, name
    assert found >= (8 if choice == 0 else 0)


@pytest.mark.parametrize("place", ["token", "next to it"])
async def test_a_canary_is_found_in_probabilities_of_a_stream(place: str) -> None:
    pieces = (
        [("zq", "x"), ("-can", "y"), ("ary", "z")] if place == "token" else [("x", "zq"), ("y", "-can"), ("z", "ary")]
    )
    tokens = [{"token": one, "logprob": -0.1, "bytes": [1], "top_logprobs": [{"token": two}]} for one, two in pieces]
    said = Completion(id="i", model="m", choices=[Choice(parts=[Text("fine")], logprobs=tokens)])
    for dialect in ("openai_chat", "openai_responses", "gemini"):
        body = DIALECTS[dialect].writer(read(exchange(dialect))).feed(events_of(said))
        assert b"-can" in body
        left, verdict = await _leaves(PATHS[dialect], body, b"text/event-stream")
        assert "blocked" in verdict or dialect == "openai_responses"  # where they are not told at all
        assert b"-can" not in left


def test_every_dialect_is_asked() -> None:
    assert set(ASKED) == set(PATHS)
