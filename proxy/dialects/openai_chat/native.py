"""A request in OpenAI's chat format for a service that speaks it with differences: the caller's own bytes but for what
the service would refuse, and what it knows by another name. Without such members they are the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from proxy.chat import Losses
from proxy.dialects.fit import is_idle
from proxy.dialects.members import Edit, Members, apply
from proxy.dialects.openai_chat.turns import nine
from proxy.dialects.spans import Span, item_spans, where

_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
# Parameters whose members have other names than the neutral ones.
_MEMBERS: dict[str, tuple[str, ...]] = {
    "format": ("response_format",),
    "functions": ("functions", "function_call"),
    "include_usage": ("stream_options",),
    "max_tokens": ("max_tokens", "max_completion_tokens"),
    "thinking": ("reasoning_effort",),
    "tool_choice": ("tool_choice", "function_call"),
    "tools": ("tools", "functions"),
    "user": ("user", "safety_identifier"),
}
# Quirks that mean another name for a member.
_NAMES = {"max_tokens": ("max_completion_tokens", "max_tokens"), "random_seed": ("seed", "random_seed")}
# Efforts between none and high, for services that know no others.
_NEITHER = {
    b'"minimal"': b'"none"',
    **dict.fromkeys((b'"low"', b'"medium"', b'"xhigh"', b'"max"'), b'"high"'),
}
# Quirks that concern messages, and what must stand in one for that.
_WORDS = (
    ("no_developer", b'"developer"'),
    ("no_names", b'"name"'),
    ("tool_ids_9", b'"tool_call'),
)


def fitted(body: bytes, quirks: frozenset[str], refuses: frozenset[str], losses: Losses) -> bytes:
    """``body``, which is valid JSON, for a service with these quirks that refuses these parameters."""
    noted = Losses()
    try:
        top = _TOP.decode(body)
        edits = _of_members(body, top, quirks, refuses, noted)
        messages = top.get("messages")
        if messages is not None:
            edits += _of_messages(body, bytes(messages), quirks, noted)
        edited = apply(body, edits)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        return body  # not what the format says: the service will judge it
    for name in noted.names:
        losses.add(name)
    return edited


def _of_members(
    body: bytes, top: dict[str, msgspec.Raw], quirks: frozenset[str], refuses: frozenset[str], losses: Losses
) -> list[Edit]:
    gone = {member for name in refuses for member in _MEMBERS.get(name, (name,)) if member in top}
    for name in sorted(refuses):
        told = [top[member] for member in _MEMBERS.get(name, (name,)) if member in top]
        if told and not all(is_idle(name, msgspec.json.decode(value)) for value in told):
            losses.add(name)
    if "no_stream_options" in quirks and "stream_options" in top:
        gone.add("stream_options")
    renamed: dict[str, str] = {}
    for quirk, (theirs, ours) in _NAMES.items():
        if quirk in quirks and theirs in top and theirs not in gone:
            renamed[theirs] = ours
            if ours in top:
                gone.add(ours)
    replaced: dict[str, bytes] = {}
    if "none_or_high" in quirks and "reasoning_effort" in top and "reasoning_effort" not in gone:
        effort = bytes(top["reasoning_effort"])
        if effort in _NEITHER:
            replaced["reasoning_effort"] = _NEITHER[effort]
    if not gone and not renamed and not replaced:
        return []
    return Members(body, values=top).edits(drop=gone, rename=renamed, replace=replaced)


def _of_messages(body: bytes, messages: bytes, quirks: frozenset[str], losses: Losses) -> list[Edit]:
    wanted = [word for quirk, word in _WORDS if quirk in quirks and word in messages]
    if not wanted:
        return []
    values = [bytes(value) for value in _LIST.decode(messages)]
    places = sorted({at for word in wanted for at, value in enumerate(values) if word in value})
    if not places:
        return []
    spans = item_spans(body, where(body, b"messages", messages)[0], values[: places[-1] + 1])
    return [edit for at in places for edit in _of_message(body, spans[at], at, quirks, losses)]


def _of_message(body: bytes, span: Span, at: int, quirks: frozenset[str], losses: Losses) -> Iterator[Edit]:
    message = Members(body, span)
    told = {member.name: member.value for member in message.found}
    role = _text(body, told.get("role"))
    if role == "developer" and "no_developer" in quirks:
        yield (*told["role"], b'"system"')
    if "name" in told and "no_names" in quirks and role in ("assistant", "developer", "system", "user"):
        losses.add(f"messages[{at}].name")
        yield from message.edits(drop={"name"})
    if "tool_ids_9" in quirks:
        yield from _of_id(body, told.get("tool_call_id"))
        yield from _of_calls(body, told.get("tool_calls"))


def _of_calls(body: bytes, span: Span | None) -> Iterator[Edit]:
    if span is None or body[span[0] : span[0] + 1] != b"[":
        return
    values = [bytes(value) for value in _LIST.decode(body[slice(*span)])]
    for item in item_spans(body, span[0], values):
        for member in Members(body, item).found:
            if member.name == "id":
                yield from _of_id(body, member.value)


def _of_id(body: bytes, span: Span | None) -> Iterator[Edit]:
    given = _text(body, span)
    if span is not None and given is not None and nine(given) != given:
        yield (*span, msgspec.json.encode(nine(given)))


def _text(body: bytes, span: Span | None) -> str | None:
    found: Any = None if span is None else msgspec.json.decode(body[slice(*span)])
    return found if isinstance(found, str) else None
