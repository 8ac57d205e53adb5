"""What a condition may look at: one row for each value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Literal, NamedTuple

from proxy.choosing.capability import AUDIO, FILES, JSON_OBJECT, JSON_SCHEMA, TOOLS, VIDEO, VISION, Needs
from proxy.exchange import Exchange, Identity
from proxy.tags import is_tag_name

Type = Literal["text", "number", "truth", "time"]
Read = Callable[[Exchange], Any]

TIERS = frozenset({"", "free", "basic", "premium", "enterprise"})
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Of the paths that the gateway serves; a test keeps them equal to those.
OPERATIONS = frozenset(
    {
        "batches",
        "chat",
        "count_tokens",
        "embeddings",
        "files",
        "generate_content",
        "moderation",
        "realtime",
        "rerank",
        "responses",
        "text_completion",
    }
)
ENDPOINTS = frozenset(
    {
        "audio.speech",
        "audio.transcriptions",
        "audio.translations",
        "batches",
        "chat.completions",
        "chat.completions.stored",
        "completions",
        "count_tokens",
        "embeddings",
        "files",
        "generate_content",
        "images.edits",
        "images.generations",
        "images.variations",
        "messages",
        "messages.count_tokens",
        "moderations",
        "realtime",
        "rerank",
        "responses",
        "responses.count",
        "responses.stored",
    }
)
# Parts of the names of headers that hold secrets. What a condition looks at is shown by `explain`.
_SECRET = re.compile(
    r"authorization|cookie|api-?key|apikey|secret|passw|credential|signature|"
    r"(security|access|auth|session|id|csrf|bearer)-?token"
)
_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,100}")


class Value(NamedTuple):
    """Something to look at. ``known`` is all that it can be, None where anything is possible."""

    name: str
    type: Type
    read: Read
    known: frozenset[str] | None = None


class Sources(NamedTuple):
    """Where values come from. ``tags``: those that the route may set, None for any; ``identities``: every key."""

    needs: Callable[[Exchange], Needs]
    now: Callable[[], float]
    identities: Iterable[Identity] = ()
    tags: frozenset[str] | None = None


class Row(NamedTuple):
    """One value: how it is read of a request, once its sources are known."""

    type: Type
    bind: Callable[[Sources], Read]
    known: Callable[[Sources], frozenset[str] | None] = lambda _: None


def _plain(read: Read) -> Callable[[Sources], Read]:
    return lambda _: read


def _needs_bit(bit: int) -> Callable[[Sources], Read]:
    def bind(sources: Sources) -> Read:
        needs = sources.needs
        return lambda x: needs(x).bits & bit != 0

    return bind


def _input_tokens(sources: Sources) -> Read:
    needs = sources.needs
    return lambda x: needs(x).input_tokens


def _max_tokens(sources: Sources) -> Read:
    needs = sources.needs
    return lambda x: needs(x).output_tokens or 0


def _of_identity(field: str) -> Row:
    """A name of who is calling; "" for nobody."""

    def known(sources: Sources) -> frozenset[str] | None:
        names = {getattr(identity, field) for identity in sources.identities}
        return None if "" in names else frozenset({"", *names})  # nameless: the tenants of the file are broken

    return Row("text", _plain(lambda x: "" if x.identity is None else getattr(x.identity, field)), known)


_ORGANISATION = _of_identity("organisation")
_MAX = Row("number", _max_tokens)
ROWS: Mapping[str, Row] = {
    "model": Row("text", _plain(lambda x: x.model)),
    "stream": Row("truth", _plain(lambda x: x.stream)),
    "endpoint": Row("text", _plain(lambda x: "" if x.endpoint is None else x.endpoint.name), lambda _: ENDPOINTS),
    "operation": Row(
        "text", _plain(lambda x: "" if x.endpoint is None else x.endpoint.operation), lambda _: OPERATIONS
    ),
    "organisation": _ORGANISATION,
    "tenant": _ORGANISATION,
    "team": _of_identity("team"),
    "key": _of_identity("key"),
    "tier": Row("text", _plain(lambda x: "" if x.identity is None else x.identity.tier), lambda _: TIERS),
    "input_tokens": Row("number", _input_tokens),
    "max_tokens": _MAX,
    "output_tokens": _MAX,
    "budget_left": Row("number", _plain(lambda x: x.budget_left)),
    "has_tools": Row("truth", _needs_bit(TOOLS)),
    "has_images": Row("truth", _needs_bit(VISION)),
    "has_files": Row("truth", _needs_bit(FILES)),
    "has_audio": Row("truth", _needs_bit(AUDIO)),
    "has_video": Row("truth", _needs_bit(VIDEO)),
    "json_mode": Row("truth", _needs_bit(JSON_OBJECT)),
    "json_schema": Row("truth", _needs_bit(JSON_SCHEMA)),
}
OF_TIME = ("time", "weekday")  # these have a zone
GROUPS = ("tags", "header", "headers")  # these have a member


def plain_value(name: str, sources: Sources) -> Value:
    """The value of a row."""
    row = ROWS[name]
    return Value(name, row.type, row.bind(sources), row.known(sources))


def member_value(group: str, name: str, sources: Sources) -> Value:
    """A tag or a header; "" where the request has none.

    Raises:
        ValueError: it cannot be looked at, with the reason.
    """
    if group == "tags":
        if not is_tag_name(name):
            raise ValueError(f"{name!r} is not a tag name: lower-case letters, digits, _ . -")
        if sources.tags is not None and name not in sources.tags:
            have = f"; it sets: {', '.join(sorted(sources.tags))}" if sources.tags else ""
            raise ValueError(f"no `tags` policy of this route sets the tag {name!r}{have}")
        return Value(f"tags.{name}", "text", lambda x: x.tags.get(name, ""))
    name = name.lower()
    if not _HEADER.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header")
    if _SECRET.search(name):
        raise ValueError(f"the header {name!r} holds a secret; a condition may not look at it")
    raw = name.encode()

    def read(x: Exchange) -> str:
        found = x.header(raw)
        return "" if found is None else found.decode("utf-8", "replace")

    return Value(f"header['{name}']", "text", read)


def time_value(name: str, zone: tzinfo, sources: Sources) -> Value:
    """Seconds since midnight on the clock of ``zone``, or the day of the week there."""
    now = sources.now

    def seconds(_: Exchange) -> int:
        moment = datetime.fromtimestamp(now(), zone)
        return moment.hour * 3600 + moment.minute * 60 + moment.second

    def weekday(_: Exchange) -> str:
        return WEEKDAYS[datetime.fromtimestamp(now(), zone).weekday()]

    if name == "weekday":
        return Value(f"weekday {zone}", "text", weekday, frozenset(WEEKDAYS))
    return Value(f"time {zone}", "time", seconds)
