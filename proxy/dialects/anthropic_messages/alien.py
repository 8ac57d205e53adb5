"""Takes thoughts that only the gateway can read out of a request that otherwise passes untouched.

A conversation may have been begun by another provider. Its thoughts stand in blocks with a sealed signature, or with
none, and Anthropic refuses a request with such a block. All else stays as the client wrote it.
"""

from __future__ import annotations

import msgspec

from proxy.chat import SEAL, Losses
from proxy.dialects.anthropic_messages.wire import TOP

_MARKS = (b'"' + SEAL.encode(), b'"signature":""', b'"signature": ""')
_THOUGHTS = ("thinking", "redacted_thinking")
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class _Kind(msgspec.Struct):
    type: str = ""
    signature: str | None = None
    data: str | None = None
    role: str = ""
    content: msgspec.Raw = msgspec.Raw()


_KIND = msgspec.json.Decoder(_Kind)


def without_aliens(body: bytes, losses: Losses) -> bytes:
    """``body``, the same object if there is nothing to take out or it cannot be read; what goes is reported."""
    if not any(mark in body for mark in _MARKS):
        return body
    try:
        return _cut(body, losses)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        return body  # the provider will say what is wrong with it


def _cut(body: bytes, losses: Losses) -> bytes:
    members = TOP.decode(body)
    messages = _LIST.decode(members["messages"])
    kept = [left for message in messages if (left := _left(message)) is not None]
    if len(kept) == len(messages) and all(new is old for new, old in zip(kept, messages, strict=True)):
        return body
    losses.add("messages.reasoning")
    members["messages"] = msgspec.Raw(msgspec.json.encode(kept))
    if "thinking" in members and _KIND.decode(members["thinking"]).type == "enabled" and not _has_thought(kept):
        del members["thinking"]
        losses.add("thinking")
    return msgspec.json.encode(members)


def _left(message: msgspec.Raw) -> msgspec.Raw | None:
    """What is left of a message; the same object if all of it, None if nothing."""
    if not any(mark in bytes(message) for mark in _MARKS):
        return message
    members = TOP.decode(message)
    content = members.get("content", msgspec.Raw())
    if not bytes(content).lstrip().startswith(b"["):
        return message
    blocks = _LIST.decode(content)
    kept = [block for block in blocks if not _is_alien(_KIND.decode(block))]
    if len(kept) == len(blocks):
        return message
    members["content"] = msgspec.Raw(msgspec.json.encode(kept))
    return msgspec.Raw(msgspec.json.encode(members)) if kept else None


def _is_alien(block: _Kind) -> bool:
    if block.type == "thinking":
        return not block.signature or block.signature.startswith(SEAL)
    return block.type == "redacted_thinking" and (block.data or "").startswith(SEAL)


def _has_thought(messages: list[msgspec.Raw]) -> bool:
    """Whether the last answer, if it calls tools, begins with a thought, as the API wants of a model that thinks."""
    for raw in reversed(messages):
        message = _KIND.decode(raw)
        if message.role == "assistant":
            if not bytes(message.content).startswith(b"["):
                return True
            kinds = [_KIND.decode(block).type for block in _LIST.decode(message.content)]
            return "tool_use" not in kinds or kinds[0] in _THOUGHTS
    return True
