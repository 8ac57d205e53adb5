"""Whole answers of Converse."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import Chat, Choice, Completion, Foreign, Media, Part, Reasoning, Refusal, Text, ToolCall
from proxy.dialects.anthropic_messages.content import write_input
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL
from proxy.dialects.bedrock.media import write_media
from proxy.dialects.bedrock.words import (
    NAME,
    SIGNS,
    read_citation,
    read_stop,
    read_usage,
    write_citation,
    write_hidden,
    write_stop,
    write_usage,
)
from proxy.dialects.dialect import decode
from proxy.errors import BadAnswer


class ToolUse(msgspec.Struct):
    """``ToolUseBlock``. With a ``type`` it is Amazon's own tool, which has run already."""

    toolUseId: str
    name: str
    input: msgspec.Raw = msgspec.Raw(b"{}")
    type: str | None = None


class Thought(msgspec.Struct):
    """``ReasoningTextBlock``."""

    text: str = ""
    signature: str | None = None


class Reasoned(msgspec.Struct):
    """``ReasoningContentBlock``."""

    reasoningText: Thought | None = None
    redactedContent: str | None = None


class Source(msgspec.Struct):
    """``ImageSource``."""

    bytes: str | None = None


class Image(msgspec.Struct):
    """``ImageBlock``."""

    format: str = "png"
    source: Source | None = None


class Generated(msgspec.Struct):
    """A text with sources."""

    text: str = ""


class Cited(msgspec.Struct):
    """``CitationsContentBlock``."""

    content: list[Generated] = []
    citations: list[dict[str, Any]] = []


class Block(msgspec.Struct):
    """``ContentBlock``: one of its members."""

    text: str | None = None
    toolUse: ToolUse | None = None
    reasoningContent: Reasoned | None = None
    citationsContent: Cited | None = None
    image: Image | None = None


class Message(msgspec.Struct):
    """``Message``."""

    content: list[Block] = []


class Output(msgspec.Struct):
    """``ConverseOutput``."""

    message: Message | None = None


class Tier(msgspec.Struct):
    """``ServiceTier``."""

    type: str | None = None


class Answer(msgspec.Struct):
    """``ConverseResponse``."""

    output: Output
    stopReason: str | None = None
    usage: Any = None
    serviceTier: Tier | None = None


def read_answer(body: bytes) -> Completion:
    """A ``ConverseResponse``; it has no id and does not name its model."""
    answer = decode(body, Answer)
    if answer.output.message is None:
        raise BadAnswer("the provider's answer has no message")
    parts = [part for block in answer.output.message.content if (part := _part(block)) is not None]
    end = read_stop(answer.stopReason, calls=any(isinstance(part, ToolCall) for part in parts))
    return Completion(
        id="",
        model="",
        choices=[Choice(parts=parts, stop=end.stop, reason=end.reason)],
        usage=read_usage(answer.usage),
        service_tier=answer.serviceTier.type if answer.serviceTier is not None else None,
    )


def _part(block: Block) -> Part | None:
    if block.text is not None:
        return Text(block.text) if block.text else None
    if block.toolUse is not None:
        use = block.toolUse
        if use.type is not None:
            return None
        arguments = text_of(use.input)
        if use.name == ANSWER_TOOL:
            return Text(arguments)
        return ToolCall(id=use.toolUseId, name=use.name, arguments=arguments)
    if block.reasoningContent is not None:
        thought = block.reasoningContent.reasoningText
        if block.reasoningContent.redactedContent is not None:
            return Reasoning(redacted=block.reasoningContent.redactedContent, origin=SIGNS)
        if thought is None:
            return None
        return Reasoning(text=thought.text, signature=thought.signature, origin=SIGNS if thought.signature else "")
    if block.citationsContent is not None:
        text = "".join(one.text for one in block.citationsContent.content)
        return Text(text, citations=tuple(read_citation(one) for one in block.citationsContent.citations))
    if block.image is not None and block.image.source is not None and block.image.source.bytes:
        return Media(kind="image", data=block.image.source.bytes, media_type=f"image/{block.image.format}")
    return None  # what a tool of Amazon's own has found


def text_of(value: msgspec.Raw) -> str:
    """The input of a call as JSON text."""
    try:
        text = bytes(value).decode()
    except UnicodeDecodeError as error:
        raise BadAnswer("the provider's answer is not UTF-8") from error
    return "{}" if text == "null" else text


def write_answer(completion: Completion, chat: Chat) -> bytes:
    """A ``ConverseResponse`` of the first choice: Converse knows no others."""
    choice = completion.choices[0] if completion.choices else Choice(parts=[], stop="other")
    blocks = [block for part in choice.parts if (block := write_block(part)) is not None]
    answer: dict[str, Any] = {
        "output": {"message": {"role": "assistant", "content": blocks}},
        "stopReason": write_stop(choice.stop, choice.reason),
        "usage": write_usage(completion.usage),
        "metrics": {"latencyMs": 0},
    }
    return msgspec.json.encode(answer)


def write_block(part: Part) -> dict[str, Any] | None:
    """A part of an answer as a ``ContentBlock``."""
    match part:
        case Text():
            if part.citations:
                cited = [write_citation(one) for one in part.citations]
                return {"citationsContent": {"content": [{"text": part.text}], "citations": cited}}
            return {"text": part.text} if part.text else None
        case Refusal():
            return {"text": part.text} if part.text else None
        case ToolCall():
            return {"toolUse": {"toolUseId": part.id, "name": part.name, "input": write_input(part)[0]}}
        case Reasoning():
            if part.redacted is not None:
                return {"reasoningContent": {"redactedContent": write_hidden(part.redacted)}}
            thought = {"text": part.text} | ({"signature": part.signature} if part.signature else {})
            return {"reasoningContent": {"reasoningText": thought}}
        case Media(kind="image", data=str()):
            return write_media(part)
        case Foreign(origin=origin) if origin == NAME:
            value: dict[str, Any] = part.value
            return value
    return None
