"""Proofs of thought in this API: the encrypted content of reasoning items, for whoever made the proof.

What OpenAI signed stands there as it is. What others signed says whose it is, and, as only thoughts can carry a proof
here, so does the proof of a text or of a tool call: it stands in a reasoning item of its own after it. A client that
sends back what it was given, as it must for OpenAI, thereby sends back everything.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from proxy.chat import SEAL, Part, Reasoning, Text, ToolCall, seal, unseal
from proxy.dialects.openai_responses.wire import SIGNS

_HIDDEN = "@redacted"  # thoughts that cannot be read
_LAST = "@last"  # the proof of the part before it
_ALONE = "@text"  # the proof of a text without any words
_OURS = SEAL
_ID = re.compile(r"rs_[A-Za-z0-9_-]{1,80}")


def bind(item: str | None, encrypted: str) -> str:
    """The proof of a provider with the id of its item, which the proof holds too: formats that keep no such id keep
    both together, and neither is taken without the other."""
    return encrypted if item is None or not _ID.fullmatch(item) else f"{item}:{encrypted}"


def loosen(signature: str) -> tuple[str | None, str]:
    """The id of the item, where it is known, and its encrypted content."""
    item, colon, encrypted = signature.partition(":")
    return (item, encrypted) if colon and _ID.fullmatch(item) else (None, signature)


def write_signature(origin: str, signature: str) -> str:
    """The encrypted content for a signature."""
    if origin == SIGNS:
        signature = loosen(signature)[1]
    if origin == "" or (origin == SIGNS and not signature.startswith(_OURS)):
        return signature
    return seal(origin, signature)


def write_redacted(origin: str, data: str) -> str:
    """The encrypted content for thoughts that cannot be read."""
    if origin == SIGNS:
        data = loosen(data)[1]
    if origin == SIGNS and not data.startswith(_OURS):
        return data
    return seal(origin + _HIDDEN, data)


def write_last(origin: str, signature: str) -> str:
    """The encrypted content of an item that follows a signed text or call."""
    return seal(origin + _LAST, signature)


def write_alone(origin: str, signature: str) -> str:
    """The encrypted content of an item that stands for a signed text without words."""
    return seal(origin + _ALONE, signature)


def read_reasoning(text: str, encrypted: str | None, item: str | None, *, is_summary: bool) -> Reasoning:
    """A reasoning item. Without encrypted content it proves nothing to anybody."""
    if not encrypted:
        return Reasoning(text=text, id=item, is_summary=is_summary)
    origin, signature = unseal(encrypted, SIGNS)
    if origin.endswith(_HIDDEN):
        return Reasoning(text=text, redacted=signature, origin=origin.removesuffix(_HIDDEN), is_summary=is_summary)
    if origin != SIGNS:
        return Reasoning(text=text, signature=signature, origin=origin, is_summary=is_summary)
    return read_thought(text, signature, item, is_summary=is_summary)


def read_thought(text: str, encrypted: str | None, item: str | None, *, is_summary: bool) -> Reasoning:
    """A reasoning item of a provider: whoever made the proof, it is this provider that wants it back."""
    proof = bind(item, encrypted) if encrypted else None
    if proof and not text:
        return Reasoning(redacted=proof, origin=SIGNS, id=item)
    return Reasoning(text=text, signature=proof, origin=SIGNS, id=item, is_summary=is_summary)


def add_reasoning(parts: list[Part], found: Reasoning) -> None:
    """Put a reasoning item where it belongs: behind ``parts``, or into the last of them."""
    origin, at, where = found.origin.rpartition("@")
    if not at:
        parts.append(found)
    elif "@" + where == _ALONE:
        parts.append(Text("", signature=found.signature, origin=origin))
    elif parts and isinstance(last := parts[-1], Text | ToolCall):
        parts[-1] = replace(last, signature=found.signature, origin=origin)
