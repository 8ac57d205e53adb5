"""What of a route makes its kept answers others."""

from __future__ import annotations

from typing import Any

from proxy.config.fingerprint import Shape, shape_of
from proxy.config.flags import Marks
from proxy.config.lists import Entry
from proxy.units import Secret

ROUTE = {"target": {"when": [{"if": "tier == 'free'", "target": "up/small"}, {"else": "up/large"}]}}
ACCOUNTS: dict[str, Any] = {"up": {"kind": "openai", "api_key": Secret("a")}, "other": {"kind": "openai"}}


def entry(name: str, settings: Any = None, **marks: Any) -> Entry:
    """A policy of it."""
    return Entry(name, settings, ("routes", "chat", "policies", 0), (Marks(marks, ()),) if marks else ())


def shape(*entries: Entry, route: Any = ROUTE, **accounts: Any) -> Shape:
    """Of that route."""
    return shape_of(route, entries, ACCOUNTS | accounts)


def test_what_changes_answers_changes_it() -> None:
    plain = shape()
    others = [
        shape(entry("headers", {"request": {"set": {"a": "b"}}})),
        shape(entry("headers", {"request": {"set": {"a": Secret("b2")}}})),
        shape(entry("headers", {"request": {"set": {"a": Secret("b3")}}})),
        shape(entry("headers", {}, enabled=False)),
        shape(route={"target": "up/small"}),
        shape(route={**ROUTE, "mid_stream": "continue"}),
        shape(up={"kind": "openai", "base_url": "http://127.0.0.1:1"}),
    ]
    found = [one.fingerprint for one in (plain, *others)]
    assert len(set(found)) == len(found)
    assert {len(one) for one in found} == {32}


def test_what_does_not_leaves_it() -> None:
    """Callers, limits, how long answers are kept, keys of accounts, and accounts of others."""
    plain = shape().fingerprint
    assert shape(entry("authenticate"), entry("quota"), entry("cache", {"ttl": "1h"})).fingerprint == plain
    assert shape(up={"kind": "openai", "api_key": Secret("b")}, other={"kind": "gemini"}).fingerprint == plain
    assert shape(route={**ROUTE, "models": ["x"]}).fingerprint == plain


def test_who_makes_vectors_counts_by_its_account() -> None:
    """And by nothing else of it: what is equal stays so."""
    semantic = entry("cache_semantic", {"embedder": "other/vectors", "ttl": "5m"})
    again = entry("cache_semantic", {"embedder": "other/vectors", "ttl": "1m"})
    moved = {"kind": "openai", "base_url": "http://127.0.0.1:1"}
    assert shape(semantic).fingerprint == shape(again).fingerprint
    assert shape(semantic).fingerprint != shape(semantic, other=moved).fingerprint
    assert shape(entry("cache_semantic")).fingerprint == shape().fingerprint


def test_conditions_are_told() -> None:
    """To see what they look at; a target's name is none."""
    assert shape().routing == "tier == 'free'"
    assert shape(route={"target": "up/team"}).routing == ""
    assert shape(route={"target": {"model": "up/a", "enabled": "tags.a == 'b'"}}).routing == "tags.a == 'b'"
