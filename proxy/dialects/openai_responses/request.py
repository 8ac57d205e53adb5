"""Reads what a client of the Responses API asks."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import Chat, Message, Text, Thinking
from proxy.dialects.openai_responses.items import Items
from proxy.dialects.openai_responses.tools import read_choice, read_format, read_tool
from proxy.dialects.openai_responses.wire import (
    KNOWN,
    KNOWN_REQUEST,
    REQUEST,
    TOP,
    KnownRequest,
    ReasoningWire,
    Request,
)
from proxy.dialects.reading import MAX_MESSAGES, MAX_TOOLS, Again, read_known, wrong
from proxy.errors import BadRequest

_LOGPROBS = "message.output_text.logprobs"
# Answers carry these thoughts always.
_THOUGHTS = "reasoning.encrypted_content"
_SUMMARIES = ("auto", "concise", "detailed")


def read_request(body: bytes, model: str = "") -> Chat:
    """A request for an answer, or for the number of its tokens; ``model`` is for one that names none.

    Raises:
        BadRequest: with the place of what is wrong.
    """
    asked = read_known(body, KNOWN_REQUEST, REQUEST)
    try:
        return _chat(asked, body, model)
    except UnicodeDecodeError as error:  # in what no type describes
        raise BadRequest(f"The body is not UTF-8 (byte {error.start}).", code="invalid_json") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}", code="invalid_json") from None


def _chat(asked: Request, body: bytes, model: str) -> Chat:
    _check(asked)
    again = Again(body)
    extra: dict[str, Any] = {}
    chat = Chat(
        model=asked.model or model,
        messages=_messages(asked, again, extra),
        instructed=bool(asked.instructions),
        stream=bool(asked.stream),
        include_usage=bool(asked.stream),
        max_tokens=asked.max_output_tokens,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_logprobs=asked.top_logprobs,
        parallel_tool_calls=asked.parallel_tool_calls,
        metadata=asked.metadata,
        user=asked.safety_identifier or asked.user,
        service_tier=asked.service_tier,
        store=None if asked.store else asked.store,  # it is the gateway that stores, unless told not to
        previous=asked.previous_response_id,
        prompt_cache_key=asked.prompt_cache_key,
        extra=extra,
    )
    if not chat.model:
        raise wrong("model", "is required")
    if asked.tools:
        chat.tools = [read_tool(tool, at, again, extra) for at, tool in enumerate(asked.tools)]
    if asked.tool_choice is not None:
        chat.tool_choice = read_choice(asked.tool_choice, again, extra)
    if asked.text is not None:
        chat.format = read_format(asked.text.format)
        chat.verbosity = asked.text.verbosity
    if asked.reasoning is not None:
        chat.thinking = _thinking(asked.reasoning, extra)
    _read_rest(asked, body, chat)
    return chat


def _check(asked: Request) -> None:
    if isinstance(asked.input, list) and len(asked.input) > MAX_MESSAGES:
        raise wrong("input", f"holds {len(asked.input)} items; at most {MAX_MESSAGES} are accepted")
    if asked.tools is not None and len(asked.tools) > MAX_TOOLS:
        raise wrong("tools", f"holds {len(asked.tools)} tools; at most {MAX_TOOLS} are accepted")
    if asked.input is None or (not asked.input and asked.previous_response_id is None):
        raise wrong("input", "is required" if asked.input is None else "must not be empty")


def _messages(asked: Request, again: Again, extra: dict[str, Any]) -> list[Message]:
    """The instructions as the first message, and the input."""
    messages = [Message("system", [Text(asked.instructions)])] if asked.instructions else []
    if isinstance(asked.input, str):
        messages.append(Message("user", [Text(asked.input)]))
        return messages
    items = Items(again, extra)
    items.messages = messages
    for at, item in enumerate(asked.input or ()):
        items.add(item, at)
    return items.messages


def _thinking(asked: ReasoningWire, extra: dict[str, Any]) -> Thinking | None:
    for name in ("context", "mode"):
        if value := getattr(asked, name):
            extra[f"reasoning.{name}"] = value
    summary = asked.summary or asked.generate_summary
    if summary is not None and summary not in _SUMMARIES:
        raise wrong("reasoning.summary", f"must be one of {', '.join(_SUMMARIES)}")
    if asked.effort is None and summary is None:
        return None
    return Thinking(effort=asked.effort, visible=None if summary is None else True, summary=summary)


def _read_rest(asked: Request, body: bytes, chat: Chat) -> None:
    included = set(asked.include or ())
    if _LOGPROBS in included or asked.top_logprobs:
        chat.logprobs = True
    if more := included - {_LOGPROBS, _THOUGHTS}:
        chat.extra["include"] = sorted(more)
    if asked.truncation == "auto":
        chat.extra["truncation"] = "auto"
    if type(asked) is KnownRequest:
        return
    members = TOP.decode(body)
    if not members.keys() <= KNOWN:
        for name, raw in members.items():
            # What is empty, null or false asks for nothing.
            if name not in KNOWN and (value := msgspec.json.decode(raw)):
                chat.extra[name] = value
