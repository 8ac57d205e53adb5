"""Whether two requests are the same, and how they differ if not.

Method, path and query have to be equal, and ``***`` on a cassette stands for anything. Of a JSON body the order of keys
and the white space never count; ``lenient`` (the default) also leaves out what names the caller or a slot in a
provider's cache and changes no answer. Forms are compared without their boundary, which is drawn anew each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import msgspec

from proxy.cassettes.take import Request

VOLATILE = ("user", "metadata", "safety_identifier", "prompt_cache_key")
CREDENTIALS = frozenset({"key", "api_key", "api-key", "access_token"})  # of a query
_BOUNDARY = re.compile(r'boundary="?([^";,]+)')
_MOST_COMPARED = 200  # takes, the latest
_MOST_LEAVES = 2000  # values of one body
_MOST_SHOWN = 4  # differences
_WIDTH = 60  # characters of a value
_MISSING = object()


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which members of a JSON body count: ``fields`` alone, or all but those to ``ignore``."""

    fields: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = VOLATILE


Matching = Literal["lenient", "strict"] | Match


def rules(matching: Matching) -> Match:
    """The words for what most want, spelled out."""
    return Match() if matching == "lenient" else Match(ignore=()) if matching == "strict" else matching


def clean_query(query: bytes) -> str:
    """In an order of its own, without credentials."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return urlencode(sorted(pair for pair in pairs if pair[0].lower() not in CREDENTIALS))


def canonical(request: Request, match: Match) -> bytes:
    """What counts of a request, in one spelling."""
    head = "\0".join((request.method, request.path, request.query))
    return head.encode() + b"\0" + msgspec.json.encode(_counted(request, match), order="sorted")


def fingerprint(spelled: bytes) -> bytes:
    """Short, and the same for requests that are the same."""
    return sha256(spelled).digest()


def fits(sent: bytes, recorded: Sequence[bytes]) -> bool:
    """Whether a request is what was ``recorded``, where anything may stand between its pieces: what was starred then
    is not known to whoever replays it."""
    first, *between, last = recorded
    if len(sent) < len(first) + len(last) or not sent.startswith(first) or not sent.endswith(last):
        return False
    at, end = len(first), len(sent) - len(last)
    for piece in between:
        at = sent.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _counted(request: Request, match: Match) -> Any:
    """What of the body counts: JSON, or bytes."""
    content = request.content()
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        boundary = _BOUNDARY.search(request.type)
        return content if boundary is None else content.replace(boundary[1].encode(), b"boundary")
    if not isinstance(value, dict):
        return value
    if match.fields is not None:
        return {name: value[name] for name in match.fields if name in value}
    return {name: member for name, member in value.items() if name not in match.ignore}


def nearest(requests: Sequence[Request], sent: Request, match: Match) -> tuple[int, list[str]] | None:
    """Which of ``requests`` is most like ``sent``, and the differences, for people. Slow: not for the loop."""
    best: tuple[float, int, list[str]] | None = None
    mine = _flat(sent, match)
    for at in range(max(0, len(requests) - _MOST_COMPARED), len(requests)):
        score, differences = _compare(_flat(requests[at], match), mine)
        if best is None or score < best[0]:
            best = score, at, differences
    return None if best is None else best[1:]


def _flat(request: Request, match: Match) -> dict[str, Any]:
    """Every value by its path."""
    counted = _counted(request, match)
    found = {"method": request.method, "path": request.path, "query": request.query}
    if isinstance(counted, bytes):
        return found | {"body": f"{len(counted)} bytes, SHA-256 {sha256(counted).hexdigest()[:12]}"}
    for path, value in _leaves(counted, ""):
        if len(found) >= _MOST_LEAVES:
            break
        found[path] = value
    return found


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for at, item in enumerate(value):
            yield from _leaves(item, f"{path}[{at}]")
    else:
        yield path or "body", value


def _compare(recorded: dict[str, Any], sent: dict[str, Any]) -> tuple[float, list[str]]:
    """How much differs (whole numbers count values, and what is another path counts most), and the first of it."""
    score = 0.0
    shown: list[str] = []
    for path in {**recorded, **sent}:
        one, other = recorded.get(path, _MISSING), sent.get(path, _MISSING)
        if one == other and isinstance(one, bool) is isinstance(other, bool):
            continue
        score += 1000 if path in ("method", "path") else 1
        if len(shown) < _MOST_SHOWN:
            if isinstance(one, str) and isinstance(other, str):
                score -= SequenceMatcher(None, one[:500], other[:500]).quick_ratio() / 2
            before, after = _excerpts(one, other)
            shown.append(f"{path[-120:]}: recorded {before}, sent {after}")
    return score, shown


def _excerpts(one: Any, other: Any) -> tuple[str, str]:
    """Both values, short; of long texts what is around the first difference."""
    if isinstance(one, str) and isinstance(other, str) and max(len(one), len(other)) > _WIDTH:
        same = (at for at, (before, after) in enumerate(zip(one, other, strict=False)) if before != after)
        begin = max(0, next(same, min(len(one), len(other))) - _WIDTH // 3)
        return _excerpt(one, begin), _excerpt(other, begin)
    return _excerpt(one), _excerpt(other)


def _excerpt(value: Any, begin: int = 0) -> str:
    if value is _MISSING:
        return "nothing"
    if isinstance(value, str):
        part = value[begin : begin + _WIDTH]
        value = f"{'…' if begin else ''}{part}{'…' if begin + _WIDTH < len(value) else ''}"
    return msgspec.json.encode(value).decode()[: 2 * _WIDTH]
