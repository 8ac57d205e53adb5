"""Whole answers of generateContent, read and written."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.chat import (
    Chat,
    Choice,
    Citation,
    Completion,
    Foreign,
    Media,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from proxy.dialects.gemini.citation import Said, read_citations, write_citations
from proxy.dialects.gemini.content import write_arguments
from proxy.dialects.gemini.failure import read_body
from proxy.dialects.gemini.logprobs import read_logprobs, write_logprobs
from proxy.dialects.gemini.media import kind_of, write_answer_media
from proxy.dialects.gemini.partial import assemble
from proxy.dialects.gemini.signature import write_mark, write_thought_mark
from proxy.dialects.gemini.usage import read_stop, read_tier, read_usage, write_stop, write_usage
from proxy.dialects.gemini.wire import FOREIGN_PARTS, NAME, SIGNS, Answer, Candidate, FunctionCall, PartWire
from proxy.errors import BadAnswer


def read_answer(body: bytes) -> Completion:
    """A provider's whole answer.

    Raises:
        UpstreamError: it cannot be read, or is an error under a good status.
    """
    answer = read_body(body)
    if answer.candidates:
        choices = [_choice(candidate) for candidate in answer.candidates]
    else:
        choices = [Choice(parts=[], stop="content_filter", reason=blocked(answer))]
    return Completion(
        id=answer.response_id or "",
        model=answer.model_version or "",
        choices=choices,
        usage=read_usage(answer.usage_metadata),
        service_tier=read_tier(answer.usage_metadata),
    )


def blocked(answer: Answer) -> str:
    """Why a prompt was not answered at all."""
    feedback = answer.prompt_feedback
    if feedback is None or feedback.block_reason is None:
        raise BadAnswer("the provider's answer has no candidates")
    return feedback.block_reason


def _choice(candidate: Candidate) -> Choice:
    content = candidate.content
    parts = [found for part in (content.parts if content else None) or () if (found := read_part(part)) is not None]
    said = Said()
    last = -1
    for at, part in enumerate(parts):
        if type(part) is Text:
            said.add(part.text)
            last = at
    cited = read_citations(candidate, said)
    if cited and last >= 0:
        parts[last] = replace(parts[last], citations=tuple(cited))
    calls = any(type(part) is ToolCall for part in parts)
    end = read_stop(candidate.finish_reason, calls=calls, choice=candidate.index)
    return Choice(
        parts=parts,
        stop=end.stop,
        index=candidate.index,
        reason=end.reason,
        logprobs=read_logprobs(candidate.logprobs_result) or None,
    )


def read_part(part: PartWire) -> Part | None:
    """A part of an answer; None for one that says nothing, or nothing that we know."""
    signature = part.thought_signature or None
    origin = SIGNS if signature else ""
    if part.text is not None:
        if part.thought:
            return Reasoning(text=part.text, signature=signature, origin=SIGNS)
        return Text(part.text, signature=signature, origin=origin) if part.text or signature else None
    if part.function_call is not None:
        arguments = call_arguments(part.function_call)
        identity = part.function_call.id or new_call_id()
        name = call_name(part.function_call)
        return ToolCall(id=identity, name=name, arguments=arguments, signature=signature, origin=origin)
    if part.inline_data is not None:
        kind = part.inline_data.mime_type or "application/octet-stream"
        return Media(kind=kind_of(kind), data=part.inline_data.data or "", media_type=kind)
    if part.file_data is not None:
        kind = part.file_data.mime_type or ""
        return Media(kind=kind_of(kind), url=part.file_data.file_uri or "", media_type=kind or None)
    for field, name in FOREIGN_PARTS:
        if (value := getattr(part, field)) is not None:
            whole = {name: value} if signature is None else {name: value, "thoughtSignature": signature}
            return Foreign(origin=NAME, what=f"content.{name}", value=whole)
    if signature is not None:
        return (
            Reasoning(signature=signature, origin=SIGNS)
            if part.thought
            else Text("", signature=signature, origin=origin)
        )
    return None


def call_name(call: FunctionCall) -> str:
    """The name of the function."""
    if not call.name:
        raise BadAnswer("the provider calls a function without saying which")
    return call.name


def call_arguments(call: FunctionCall) -> str:
    """Arguments that came whole, as they were written."""
    if call.partial_args:
        return assemble(call.partial_args)
    try:
        text = bytes(call.args).decode()
    except UnicodeDecodeError as error:
        raise BadAnswer("the provider's answer is not UTF-8") from error
    if text in ("", "null"):
        return "{}"
    if not text.startswith("{"):
        raise BadAnswer("the provider calls a function with arguments that are no object")
    return text


def new_call_id() -> str:
    """For a call whose provider gave none."""
    return f"call_{secrets.token_hex(12)}"


def new_id() -> str:
    """For an answer whose provider gave none."""
    return secrets.token_urlsafe(16)


def write_answer(completion: Completion, chat: Chat) -> bytes:
    """The answer for a client."""
    answer: dict[str, Any] = {"candidates": [_candidate(choice) for choice in completion.choices]}
    if completion.usage is not None:
        answer["usageMetadata"] = write_usage(completion.usage)
    answer["modelVersion"] = completion.model or chat.model
    answer["responseId"] = completion.id or new_id()
    return msgspec.json.encode(answer)


def _candidate(choice: Choice) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    said: list[str] = []
    citations: list[Citation] = []
    for part in choice.parts:
        if type(part) is Text:
            citations += part.citations
            said.append(part.text)
        value = write_part(part)
        if value is not None:
            parts.append(value)
    refused = any(type(part) is Refusal for part in choice.parts)
    written: dict[str, Any] = {
        "content": {"parts": parts, "role": "model"},
        "finishReason": write_stop(choice, refused=refused),
        "index": choice.index,
    }
    if citations:
        written["groundingMetadata"] = write_citations(citations, "".join(said))
    if choice.logprobs:
        written["logprobsResult"] = write_logprobs(choice.logprobs)
    return written


def write_part(part: Part) -> dict[str, Any] | None:
    """A part for a client; None for what says nothing here."""
    match part:
        case Text():
            value: dict[str, Any] = {"text": part.text}
            if part.signature:
                value["thoughtSignature"] = write_mark(part.origin, part.signature)
            return value if part.text or part.signature else None
        case ToolCall():
            return write_call(part)
        case Reasoning():
            value = {"text": part.text, "thought": True}
            mark = write_thought_mark(part, part.signature)
            if mark is not None:
                value["thoughtSignature"] = mark
            return value if part.text or mark is not None else None
        case Refusal():
            return {"text": part.text} if part.text else None
        case Media():
            return write_answer_media(part)
        case Foreign() if part.origin == NAME:
            return part.value if isinstance(part.value, dict) else None
        case Foreign() | ToolResult():
            return None


def write_call(call: ToolCall) -> dict[str, Any]:
    """A whole call."""
    value: dict[str, Any] = {
        "functionCall": {"id": call.id, "name": call.name, "args": write_arguments(call)[0]},
    }
    if call.signature:
        value["thoughtSignature"] = write_mark(call.origin, call.signature)
    return value
