"""What is never given again: requests whose answer would be another next time, and answers that are not whole and good.

Each function returns the reason, in few words for the receipt; None where nothing speaks against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from proxy.chat import Chat, Completion, Foreign, Media, Part, Refusal, Text, ToolCall, ToolResult
from proxy.choosing.effects import lasting
from proxy.exchange import Exchange

# Operations whose answers are found by what is asked alone.
_ALWAYS_SAME = frozenset({"embeddings", "moderation", "rerank"})
TEXT_COMPLETION = "text_completion"  # of texts that are no conversation
# Members of a body by which the answer depends on something that is not in the request.
_ELSEWHERE = ("previous_response_id", "conversation", "web_search_options", "plugins", "cachedContent", "container")
# What stands in a body that may name media by an address or an id. Only then it is read for that.
_MEDIA = (b'url"', b'"file', b'Url"', b"\\u00")
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"(\w+)"')
_SAID = re.compile(rb'"content"\s*:\s*"\s*(?:[^"\s\\]|\\[^nrt])')
_CALLS = re.compile(rb'"(?:tool_calls|function_call)"\s*:\s*[\[{]\s*[{"]')
_DECLINED = re.compile(rb'"refusal"\s*:\s*"[^"]')
_GOOD = frozenset({"stop", "stop_sequence"})
_CALLED = frozenset({"tool_calls", "function_call"})  # reasons to finish
Conversation = Callable[[Exchange], Chat | None]


class _Said(msgspec.Struct, gc=False):
    content: str | list[Any] | None = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None


class _Choice(msgspec.Struct, gc=False):
    message: _Said
    finish_reason: str | None = None


class _Chat(msgspec.Struct, gc=False):
    """What counts of an answer of OpenAI's chat completions."""

    choices: list[_Choice]


_read_chat = msgspec.json.Decoder(_Chat).decode


class Rules:
    """``tool_calls``: answers that call tools are kept. ``any_temperature``: so are those that were drawn by chance."""

    __slots__ = ("_any_temperature", "_tool_calls")

    def __init__(self, *, tool_calls: bool = False, any_temperature: bool = False) -> None:
        self._tool_calls = tool_calls
        self._any_temperature = any_temperature

    def of_request(self, x: Exchange, body: dict[str, Any], conversation: Conversation) -> str | None:
        """Why an answer to ``x`` is neither kept nor looked for. ``body``: of ``proxy.caching.key.read_body``."""
        endpoint = x.endpoint
        if x.detour is not None:
            return "another route answers"
        reason = lasting(x, body)
        if reason is not None:
            return reason
        if endpoint.operation in _ALWAYS_SAME:
            return None
        is_legacy = endpoint.operation == TEXT_COMPLETION
        if not is_legacy and (endpoint.dialect is None or endpoint.operation != "chat"):
            return f"{endpoint.operation} is not kept"
        for name in _ELSEWHERE:
            if body.get(name) is not None:
                return f"`{name}` stands for what is not in the request"
        if not self._any_temperature and not _is_fixed(body):
            return "the answer is drawn by chance (temperature above 0 and no seed)"
        if is_legacy:
            return None
        if body.get("tools") or (not _is_text(body) and any(mark in x.body for mark in _MEDIA)):
            return _of_conversation(conversation(x))
        return None

    def of_answer(self, completion: Completion) -> str | None:
        """Why this answer of a conversation is not kept."""
        if not completion.choices:
            return "empty"
        for choice in completion.choices:
            calls = any(isinstance(part, ToolCall) for part in choice.parts)
            if any(isinstance(part, Refusal) for part in choice.parts):
                return "finished by refusal"
            if (calls or choice.stop == "tool_calls") and not self._tool_calls:
                return "it calls tools"
            if choice.stop not in _GOOD and choice.stop != "tool_calls":
                return f"finished by {choice.stop}"
            if not calls and not any(_says(part) for part in choice.parts):
                return "empty"
        return None

    def of_chat(self, body: bytes) -> str | None:
        """The same, quickly, of an answer of OpenAI's chat completions that is all there."""
        try:
            choices = _read_chat(body).choices
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return "it cannot be read"
        for choice in choices:
            said, reason = choice.message, choice.finish_reason
            if said.refusal:
                return "finished by refusal"
            calls = bool(said.tool_calls or said.function_call)
            if (calls or reason in _CALLED) and not self._tool_calls:
                return "it calls tools"
            if reason != "stop" and reason not in _CALLED:
                return f"finished by {reason}" if reason else "incomplete"
            if not calls and not _is_said(said.content):
                return "empty"
        return None if choices else "incomplete"

    def of_chat_stream(self, body: bytes) -> str | None:
        """The same of a stream, of which nothing is read: in a text the quotes of what is looked for would be
        escaped."""
        finished = _FINISH.findall(body)
        if not finished:
            return "incomplete"
        if b'"refusal"' in body and _DECLINED.search(body) is not None:
            return "finished by refusal"
        calls = b"_call" in body and _CALLS.search(body) is not None
        reasons = {reason.decode() for reason in finished}
        if (calls or reasons & _CALLED) and not self._tool_calls:
            return "it calls tools"
        for reason in reasons - _CALLED - {"stop"}:
            return f"finished by {reason}"
        return None if calls or _SAID.search(body) is not None else "empty"


def _is_text(body: dict[str, Any]) -> bool:
    """Whether each message is a text, by a quick look."""
    messages = body.get("messages")
    if type(messages) is not list or "system" in body:
        return False
    return all(type(message) is dict and type(message.get("content")) is str for message in messages)


def _is_fixed(body: dict[str, Any]) -> bool:
    """Whether the same request gets the same answer, as far as anybody can promise that. A provider that is told no
    temperature draws."""
    for holder in (body, body.get("generationConfig"), body.get("generation_config")):
        if isinstance(holder, dict):
            if type(holder.get("seed")) is int:
                return True
            temperature = holder.get("temperature")
            if isinstance(temperature, msgspec.Raw):
                temperature = float(bytes(temperature))
            if temperature == 0 and type(temperature) is not bool:
                return True
    return False


def _of_conversation(chat: Chat | None) -> str | None:
    if chat is None:
        return "it cannot be read"
    for tool in chat.tools:
        if tool.foreign is not None:
            return "the provider runs a tool"
    for part in _parts(part for message in chat.messages for part in message.parts):
        if isinstance(part, Media) and part.data is None:
            return f"{part.kind} by address, whose content may change"
        if isinstance(part, Foreign):
            return f"{part.what} is not understood"
    return None


def _parts(parts: Iterable[Part]) -> Iterable[Part]:
    for part in parts:
        yield part
        if isinstance(part, ToolResult):
            yield from part.parts


def _is_said(content: str | list[Any] | None) -> bool:
    return bool(content.strip() if isinstance(content, str) else content)


def _says(part: Part) -> bool:
    """Whether there is anything in it."""
    return bool(part.text.strip()) if isinstance(part, Text) else isinstance(part, Media)
