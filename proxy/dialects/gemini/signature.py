"""Signatures on the parts of this dialect.

A signature is a string of bytes here, told in base64, and official clients decode it: one of somebody else is wrapped,
together with what else must come back (opaque thoughts, the id of an item), into bytes of our own. Clients send
the same bytes back in the other alphabet of base64, so what is read is always put into the usual one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import NamedTuple

import msgspec

from proxy.chat import Reasoning, seal, unseal
from proxy.dialects.gemini.wire import SIGNS

# What Google's documentation gives for calls that no model of theirs made; it may stand in place of a signature.
PLACEHOLDER = "skip_thought_signature_validator"
_PLACEHOLDERS = frozenset({PLACEHOLDER, "context_engineering_is_the_way_to_go"})
_SEALED = b64encode(b"sg.").decode()
_MORE = "@"


class Mark(NamedTuple):
    """What stood in a ``thoughtSignature``. The last three belong to a thought of another dialect."""

    origin: str
    signature: str | None
    redacted: str | None = None
    id: str | None = None
    is_summary: bool = False


class _More(msgspec.Struct, omit_defaults=True):
    """What a thought has beside its signature."""

    signature: str | None = None
    redacted: str | None = None
    id: str | None = None
    is_summary: bool = False


def in_usual_alphabet(data: str) -> str:
    """Base64 with ``+`` and ``/``, and with its padding."""
    if "-" in data:
        data = data.replace("-", "+")
    if "_" in data:
        data = data.replace("_", "/")
    return data + "=" * (-len(data) % 4) if len(data) % 4 else data


def read_mark(told: str) -> Mark:
    """What a ``thoughtSignature`` holds. A placeholder is no signature."""
    if told in _PLACEHOLDERS:
        return Mark(SIGNS, None)
    usual = in_usual_alphabet(told)
    if not usual.startswith(_SEALED):
        return Mark(SIGNS, None if _is_placeholder(usual) else usual)
    try:
        text = b64decode(usual, validate=True).decode()
        origin, signature = unseal(text, SIGNS)
        if not origin.endswith(_MORE):
            return Mark(origin, signature)
        more = msgspec.json.decode(signature, type=_More)
    except (ValueError, msgspec.DecodeError, RecursionError):
        return Mark(SIGNS, usual)
    return Mark(origin[: -len(_MORE)], more.signature, more.redacted, more.id, more.is_summary)


def _is_placeholder(usual: str) -> bool:
    if len(usual) > 64:
        return False
    try:
        return b64decode(usual, validate=True).decode() in _PLACEHOLDERS
    except ValueError:  # not base64, not ASCII, not UTF-8
        return False


def write_mark(origin: str, signature: str) -> str:
    """A signature of a call or a text for a client."""
    return signature if origin in (SIGNS, "") else _wrap(seal(origin, signature))


def write_thought_mark(part: Reasoning, signature: str | None) -> str | None:
    """All that must come back with a thought; None if there is nothing."""
    if part.redacted is None and part.id is None:
        return write_mark(part.origin, signature) if signature else None
    more = _More(signature, part.redacted, part.id, part.is_summary)
    return _wrap(seal(part.origin + _MORE, msgspec.json.encode(more).decode()))


def _wrap(text: str) -> str:
    return b64encode(text.encode()).decode()
