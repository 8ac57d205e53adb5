"""Whole answers in OpenAI's chat format."""

from __future__ import annotations

import secrets
import time
from typing import Any

import msgspec

from proxy.chat import Chat, Choice, Citation, Completion, Media, Part, Reasoning, Refusal, Text, ToolCall
from proxy.dialects.openai_chat.request import thought_signature
from proxy.dialects.openai_chat.thought import of_text, read_chunk, read_thoughts, write_detail
from proxy.dialects.openai_chat.usage import read_stop, read_usage, write_stop, write_usage
from proxy.dialects.openai_chat.wire import ANSWER, Annotation, Answer, CallPiece, ChoicePiece, Said
from proxy.errors import BadAnswer
from proxy.providers.meaning import failure_in

_AUDIO = "audio/wav"
_NO_ERROR = (b"null", b"")


def decode(body: bytes) -> Answer:
    """A provider's answer or chunk.

    Raises:
        UpstreamError: it is an error, or cannot be read.
    """
    try:
        answer = ANSWER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"the provider's answer cannot be read: {error}") from error
    if bytes(answer.error) not in _NO_ERROR:
        raise failure_in(body)
    return answer


def read_answer(body: bytes) -> Completion:
    """A ``chat.completion``."""
    answer = decode(body)
    if answer.choices is None:
        raise BadAnswer("the provider's answer has no choices")
    return Completion(
        id=answer.id or "",
        model=answer.model or "",
        choices=[_choice(choice) for choice in answer.choices],
        created=int(answer.created or 0),
        usage=read_usage(answer.usage),
        service_tier=answer.service_tier,
    )


def _choice(choice: ChoicePiece) -> Choice:
    said = choice.message
    if said is None:
        raise BadAnswer("the provider's answer has a choice without a message")
    parts = _parts(said)
    calls = any(isinstance(part, ToolCall) for part in parts)
    stop, reason = read_stop(choice.finish_reason, calls=calls, refused=bool(said.refusal))
    logprobs = choice.logprobs.content if choice.logprobs is not None else None
    return Choice(parts=parts, stop=stop, index=choice.index, reason=reason, logprobs=logprobs or None)


def _parts(said: Said) -> list[Part]:
    thought = said.reasoning_content or said.reasoning
    parts = read_thoughts(said.reasoning_details, thought) if said.reasoning_details or thought else []
    if isinstance(said.content, str):
        if said.content:
            parts.append(Text(said.content, citations=read_citations(said.annotations)))
    else:
        for piece in said.content or ():
            parts += read_piece(piece)
    if said.refusal:
        parts.append(Refusal(said.refusal))
    if said.audio is not None and said.audio.data:
        parts.append(Media(kind="audio", data=said.audio.data, media_type=_AUDIO, name=said.audio.transcript))
    parts += [read_call(call) for call in said.tool_calls or ()]
    if said.function_call is not None and said.function_call.name:
        called = said.function_call
        parts.append(ToolCall(id=new_call(), name=called.name or "", arguments=text_of(called.arguments)))
    return parts


def read_piece(piece: Any) -> list[Part]:
    """A piece of content in Mistral's form. https://docs.mistral.ai/capabilities/reasoning"""
    if not isinstance(piece, dict):
        return []
    if piece.get("type") == "text" and isinstance(piece.get("text"), str):
        return [Text(piece["text"])] if piece["text"] else []
    if piece.get("type") == "thinking":
        text = read_chunk(piece.get("thinking"))
        return [Reasoning(text=text)] if text else []
    return []


def read_call(call: CallPiece) -> ToolCall:
    """A whole call. One without an id is given one: its result could not be told otherwise."""
    custom = call.custom
    if custom is not None:
        return ToolCall(id=call.id or new_call(), name=custom.name or "", arguments=custom.input or "", custom=True)
    function = call.function
    if function is None or not function.name:
        raise BadAnswer("the provider calls a tool without saying which")
    signature = thought_signature(call.extra_content)
    return ToolCall(
        id=call.id or new_call(),
        name=function.name,
        arguments=text_of(function.arguments),
        signature=signature,
        origin="" if signature is None else "gemini",
    )


def text_of(arguments: Any) -> str:
    """Arguments as text; some services send the object itself."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else msgspec.json.encode(arguments).decode()


def new_call() -> str:
    """An id for a call that came without one."""
    return f"call_{secrets.token_hex(12)}"


def new_id() -> str:
    """An id for an answer that came without one."""
    return f"chatcmpl-{secrets.token_hex(12)}"


def read_citations(annotations: list[Annotation] | None) -> tuple[Citation, ...]:
    """Sources in the web; other remarks have no neutral form."""
    return tuple(
        Citation(
            url=found.url,
            title=found.title,
            start=found.start_index,
            end=found.end_index,
            unit="answer",
        )
        for note in annotations or ()
        if (found := note.url_citation) is not None
    )


def write_citations(citations: tuple[Citation, ...]) -> list[dict[str, Any]]:
    """Those that have a URL: the format knows no others."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "url": one.url,
                "title": one.title or "",
                "start_index": (one.start if one.unit == "answer" else None) or 0,
                "end_index": (one.end if one.unit == "answer" else None) or 0,
            },
        }
        for one in citations
        if one.url is not None
    ]


def write_answer(completion: Completion, chat: Chat) -> bytes:
    """A ``chat.completion``."""
    answer: dict[str, Any] = {
        "id": completion.id or new_id(),
        "object": "chat.completion",
        "created": completion.created or int(time.time()),
        "model": completion.model or chat.model,
        "choices": [_write_choice(choice, older=chat.functions) for choice in completion.choices],
    }
    if completion.usage is not None:
        answer["usage"] = write_usage(completion.usage)
    if completion.service_tier is not None:
        answer["service_tier"] = completion.service_tier
    return msgspec.json.encode(answer)


def _write_choice(choice: Choice, *, older: bool) -> dict[str, Any]:
    message = write_message(choice.parts)
    if older and "tool_calls" in message:
        message["function_call"] = message.pop("tool_calls")[0]["function"]
    return {
        "index": choice.index,
        "message": message,
        "logprobs": None if choice.logprobs is None else {"content": choice.logprobs, "refusal": None},
        "finish_reason": write_stop(choice.stop, refused=message["refusal"] is not None, older=older),
    }


def write_message(parts: list[Part]) -> dict[str, Any]:
    """The parts of an answer as one message."""
    texts: list[str] = []
    signature: tuple[str, str] | None = None
    refusals: list[str] = []
    thoughts: list[Reasoning] = []
    calls: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    for part in parts:
        if isinstance(part, Text):
            texts.append(part.text)
            if part.signature:
                signature = part.signature, part.origin
            if part.citations:
                notes += write_citations(part.citations)
        elif isinstance(part, ToolCall):
            calls.append(write_call(part))
        elif isinstance(part, Reasoning):
            thoughts.append(part)
        elif isinstance(part, Refusal):
            refusals.append(part.text)
        elif isinstance(part, Media) and part.kind == "audio":
            audio = {"id": "", "data": part.data, "transcript": part.name or "", "expires_at": 0}
            message["audio"] = audio
    if texts:
        message["content"] = "".join(texts)
    if refusals:
        message["refusal"] = "".join(refusals)
    if thoughts:
        message["reasoning_content"] = "".join(thought.text for thought in thoughts)
        message["reasoning_details"] = [write_detail(thought, at) for at, thought in enumerate(thoughts)]
    if signature is not None:
        details = message.setdefault("reasoning_details", [])
        details.append(of_text(*signature, len(details)))
    if calls:
        message["tool_calls"] = calls
    if notes:
        message["annotations"] = notes
    return message


def write_call(call: ToolCall) -> dict[str, Any]:
    """A call, with Google's signature if it has one."""
    if call.custom:
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    written: dict[str, Any] = {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
    if call.signature is not None and call.origin == "gemini":
        written["extra_content"] = {"google": {"thought_signature": call.signature}}
    return written
