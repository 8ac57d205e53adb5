"""What a test may tell the fake upstream about one answer, and where in a request it stands.

A script is a JSON object. It is looked for, in this order: in the base URL (a path segment ``~<urlsafe base64>``), in
the body's member ``script`` (an object), in ``metadata.script`` or ``user: "script:<json>"`` (strings), in a form as a
field ``user`` or ``prompt`` with the value ``script:<json>``; in the query (``script=<json>``), in the header
``openai-beta: script:<json>``. All that are found are merged, the later over the earlier. Before all of them stands
what was told for the request's model: ``PUT /.tell/{model}`` with a script as its body.
"""

from __future__ import annotations

import base64
import re
from typing import Any, Literal
from urllib.parse import parse_qs

import msgspec

from tests.upstream.dialects.table import place_of
from tests.upstream.say import Say

_FORM_SCRIPT = re.compile(rb'name="?(?:user|prompt)"?[^\r\n]*(?:\r\n[^\r\n]+)*\r\n\r\nscript:(.*?)\r\n--', re.DOTALL)


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One answer. All times in milliseconds, all sizes in bytes; absent means a correct answer at once."""

    id: str = ""  # a name for the journal, and for `steps`
    steps: list[dict[str, Any]] = []  # the nth request with this id gets the nth step; the last repeats
    at: dict[str, dict[str, Any]] = {}  # by model, bearer key or first path segment: changes to this script

    status: int = 200
    headers: dict[str, str | list[str]] = {}
    body: Any = msgspec.UNSET  # a string as it is, anything else as JSON
    body64: str | None = None
    raw: str | None = None  # base64: everything from the status line on, as it is
    content_type: str | None = None
    framing: Literal["auto", "length", "chunked", "close"] = "auto"
    content_length: int | None = None  # a lie
    early: bool = False  # answers without reading the body; only where the script stands in the URL or a header
    interim: int = 0  # answers 1xx before the real one
    pad: int = 0  # bytes of filler in the body: a member "pad" of JSON, or one huge event

    say: Say | None = None  # the answer to a conversation, in whatever dialect it is asked
    remembers: bool = False  # the account has a cache of prompts, and tells what it has read from there
    fails: str | None = None  # the provider's own error of this meaning, see `failures`

    text: str | None = None
    tokens: int | list[str] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    finish: str | None = None
    usage: Any = msgspec.UNSET  # instead of the true usage; null leaves it out
    events: list[str] | None = None  # event blocks instead of the regular ones, each without its blank line
    done: bool = True  # False leaves out the stream's end marker
    line_end: Literal["lf", "crlf", "cr"] = "lf"

    head_ms: float = 0.0  # before the status line
    ttft_ms: float = 0.0  # before the first event, or before the answer if it is no stream
    gap_ms: float = 0.0  # between events
    keepalive_ms: float = 0.0  # while waiting after the head, a comment this often
    comments: int = 0  # comments before the first event

    split: int | list[int] | None = None  # sizes of the writes, in turn
    split_ms: float = 0.0  # between writes
    die_at: int | None = None  # after this many bytes of the body
    die_after: int | None = None  # after this many events
    how: Literal["reset", "fin", "truncate", "hang"] = "fin"

    latency: float = 0.0
    down: bool = False
    bandwidth: int = 0  # bytes per second
    slow_close: float = 0.0
    timeout: float | None = None  # sends nothing; closes after this time, 0 is never
    reset_peer: float | None = None  # RST after this time, whatever has been sent
    slicer: int = 0  # writes of about this size, seeded
    limit_data: int | None = None  # closes after this many bytes, head included


class Steps:
    """Counts requests per script id, for ``steps``."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def next(self, name: str) -> int:
        """How often this id was seen before."""
        count = self._seen.get(name, 0)
        self._seen[name] = count + 1
        return count


def read_script(
    path: str,
    query: str,
    headers: list[tuple[str, str]],
    body: bytes,
    json: Any,
    steps: Steps,
    told: dict[str, dict[str, Any]] | None = None,
) -> Script:
    """The script of a request; ``told`` has those that are known by model.

    Raises:
        ValueError: there is one and it makes no sense.
    """
    merged: dict[str, Any] = {}
    for name in _names(path, headers, json) if told else []:
        merged.update((told or {}).get(name, {}))
    for part in _scripts(path, query, headers, body, json):
        merged.update(part)
    if at := merged.get("at"):
        for name in _names(path, headers, json):
            merged.update(at.get(name, {}))
    if chain := merged.get("steps"):
        merged.update(chain[min(steps.next(merged.get("id", "")), len(chain) - 1)])
    return msgspec.convert(merged, Script)


def _scripts(path: str, query: str, headers: list[tuple[str, str]], body: bytes, json: Any) -> list[dict[str, Any]]:
    found: list[Any] = []
    packed = [segment[1:] for segment in path.split("/") if segment.startswith("~")]
    found += [base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for text in packed]
    if isinstance(json, dict):
        found.append(json.get("script"))
        metadata = json.get("metadata")
        found.append(metadata.get("script") if isinstance(metadata, dict) else None)
        found.append(_prefixed(json.get("user")))
    elif match := _FORM_SCRIPT.search(body):
        found.append(match[1])
    found += parse_qs(query).get("script", [])
    found += [_prefixed(value) for name, value in headers if name == "openai-beta"]
    return [one if isinstance(one, dict) else msgspec.json.decode(one) for one in found if one]


def _prefixed(value: Any) -> str | None:
    return value.removeprefix("script:") if isinstance(value, str) and value.startswith("script:") else None


def _names(path: str, headers: list[tuple[str, str]], json: Any) -> list[str]:
    names = [segment for segment in path.split("/") if segment and not segment.startswith("~")][:1]
    names += [value.removeprefix("Bearer ") for name, value in headers if name in ("authorization", "api-key")]
    if isinstance(json, dict) and isinstance(json.get("model"), str):
        names.append(json["model"])
    elif (place := place_of(path)) is not None and place.model is not None:
        names.append(place.model)
    return names
