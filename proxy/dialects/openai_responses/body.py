"""Writes a request for a provider that speaks the Responses API."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from proxy.chat import Chat, Losses, Text, Thinking
from proxy.dialects.dialect import Aim
from proxy.dialects.openai_responses.tools import write_choice, write_format, write_tools
from proxy.dialects.openai_responses.turns import Turns
from proxy.dialects.reading import wrong
from proxy.dialects.thinking import effort_of

_LOGPROBS = "message.output_text.logprobs"
_THOUGHTS = "reasoning.encrypted_content"
_MIN_TOKENS = 16  # the API refuses to answer in fewer
_MAX_USER = 64  # characters
_TIERS = {"standard_only": "default"}


def write_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body that asks for an answer.

    Raises:
        BadRequest: the conversation cannot be said in this format.
    """
    body = _ask(chat, aim, losses)
    include: list[str] = []
    if aim.capabilities.thinking != "none":
        include.append(_THOUGHTS)  # what a client that keeps its own history must send back
    if chat.logprobs:
        include.append(_LOGPROBS)
        if chat.top_logprobs is not None:
            body["top_logprobs"] = chat.top_logprobs
    if include:
        body["include"] = include
    _add_rest(chat, body, losses)
    # The API would store what nobody asked to be stored.
    body["store"] = bool(chat.store)
    if chat.stream:
        body["stream"] = True
    return msgspec.json.encode(body)


def write_count_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body that asks for the number of its tokens."""
    return msgspec.json.encode(_ask(chat, aim, losses))


def _ask(chat: Chat, aim: Aim, losses: Losses) -> dict[str, Any]:
    """What both questions have in common."""
    body: dict[str, Any] = {"model": aim.model}
    messages, first = chat.messages, 0
    if chat.instructed and messages:
        body["instructions"] = "".join(part.text for part in messages[0].parts if isinstance(part, Text))
        messages, first = messages[1:], 1
    turns = Turns(losses, pairs=chat.previous is None)
    turns.write(messages, first)
    if not turns.items and chat.previous is None:
        raise wrong("messages", "must hold a message with something in it")
    body["input"] = turns.items
    if chat.previous is not None:
        body["previous_response_id"] = chat.previous
    tools = write_tools(chat, losses)
    if tools:
        body["tools"] = tools
        choice = write_choice(chat)
        if choice is not None:
            body["tool_choice"] = choice
        if chat.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = chat.parallel_tool_calls
    _add_text(chat, body, losses)
    if chat.thinking is not None and (wish := _reasoning(chat.thinking)):
        body["reasoning"] = wish
    return body


def _add_text(chat: Chat, body: dict[str, Any], losses: Losses) -> None:
    text: dict[str, Any] = {}
    shape = write_format(chat.format, losses)
    if shape is not None:
        text["format"] = shape
    if chat.verbosity is not None:
        text["verbosity"] = chat.verbosity
    if text:
        body["text"] = text


def _reasoning(wish: Thinking) -> dict[str, Any]:
    written: dict[str, Any] = {}
    effort = effort_of(wish)
    if effort is not None:
        written["effort"] = effort
    # Who speaks of budgets sees thoughts unless he says otherwise; here they are to be asked for.
    shows = wish.visible or (wish.visible is None and bool(wish.budget))
    if wish.summary is not None or shows:
        written["summary"] = wish.summary or "auto"
    return written


def _add_rest(chat: Chat, body: dict[str, Any], losses: Losses) -> None:
    if chat.max_tokens is not None:
        if chat.max_tokens < _MIN_TOKENS:
            losses.add("max_tokens")
        body["max_output_tokens"] = max(chat.max_tokens, _MIN_TOKENS)
    for name in ("temperature", "top_p", "metadata", "prompt_cache_key"):
        value = getattr(chat, name)
        if value is not None:
            body[name] = value
    if chat.service_tier is not None:
        body["service_tier"] = _TIERS.get(chat.service_tier, chat.service_tier)
    if chat.user is not None:
        body["safety_identifier"] = _user(chat.user)


def _user(given: str) -> str:
    """An identifier stays one when it is too long for the API: the same user has the same."""
    return given if len(given) <= _MAX_USER else hashlib.sha256(given.encode()).hexdigest()
