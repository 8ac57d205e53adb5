"""Signatures of others that belong to a part which has no place for one in this dialect.

Gemini signs calls of tools and even text. Here only thoughts are signed, so such a signature travels in a block of
redacted thinking beside its part, which every client must send back untouched, and finds its part again.
"""

from __future__ import annotations

from msgspec.structs import replace

from proxy.chat import Part, Reasoning, Text, ToolCall, seal

NEXT = "@next"  # belongs to the part after it
LAST = "@last"  # to the part before it
ALONE = "@text"  # to a text without any words, which this dialect does not allow


def hide(origin: str, signature: str, where: str) -> str:
    """The data of a redacted block that carries a part's signature."""
    return seal(origin + where, signature)


def reveal(parts: list[Part]) -> list[Part]:
    """``parts`` with hidden signatures back where they belong; the same list if there are none."""
    if not any(type(part) is Reasoning and "@" in part.origin for part in parts):
        return parts
    found: list[Part] = []
    waiting: tuple[str, str] | None = None
    for part in parts:
        if isinstance(part, Reasoning) and part.redacted is not None and "@" in part.origin:
            origin, _, where = part.origin.partition("@")
            if where == ALONE[1:]:
                found.append(Text("", signature=part.redacted, origin=origin))
            elif where == NEXT[1:]:
                waiting = (origin, part.redacted)
            elif found:
                found[-1] = _signed(found[-1], (origin, part.redacted))
        else:
            found.append(part if waiting is None else _signed(part, waiting))
            waiting = None
    return found


def _signed(part: Part, signature: tuple[str, str]) -> Part:
    if isinstance(part, Text | ToolCall):
        return replace(part, origin=signature[0], signature=signature[1])
    return part
