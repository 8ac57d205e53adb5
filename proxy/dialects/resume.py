"""Asks a model to go on with an answer that another has begun."""

from __future__ import annotations

from msgspec.structs import replace

from proxy.chat import Chat, Message, Text
from proxy.dialects.dialect import Aim
from proxy.exchange import Begun

PROMPT = (
    "Your answer was cut off. Continue exactly where it ends, in the middle of a word if that is where it ends. "
    "Repeat nothing, add no introduction."
)


def resume(chat: Chat, begun: Begun, aim: Aim, dialect: str) -> Chat:
    """``chat`` with what was told of its answer; the same object if that is nothing.

    The rest needs no thoughts: they were before it. It may have as many tokens as are left.
    """
    if not begun.text.strip():
        return chat
    messages = [*chat.messages]
    if messages and messages[-1].role == "assistant":  # the caller has begun the answer itself
        messages[-1] = _longer(messages[-1], begun.text)
    else:
        messages.append(Message("assistant", [Text(begun.text)]))
    if not _takes_beginnings(begun.text, aim, dialect):
        messages.append(Message("user", [Text(PROMPT)]))
    left = None if chat.max_tokens is None else max(1, chat.max_tokens - begun.tokens)
    return replace(chat, messages=messages, thinking=None, max_tokens=left)


def _longer(message: Message, text: str) -> Message:
    parts = [*message.parts]
    last = parts[-1] if parts else None
    if isinstance(last, Text):
        parts[-1] = replace(last, text=last.text + text)
    else:
        parts.append(Text(text))
    return Message(message.role, parts, message.name)


def _takes_beginnings(text: str, aim: Aim, dialect: str) -> bool:
    """Whether the model goes on by itself with an answer at the end of a request. Claude does, but not behind white
    space, and not where it decides itself how much to think: there it refuses."""
    if dialect != "anthropic_messages" or "claude" not in aim.model or text[-1].isspace():
        return False
    return aim.capabilities.thinking in ("none", "budget") and not aim.capabilities.always_thinks
