"""Places markers for providers that cache prompts only up to marked places."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from proxy.chat import Cache, Chat, Media, Message, Part, PromptCache, Text, ToolCall, ToolResult

MAX_MARKERS = 4  # Anthropic takes no more, and nobody else takes markers in another number
_SYSTEM = ("system", "developer")


def place(chat: Chat, wanted: PromptCache) -> Chat:
    """``chat`` with markers where ``wanted`` says; the same object if the caller has set any, as he knows better.

    Positions of messages count from the first one after the system prompt at the head.
    """
    if _is_marked(chat):
        return chat
    left = MAX_MARKERS
    tools, messages = chat.tools, chat.messages
    if wanted.tools and tools:
        tools = [*tools[:-1], replace(tools[-1], cache=wanted.cache)]
        left -= 1
    head = _head(messages)
    places = [head - 1] if wanted.system and head else []
    places += resolved(wanted.messages, head, len(messages))
    for at in places:
        marked = _marked(messages[at], wanted.cache) if left else None
        if marked is not None:
            messages = [*messages[:at], marked, *messages[at + 1 :]]
            left -= 1
    return chat if left == MAX_MARKERS else replace(chat, tools=tools, messages=messages)


def resolved(positions: Iterable[int], head: int, end: int) -> list[int]:
    """``positions`` among the messages from ``head`` to ``end`` as plain indexes, each once, without those outside."""
    found = (head + at if at >= 0 else end + at for at in positions)
    return list(dict.fromkeys(at for at in found if head <= at < end))


def _is_marked(chat: Chat) -> bool:
    if chat.cache is not None or any(tool.cache is not None for tool in chat.tools):
        return True
    return any(_has_marker(part) for message in chat.messages for part in message.parts)


def _has_marker(part: Part) -> bool:
    if getattr(part, "cache", None) is not None:
        return True
    return isinstance(part, ToolResult) and any(_has_marker(inner) for inner in part.parts)


def _head(messages: list[Message]) -> int:
    """How many messages of the system stand at the head."""
    return next((at for at, message in enumerate(messages) if message.role not in _SYSTEM), len(messages))


def _marked(message: Message, cache: Cache) -> Message | None:
    """``message`` with a marker on its last part that can carry one: thoughts cannot, and empty text cannot."""
    for at in range(len(message.parts) - 1, -1, -1):
        part = message.parts[at]
        if isinstance(part, Media | ToolCall | ToolResult) or (isinstance(part, Text) and part.text):
            parts: list[Part] = [*message.parts[:at], replace(part, cache=cache), *message.parts[at + 1 :]]
            return Message(message.role, parts, message.name)
    return None
