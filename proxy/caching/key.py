"""What an answer is found by: a digest of everything that could change it.

Two requests have one key only if they are one request: of one tenant (as far as ``scope`` says), on one route with one
configuration, with equal content. The order of members and the white space of JSON do not count, and neither does
whether the answer is streamed; everything else does: 1 is not 1.0, and no text is normalised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Literal

import msgspec

from proxy.exchange import Exchange

Scope = Literal["key", "team", "organisation", "global"]
SHOWN = 12  # hex digits of a key that people see, and by which they name it
_FORM = b"sluicegate answer 2"
_NOT_OF_THE_ANSWER = frozenset({b"accept", b"content-type", b"idempotency-key", b"traceparent", b"tracestate"})
_ONLY_OF_ACCOUNTS = frozenset({"session", "user"})  # tags that name whom it is for, and not what is asked
_STREAM = ("stream", "stream_options")
_CREDENTIALS = re.compile(rb"(?:(?:key|api_key|api-key|access_token|alt)(?:=|$)|$)")
_TAG = re.compile(r"""tags\s*(?:\.\s*([a-z0-9_.-]+)|\[\s*['"]([^'"]+)['"]\s*\])""")
_HEADER = re.compile(r"""headers?\s*(?:\.\s*([A-Za-z0-9_-]+)|\[\s*['"]([^'"]+)['"]\s*\])""")
_WHO = re.compile(r"\b(?:organisation|tenant|team|key)\b")


class NotComparable(Exception):
    """Why this request cannot be compared with others, for people."""


def _as_written(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


_read = msgspec.json.Decoder(float_hook=_as_written).decode
canonical = msgspec.json.Encoder(order="sorted").encode


class Body(dict[str, Any]):
    """The members of a request. ``written``: all of them, as they are spelled in keys."""

    __slots__ = ("written",)

    def __init__(self, members: dict[str, Any], written: bytes) -> None:
        super().__init__(members)
        self.written = written


def read_body(body: bytes) -> Body:
    """The members of a request in JSON. Numbers that are not whole are ``msgspec.Raw``, as they were written.

    Raises:
        NotComparable: it is no object, or a name is in it twice: who reads the first is asked something else than who
            reads the last.
    """
    try:
        found = _read(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotComparable("the body is not JSON") from None
    if not isinstance(found, dict):
        raise NotComparable("the body is no JSON object")
    # Written anew it is as long as it was, unless something was dropped, or was spelled with escapes.
    written = canonical(found)
    if len(written) != len(body) and len(written) != len(msgspec.json.format(body, indent=-1)):
        _check_names(body)
    return Body(found, written)


def _check_names(body: bytes) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise NotComparable("a member is in the body twice")

    json.loads(body, object_pairs_hook=unique)


class Keys:
    """Makes the keys of one route's requests. ``fingerprint``: of the configuration, as far as it changes requests or
    answers; ``routing``: how the route chooses among targets, as text, to see what it looks at. ``personalised``: the
    tag ``user`` counts. ``ignore``: members of the body that do not."""

    __slots__ = ("_accounts", "_fingerprint", "_headers", "_ignore", "_personalised", "_scope", "_tags_apart", "scope")

    def __init__(
        self,
        scope: Scope,
        fingerprint: bytes,
        *,
        routing: str = "",
        personalised: bool = False,
        ignore: Iterable[str] = (),
    ) -> None:
        self.scope = scope
        self._fingerprint = fingerprint
        self._personalised = personalised
        self._ignore = frozenset((*_STREAM, *ignore))
        self._headers = tuple(sorted({(one or other).lower().encode() for one, other in _HEADER.findall(routing)}))
        looked_at = {one or other for one, other in _TAG.findall(routing)}
        self._tags_apart = _ONLY_OF_ACCOUNTS - looked_at - ({"user"} if personalised else set())
        self._accounts = _WHO.search(routing) is not None

    def of(self, x: Exchange, body: dict[str, Any], *, purpose: bytes = b"exact") -> bytes:
        """32 bytes. ``body``: of ``read_body``, perhaps with something left out; keys of different purposes differ."""
        parts = [purpose, *self._head(x), self._members(body)]
        lengths = repr([len(part) for part in parts])  # so that no part runs into the next
        return sha256(b"".join((_FORM, lengths.encode(), *parts))).digest()

    def _members(self, body: dict[str, Any]) -> bytes:
        """Those that count."""
        ignored = body.keys() & self._ignore
        if not ignored and isinstance(body, Body):
            return body.written
        return canonical({name: value for name, value in body.items() if name not in ignored})

    def _owner(self, x: Exchange) -> list[str]:
        """Who shares an answer: everybody of the same names. Nobody's requests are nobody's."""
        who, scope = x.identity, self.scope
        if who is None or scope == "global":
            return [scope]
        if scope == "organisation":
            return [scope, who.organisation]
        return [scope, who.organisation, who.team, *([who.key] if scope == "key" else [])]

    def _head(self, x: Exchange) -> list[bytes]:
        """Everything beside the body."""
        who, endpoint = x.identity, x.endpoint
        in_path = endpoint.model_in == "path"  # whose path also tells whether it streams
        told = [
            self._owner(x),
            "" if who is None else who.tier,
            None if who is None or not self._accounts else [who.organisation, who.team, who.key],
            x.tags.get("user", "") if self._personalised else None,
            [x.method, endpoint.name if in_path else x.path, endpoint.dialect, x.route, x.model, x.on_loss],
            sorted([pair for pair in x.tags.items() if pair[0] not in self._tags_apart]) if x.tags else [],
            sorted([note for note in x.notes.items() if note[0].startswith("flag ")]) if x.notes else [],
        ]
        found = [self._fingerprint, canonical(told)]
        if x.query and (fields := [field for field in x.query.split(b"&") if not _CREDENTIALS.match(field)]):
            found.append(b"?" + b"&".join(fields))
        if x.forward:
            found += [b"%b: %b" % header for header in sorted(x.forward) if header[0] not in _NOT_OF_THE_ANSWER]
        if self._headers:
            found += [b"%b= %b" % (name, x.header(name) or b"") for name in self._headers]
        return found


def shown(key: bytes) -> str:
    """A key as people see it."""
    return key[: SHOWN // 2].hex()
