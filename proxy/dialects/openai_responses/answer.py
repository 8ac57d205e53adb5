"""Whole answers of the Responses API, read and written."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import Chat, Choice, Completion, Foreign, Media, Part, Text, ToolCall
from proxy.dialects.openai_responses.annotation import read_annotation
from proxy.dialects.openai_responses.content import Unknown, read_piece
from proxy.dialects.openai_responses.echo import Frame
from proxy.dialects.openai_responses.failure import failure_of
from proxy.dialects.openai_responses.ids import item_token, response_id
from proxy.dialects.openai_responses.items import thoughts
from proxy.dialects.openai_responses.output import write_output
from proxy.dialects.openai_responses.signature import read_thought
from proxy.dialects.openai_responses.usage import (
    has_calls,
    has_refusal,
    read_stop,
    read_usage,
    write_stop,
    write_usage,
)
from proxy.dialects.openai_responses.wire import ANSWER, NAME, Answer, Content, Item
from proxy.dialects.reading import Again
from proxy.errors import BadAnswer, BadRequest

_ENDED = (None, "completed", "incomplete")


def read_answer(body: bytes) -> Completion:
    """A provider's whole answer.

    Raises:
        UpstreamError: it cannot be read, or is an error under a good status.
    """
    try:
        answer = ANSWER.decode(body)
        if answer.error:
            raise failure_of(answer.error)
        check_ended(answer)
        parts, logprobs = read_output(answer.output, Again(body), "output")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"the provider's answer cannot be read: {error}") from error
    end = read_stop(answer, calls=has_calls(parts))
    return Completion(
        id=answer.id,
        model=answer.model,
        created=int(answer.created_at or 0),
        choices=[Choice(parts=parts, stop=end.stop, reason=end.reason, logprobs=logprobs or None)],
        usage=read_usage(answer.usage),
        service_tier=answer.service_tier,
    )


def check_ended(answer: Answer) -> None:
    """
    Raises:
        UpstreamError: the answer is none, or not yet.
    """
    if answer.status == "failed":
        raise failure_of(answer.error or {})
    if answer.status not in _ENDED:
        raise BadAnswer(f"the provider's answer is {answer.status[:40] if answer.status else ''}, not completed")
    if answer.output is None:
        raise BadAnswer("the provider's answer has no output")


def read_output(output: list[Item] | None, again: Again, *path: str | int) -> tuple[list[Part], list[Any]]:
    """The parts of all items, and the token objects of their texts."""
    parts: list[Part] = []
    logprobs: list[Any] = []
    for at, item in enumerate(output or ()):
        read_item(item, parts, logprobs, again, *path, at)
    return parts, logprobs


def read_item(item: Item, parts: list[Part], logprobs: list[Any], again: Again, *path: str | int) -> None:
    """Add the parts of one item.

    Raises:
        BadAnswer: it makes no sense.
    """
    match item.type:
        case "message":
            for index, piece in enumerate(item.content if isinstance(item.content, list) else ()):
                parts.append(read_said(piece, again, *path, "content", index))
                logprobs += piece.logprobs or ()
            if isinstance(item.content, str):
                parts.append(Text(item.content))
        case "function_call" | "custom_tool_call":
            parts.append(read_call(item))
        case "reasoning":
            text, is_summary = thoughts(item)
            if text or item.encrypted_content:
                parts.append(read_thought(text, item.encrypted_content or None, item.id, is_summary=is_summary))
        case "image_generation_call" if isinstance(item.result, str):
            parts.append(Media(kind="image", data=item.result, media_type=f"image/{item.output_format or 'png'}"))
        case _:
            parts.append(Foreign(origin=NAME, what=f"output.{(item.type or '')[:64]}", value=again.at(*path)))


def read_said(piece: Content, again: Again, *path: str | int) -> Part:
    """A piece of what the model says."""
    if piece.type == "output_text":
        cited = tuple(read_annotation(one) for one in piece.annotations) if piece.annotations else ()
        return Text(piece.text or "", citations=cited)
    try:
        return read_piece(piece, "output")
    except (Unknown, BadRequest):
        return Foreign(origin=NAME, what=f"output.content.{piece.type[:64]}", value=again.at(*path))


def read_call(item: Item) -> ToolCall:
    """A call of a tool.

    Raises:
        BadAnswer: it does not say of which.
    """
    custom = item.type == "custom_tool_call"
    text = item.input if custom else item.arguments
    call = item.call_id or item.id
    if not call or not item.name:
        raise BadAnswer("the provider calls a tool without saying which")
    if text is not None and not isinstance(text, str):
        raise BadAnswer("the provider calls a tool with arguments that are no text")
    return ToolCall(id=call, name=item.name, arguments=text or "", custom=custom)


def write_answer(completion: Completion, chat: Chat) -> bytes:
    """The answer for a client: one choice, as the API has no more."""
    choice = completion.choices[0] if completion.choices else Choice(parts=[], stop="other")
    response = response_id(completion.id)
    items = write_output(choice.parts, item_token(response), choice.logprobs)
    status, incomplete = write_stop(choice, refused=has_refusal(choice.parts))
    if status == "incomplete" and items and items[-1].get("type") == "message":
        items[-1]["status"] = "incomplete"
    frame = Frame(chat, response, completion.model, completion.created)
    return msgspec.json.encode(
        frame.respond(
            status,
            items,
            usage=write_usage(completion.usage),
            tier=completion.service_tier,
            incomplete=incomplete,
        )
    )
