"""Texts that are kept with receipts: their beginnings, and no secret in them that is known or looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.stream import Send
from proxy.telemetry.receipt import Body, Text

MOST = 16 << 10  # bytes of a text that are kept
SHORTEST = 8  # bytes; what is shorter stands in texts by chance
STARS = b"***"
# More is read than kept, so that a secret at the end is known as a whole before the text is cut.
_AHEAD = 1 << 10
_CREDENTIALS = frozenset(
    {b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key", b"cookie", b"x-amz-security-token"}
)
_SCHEMES = {b"bearer": 6, b"basic ": 6}
_IN_QUERY = re.compile(rb"(?:^|&)(?:key|api[-_]?key|access_token)=([^&]+)")
# What the keys of providers and of clouds look like, and tokens. None of it ends a text of JSON.
_LOOKS_LIKE_ONE = re.compile(
    rb"sk-[A-Za-z0-9_-]{16,}"
    rb"|gsk_[A-Za-z0-9]{20,}"
    rb"|(?:AKIA|ASIA)[0-9A-Z]{16}"
    rb"|AIza[0-9A-Za-z_-]{30,}"
    rb"|gh[pousr]_[A-Za-z0-9]{30,}"
    rb"|github_pat_[A-Za-z0-9_]{30,}"
    rb"|xox[abprs]-[A-Za-z0-9-]{10,}"
    rb"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"
    rb"|whsec_[A-Za-z0-9+/=]{20,}"
    rb"|(?:[Bb]earer|BEARER)\s+[A-Za-z0-9._~+/-]{20,}=*"
)
_MARKS = (
    b"sk-",
    b"gsk_",
    b"AKIA",
    b"ASIA",
    b"AIza",
    b"ghp_",
    b"gho_",
    b"ghu_",
    b"ghs_",
    b"ghr_",
    b"github_pat_",
    b"xox",
    b"eyJ",
    b"whsec_",
    b"earer",
    b"EARER",
)
_PRIVATE_KEY = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----))*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
)


def spelled(secret: str) -> tuple[bytes, ...]:
    """A secret as bytes, and as it stands in JSON where that is something else."""
    plain = secret.encode()
    quoted = msgspec.json.encode(secret)[1:-1]
    return (plain,) if quoted == plain else (plain, quoted)


def without(text: bytes, secrets: Iterable[bytes]) -> bytes:
    """``text`` with stars in the place of each of ``secrets``."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, STARS)
    return text


def without_lookalikes(text: bytes) -> bytes:
    """``text`` with stars in the place of whatever looks like a key."""
    if any(mark in text for mark in _MARKS):  # a hundred times quicker than to look for all of them at each place
        return _LOOKS_LIKE_ONE.sub(STARS, text)
    return text


def credentials(headers: Sequence[Header], query: bytes) -> list[bytes]:
    """What proves who the client is, the longest first."""
    found = []
    for name, value in headers:
        if name in _CREDENTIALS:
            scheme = _SCHEMES.get(value[:6].lower(), 0)
            found.append(value[scheme:].strip() if scheme else value)
    if query:
        found += _IN_QUERY.findall(query)
    found = [one for one in found if len(one) >= SHORTEST]
    if len(found) > 1:
        found.sort(key=len, reverse=True)
    return found


class Copy:
    """Passes an answer on, and keeps its beginning."""

    __slots__ = ("_parts", "_room", "_send")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._parts: list[bytes] = []
        self._room = MOST + _AHEAD

    async def send(self, message: dict[str, Any]) -> None:
        """See ASGI."""
        if self._room > 0 and message["type"] == "http.response.body" and (body := message.get("body")):
            self._parts.append(body[: self._room])
            self._room -= len(self._parts[-1])
        await self._send(message)

    @property
    def taken(self) -> bytes:
        """What was sent of a body, at the beginning."""
        return b"".join(self._parts)


def kept(x: Exchange, secrets: Sequence[bytes]) -> tuple[Text | None, Text | None]:
    """Beginnings of the request and of the answer, without ``secrets``."""
    return _text(x.body, secrets), None if x.copy is None else _text(x.copy.taken, secrets)


def _text(body: bytes, secrets: Sequence[bytes]) -> Text | None:
    begin = body[: MOST + _AHEAD]
    return Text(without(begin, secrets), len(begin) == MOST + _AHEAD) if begin else None


def shown(text: Text, secrets: Iterable[bytes]) -> Body:
    """The same for people: without what is secret or looks like it."""
    cleaned = without_lookalikes(_PRIVATE_KEY.sub(STARS, without(text.begin, secrets)))
    if text.cut:  # what was read ahead may end within a secret
        cleaned = cleaned[: max(0, len(cleaned) - _AHEAD)]
    return Body(cleaned[:MOST].decode("utf-8", "replace"), text.cut or len(cleaned) > MOST)
