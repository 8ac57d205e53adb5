"""What of a route's configuration changes requests or answers: kept answers of another configuration are not given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from proxy.config.lists import Entry
from proxy.units import Secret

# Policies that let a request and its answer be as they are, or refuse it.
_NEUTRAL = frozenset(
    {"authenticate", "allow_models", "cache", "cache_semantic", "idempotency", "queue", "quota", "record"}
)
_WRITTEN = frozenset((str, int, float, bool))  # as they are: a size, or what could not be read, is a kind of them
# What of an account says who answers.
_OF_ACCOUNT = ("kind", "base_url", "preset", "models", "region", "project", "location", "api_version")


class Shape(NamedTuple):
    """``fingerprint``: 32 bytes, another as soon as something changes. ``routing``: the conditions of the target tree,
    a line each."""

    fingerprint: bytes = bytes(32)
    routing: str = ""


def shape_of(route: Mapping[str, Any], entries: Sequence[Entry], providers: Mapping[str, Any]) -> Shape:
    """Of one route, with its policies written out."""
    policies = [
        [entry.name, entry.settings, [marks.values for marks in entry.marks]]
        for entry in entries
        if entry.name not in _NEUTRAL
    ]
    tree = {name: route.get(name) for name in ("target", "mid_stream")}
    written = _written(tree)
    # Whose vectors are compared: by another address they may be another model's.
    named = written + _written([_embedder(entry) for entry in entries])
    accounts = {
        name: {key: value[key] for key in _OF_ACCOUNT if key in value}
        for name, value in providers.items()
        if isinstance(value, dict) and f'"{name}/'.encode() in named
    }
    return Shape(sha256(_written([policies, accounts]) + written).digest(), "\n".join(_conditions(tree)))


def _embedder(entry: Entry) -> Any:
    settings = entry.settings if entry.name == "cache_semantic" else None
    return settings.get("embedder") if isinstance(settings, Mapping) else None


def _conditions(value: Any) -> Iterator[str]:
    """Every text that chooses by looking at a request."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            if name in ("if", "enabled") and isinstance(member, str):
                yield member
            else:
                yield from _conditions(member)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _conditions(item)


def _written(value: Any) -> bytes:
    return msgspec.json.encode(_plain(value), order="sorted")


def _plain(value: Any) -> Any:
    """With secrets told: a digest does not give them away."""
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Secret):
        return value.reveal()
    return value if value is None or type(value) in _WRITTEN else str(value)
