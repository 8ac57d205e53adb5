"""Whole answers of the Messages API, read and written."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from proxy.chat import (
    Chat,
    Choice,
    Completion,
    Foreign,
    Media,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    seal,
)
from proxy.dialects.anthropic_messages.citation import read_citation, write_citation
from proxy.dialects.anthropic_messages.content import write_input
from proxy.dialects.anthropic_messages.failure import failure_of
from proxy.dialects.anthropic_messages.hidden import ALONE, NEXT, hide
from proxy.dialects.anthropic_messages.reader import input_text
from proxy.dialects.anthropic_messages.usage import (
    has_calls,
    has_refusal,
    read_stop,
    read_tier,
    read_usage,
    write_stop,
    write_tier,
    write_usage,
)
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL, NAME, SIGNS, Answer, AnswerBlock, UsageWire
from proxy.dialects.dialect import decode, tells
from proxy.dialects.reading import Again
from proxy.errors import BadAnswer


def read_answer(body: bytes) -> Completion:
    """A provider's whole answer.

    Raises:
        UpstreamError: it cannot be read, or is an error under a good status.
    """
    answer = decode(body, Answer)
    if answer.type == "error":
        raise failure_of(body)
    if answer.content is None:
        raise BadAnswer("the provider's answer has no content")
    again = Again(body)
    try:
        parts = [_read_block(block, at, again) for at, block in enumerate(answer.content)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"the provider's answer cannot be read: {error}") from error
    if answer.stop_reason == "refusal" and answer.stop_details is not None and answer.stop_details.explanation:
        parts.append(Refusal(answer.stop_details.explanation))
    end = read_stop(answer.stop_reason, answer.stop_sequence, calls=has_calls(parts))
    choice = Choice(parts=parts, stop=end.stop, reason=end.reason, sequence=end.sequence)
    told = tells(answer.usage, UsageWire)
    return Completion(
        id=answer.id,
        model=answer.model,
        choices=[choice],
        usage=read_usage(told),
        service_tier=read_tier(told),
    )


def _read_block(block: AnswerBlock, at: int, again: Again) -> Part:
    match block.type:
        case "text":
            cited = tuple(read_citation(one) for one in block.citations) if block.citations else ()
            return Text(block.text or "", citations=cited)
        case "thinking":
            return Reasoning(text=block.thinking or "", signature=block.signature or None, origin=SIGNS)
        case "redacted_thinking":
            return Reasoning(redacted=block.data or "", origin=SIGNS)
        case "tool_use":
            arguments = input_text(block) or "{}"
            if block.name == ANSWER_TOOL:
                return Text(arguments)
            if not block.id or not block.name:
                raise BadAnswer("the provider calls a tool without saying which")
            return ToolCall(id=block.id, name=block.name, arguments=arguments)
    return Foreign(origin=NAME, what=f"content.{block.type}", value=again.at("content", at))


def write_answer(completion: Completion, chat: Chat) -> bytes:
    """The answer for a client: one choice, as the API has no more."""
    choice = completion.choices[0] if completion.choices else Choice(parts=[], stop="other")
    content: list[dict[str, Any]] = []
    for part in choice.parts:
        content += write_part(part)
    reason, sequence = write_stop(choice, refused=has_refusal(choice.parts))
    usage = write_usage(completion.usage)
    tier = write_tier(completion.service_tier)
    if tier is not None:
        usage["service_tier"] = tier
    return msgspec.json.encode(
        {
            "id": completion.id or new_id(),
            "type": "message",
            "role": "assistant",
            "model": completion.model or chat.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": sequence,
            "usage": usage,
        }
    )


def new_id() -> str:
    """For an answer whose provider gave none."""
    return f"msg_{secrets.token_hex(12)}"


def write_part(part: Part) -> list[dict[str, Any]]:
    """The blocks of one part; none for what says nothing here."""
    match part:
        case Text():
            return _text(part)
        case ToolCall():
            call = {"type": "tool_use", "id": part.id, "name": part.name, "input": write_input(part)[0]}
            return [redacted(hide(part.origin, part.signature, NEXT)), call] if part.signature else [call]
        case Reasoning():
            return _reasoning(part)
        case Refusal():
            return [{"type": "text", "text": part.text, "citations": None}] if part.text else []
        case Media():
            return [{"type": "text", "text": left_out(part), "citations": None}]
        case Foreign() if part.origin == NAME:
            return [part.value]
        case Foreign() | ToolResult():
            return []


def redacted(data: str) -> dict[str, Any]:
    """A block of thoughts that cannot be read."""
    return {"type": "redacted_thinking", "data": data}


def write_signature(origin: str, signature: str) -> str:
    """A signature that finds back to its maker."""
    return signature if origin in (SIGNS, "") or not signature else seal(origin, signature)


def left_out(media: Media) -> str:
    """A word for what an answer of this API cannot hold."""
    return f"({media.kind} {media.media_type or ''} left out: this API cannot answer with it)".replace("  ", " ")


def _text(part: Text) -> list[dict[str, Any]]:
    if not part.text:
        return [redacted(hide(part.origin, part.signature, ALONE))] if part.signature else []
    cited = [write_citation(one) for one in part.citations] or None
    block = {"type": "text", "text": part.text, "citations": cited}
    return [redacted(hide(part.origin, part.signature, NEXT)), block] if part.signature else [block]


def _reasoning(part: Reasoning) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if part.text or part.signature:
        signature = write_signature(part.origin, part.signature or "")
        blocks.append({"type": "thinking", "thinking": part.text, "signature": signature})
    if part.redacted is not None:
        blocks.append(redacted(write_signature(part.origin, part.redacted)))
    return blocks
