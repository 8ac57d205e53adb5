"""The official client's own types as the judge of what this dialect writes."""

from __future__ import annotations

from typing import Any

import msgspec
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter

_ASKED: dict[bool, TypeAdapter[Any]] = {
    True: TypeAdapter(CompletionCreateParamsStreaming),
    False: TypeAdapter(CompletionCreateParamsNonStreaming),
}


def check_request(body: bytes) -> dict[str, Any]:
    """``body`` as values, once the official types have taken it."""
    value: dict[str, Any] = msgspec.json.decode(body)
    _walk(_ASKED[bool(value.get("stream"))].validate_python(value))
    return value


def check_answer(body: bytes) -> ChatCompletion:
    """A whole answer as the official client reads it."""
    return ChatCompletion.model_validate_json(body, strict=True)


def chunks(stream: bytes) -> list[dict[str, Any]]:
    """The chunks of a stream; its grammar is checked: one id, a role first, one last word, ``[DONE]`` at the end."""
    frames = stream.decode().split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    found: list[dict[str, Any]] = [msgspec.json.decode(frame.removeprefix("data: ")) for frame in frames[:-2]]
    assert len({(one["id"], one["created"], one["model"], one["object"]) for one in found}) == 1
    finished: set[int] = set()
    begun: set[int] = set()
    for chunk in found:
        for choice in chunk["choices"]:
            index = choice["index"]
            assert index not in finished
            assert (choice["delta"].get("role") == "assistant") is (index not in begun)
            begun.add(index)
            if choice["finish_reason"] is not None:
                finished.add(index)
    assert begun == finished
    return found


def check_stream(stream: bytes) -> ChatCompletion:
    """A streamed answer as the official client gathers it."""
    state = ChatCompletionStreamState()
    for chunk in chunks(stream):
        state.handle_chunk(ChatCompletionChunk.model_validate_json(msgspec.json.encode(chunk), strict=True))
    return state.current_completion_snapshot


def _walk(value: Any) -> None:
    """Look at everything: some of the types are read only when asked for."""
    if isinstance(value, dict):
        for inner in value.values():
            _walk(inner)
    elif not isinstance(value, str | bytes | int | float | None):
        for inner in value:
            _walk(inner)
