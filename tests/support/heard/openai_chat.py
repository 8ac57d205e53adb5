"""A chat completion as OpenAI's client understands it; a stream through the client's own accumulator."""

from __future__ import annotations

import json
from typing import Any

from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.support.heard.answer import Called, Heard, demand
from tests.support.sse import read_events
from tests.upstream.say import Tokens


def of_completion(found: ChatCompletion) -> Heard:
    """A whole answer."""
    choice = found.choices[0]
    message, extra = choice.message, choice.message.model_extra or {}
    details: list[dict[str, Any]] = extra.get("reasoning_details") or []
    calls = message.tool_calls or []
    proofs = [one["signature"] for one in details if one.get("signature")]
    for call in calls:
        google = ((call.model_extra or {}).get("extra_content") or {}).get("google") or {}
        proofs += [google["thought_signature"]] if google.get("thought_signature") else []
    return Heard(
        model=found.model,
        text=message.content or "",
        refusal=message.refusal or "",
        reasoning=extra.get("reasoning_content") or extra.get("reasoning") or "",
        proofs=proofs,
        hidden=[one["data"] for one in details if one.get("type") == "reasoning.encrypted"],
        calls=[Called(one.id, one.function.name, one.function.arguments) for one in calls if one.type == "function"],
        stop=choice.finish_reason,
        usage=tokens(found),
        sources=[(one.url_citation.url, one.url_citation.title) for one in message.annotations or []],
    )


def tokens(found: ChatCompletion) -> Tokens | None:
    """Usage by class: what stands among the totals is taken out of them."""
    usage = found.usage
    if usage is None:
        return None
    read, wrote = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = (read and read.cached_tokens) or 0
    written = (read and read.cache_write_tokens) or 0
    heard = (read and read.audio_tokens) or 0
    thought = (wrote and wrote.reasoning_tokens) or 0
    spoken = (wrote and wrote.audio_tokens) or 0
    demand(usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, "the total is no sum", usage)
    return Tokens(
        input=usage.prompt_tokens - cached - written - heard,
        cached_read=cached,
        cache_write_5m=written,
        input_audio=heard,
        output=usage.completion_tokens - thought - spoken,
        reasoning=thought,
        output_audio=spoken,
    )


def of_chunks(chunks: list[ChatCompletionChunk]) -> Heard:
    """The chunks of a stream."""
    state = ChatCompletionStreamState()
    thoughts, proofs, hidden, sources = [], [], [], []
    opened: dict[int, int] = {}
    for chunk in chunks:
        demand(chunk.object == "chat.completion.chunk", "not a chunk", chunk)
        list(state.handle_chunk(chunk))
        for choice in chunk.choices:
            extra = choice.delta.model_extra or {}
            thoughts.append(extra.get("reasoning_content") or extra.get("reasoning") or "")
            for one in extra.get("reasoning_details") or []:
                proofs += [one["signature"]] if one.get("signature") else []
                hidden += [one["data"]] if one.get("type") == "reasoning.encrypted" else []
            notes = extra.get("annotations") or []
            sources += [(one["url_citation"]["url"], one["url_citation"]["title"]) for one in notes]
            for call in choice.delta.tool_calls or []:
                if call.index not in opened:
                    demand(call.index == len(opened), "indexes of calls have a gap", call)
                    demand(bool(call.id and call.function and call.function.name), "a call begins nameless", call)
                    google = ((call.model_extra or {}).get("extra_content") or {}).get("google") or {}
                    proofs += [google["thought_signature"]] if google.get("thought_signature") else []
                else:
                    demand(call.id is None or opened[call.index] == hash(call.id), "a call changes its id", call)
                opened.setdefault(call.index, hash(call.id))
    found = of_completion(ChatCompletion.model_validate(_completion(state)))
    found.reasoning, found.proofs, found.hidden = "".join(thoughts), proofs, hidden
    found.sources = sources
    return found


def _completion(state: Any) -> dict[str, Any]:
    snapshot: dict[str, Any] = state.current_completion_snapshot.to_dict()
    for choice in snapshot["choices"]:
        choice["message"].pop("annotations", None)
    return snapshot | {"object": "chat.completion"}


def of_whole(body: bytes) -> Heard:
    """The bytes of a whole answer."""
    return of_completion(ChatCompletion.model_validate_json(body))


def of_stream(body: bytes) -> Heard:
    """The bytes of a stream, by its grammar: role first, one reason to stop, perhaps the usage, ``[DONE]``."""
    *events, last = [event.data for event in read_events(body) if event.data is not None]
    demand(last == "[DONE]", "does not end with [DONE]", last)
    demand("[DONE]" not in events, "[DONE] stands twice")
    chunks = [ChatCompletionChunk.model_validate(json.loads(event)) for event in events]
    demand(len({chunk.id for chunk in chunks}) == 1, "the id changes")
    demand(chunks[0].choices[0].delta.role == "assistant", "the role does not come first")
    stops = [at for at, chunk in enumerate(chunks) for choice in chunk.choices if choice.finish_reason]
    demand(len(stops) == 1, "reasons to stop:", len(stops))
    rest = chunks[stops[0] + 1 :]
    demand(all(not chunk.choices and chunk.usage for chunk in rest) and len(rest) <= 1, "content after the end", rest)
    return of_chunks(chunks)
