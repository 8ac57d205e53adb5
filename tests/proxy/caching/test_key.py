"""What two requests must have in common to have one key, and what does not count. CAC-01 and CAC-03."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations, islice
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.key import SHOWN, Keys, NotComparable, read_body, shown
from proxy.exchange import Exchange, Identity
from tests.support.caching import asked, near_duplicates
from tests.support.scale import often

PRINT = bytes(32)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def key(x: Exchange, keys: Keys | None = None) -> bytes:
    """Of a request."""
    return (keys or Keys("key", PRINT)).of(x, read_body(x.body))


def with_body(**more: Any) -> Callable[[], Exchange]:
    """A request with these members."""
    return lambda: asked(**more)


def as_who(organisation: str, team: str, key: str, tier: str = "") -> Callable[[], Exchange]:
    """A request of somebody."""

    def make() -> Exchange:
        x = asked()
        x.identity = Identity(organisation, team, key, tier=tier)
        return x

    return make


def with_field(name: str, value: Any) -> Callable[[], Exchange]:
    """A request with this on its exchange."""

    def make() -> Exchange:
        x = asked()
        setattr(x, name, value)
        return x

    return make


SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}
# Each axis alone makes another request.
AXES: dict[str, Callable[[], Exchange]] = {
    "organisation": as_who("other", "search", "web"),
    "team": as_who("acme", "ads", "web"),
    "key": as_who("acme", "search", "app"),
    "tier": as_who("acme", "search", "web", tier="premium"),
    "model": with_body(model="n"),
    "temperature": with_body(temperature=0),
    "float": with_body(temperature=0.0),
    "system": with_body(messages=[{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]),
    "tools": with_body(tools=[{"type": "function", "function": {"name": "f"}}]),
    "format": with_body(response_format=SCHEMA),
    "user in the body": with_body(user="ada"),
    "route": with_field("route", "other"),
    "tags": with_field("tags", {"project": "x"}),
    "flag": with_field("notes", {"flag guard": "off"}),
    "header": with_field("forward", [(b"anthropic-beta", b"x")]),
    "query": with_field("query", b"api-version=2"),
    "path": with_body(path="/v1/messages"),
}


def test_every_axis_makes_another_request() -> None:
    """And any two of them are two more: pairwise, none is what another is."""
    found = {"plain": key(asked())} | {name: key(make()) for name, make in AXES.items()}
    crossings = [pair for pair in combinations(found, 2) if found[pair[0]] == found[pair[1]]]
    assert not crossings
    assert (
        key(asked(), Keys("key", b"\1" * 32)) not in found.values()
    )  # another configuration: guards, prompts, targets


@pytest.mark.parametrize(
    ("scope", "shared"),
    [
        ("key", {"web"}),
        ("team", {"web", "app"}),
        ("organisation", {"web", "app", "ads"}),
        ("global", {"web", "app", "ads", "other", "nobody"}),
    ],
)
def test_a_scope_is_who_shares(scope: Any, shared: set[str]) -> None:
    people = {
        "web": ("acme", "search", "web"),
        "app": ("acme", "search", "app"),
        "ads": ("acme", "ads", "web"),
        "other": ("other", "search", "web"),
        "nobody": None,
    }
    keys = Keys(scope, PRINT)
    mine = key(asked(), keys)
    assert {name for name, who in people.items() if key(asked(who=who), keys) == mine} == shared


def test_names_do_not_run_together() -> None:
    """No two callers have one spelling."""
    keys = Keys("team", PRINT)
    assert key(asked(who=("a", "b/c", "k")), keys) != key(asked(who=("a/b", "c", "k")), keys)
    assert key(asked(who=("a", "", "k")), Keys("team", PRINT)) != key(
        asked(who=("a", "", "k")), Keys("organisation", PRINT)
    )


def test_what_does_not_count() -> None:
    """Order, white space, escapes, streaming, credentials, traces, and whose session it is."""
    plain = key(asked())
    assert key(asked(stream=True, stream_options={"include_usage": True})) == plain
    spaced = b'{ "messages" : [ {"content": "\\u0048i", "role":"user"} ],\n "model":"m" }'
    assert key(asked(body=spaced)) == plain
    for name, value in (
        ("query", b"key=secret&alt=sse"),
        ("forward", [(b"traceparent", b"00-1"), (b"accept", b"*/*")]),
        ("tags", {"session": "1", "user": "ada"}),
        ("notes", {"quota": "near"}),
    ):
        assert key(with_field(name, value)()) == plain, name


def test_what_the_file_adds_and_leaves_out() -> None:
    x = with_field("tags", {"user": "ada"})()
    assert key(x, Keys("key", PRINT, personalised=True)) != key(asked(), Keys("key", PRINT, personalised=True))
    keys = Keys("key", PRINT, ignore=("user",))
    assert key(asked(user="ada"), keys) == key(asked(), keys)


@pytest.mark.parametrize(
    ("routing", "name", "value"),
    [
        ("tags.session == 'a'", "tags", {"session": "1"}),
        ("header['x-plan'] == 'b'", "headers", [(b"x-plan", b"b")]),
        ("headers.x-plan == 'b'", "headers", [(b"x-plan", b"b")]),
    ],
)
def test_what_routing_looks_at_counts(routing: str, name: str, value: Any) -> None:
    """Else an answer of one target would be given for another's."""
    keys = Keys("team", PRINT, routing=routing)
    assert key(with_field(name, value)(), keys) != key(asked(), keys)
    keys = Keys("team", PRINT, routing="key == 'batch'")
    assert key(asked(who=("acme", "search", "batch")), keys) != key(asked(), keys)


def test_both_paths_of_gemini_are_one() -> None:
    """They differ by whether it streams."""
    body = b'{"contents": []}'
    one, two = (
        asked(path=f"/v1beta/models/m:{verb}", body=body) for verb in ("generateContent", "streamGenerateContent")
    )
    assert key(one) == key(two)
    assert key(asked(path="/v1beta/models/n:generateContent", body=body)) != key(one)


@pytest.mark.parametrize("body", [b'{"model": "m", "a": 1, "a": 2}', b'{"model": "m", "a": {"b": 1, "\\u0062": 2}}'])
def test_names_that_are_there_twice_are_refused(body: bytes) -> None:
    """A provider may read the first of them, and we the last."""
    with pytest.raises(NotComparable, match="twice"):
        read_body(body)
    for wrong in (b"[]", b"{"):
        with pytest.raises(NotComparable, match="JSON"):
            read_body(wrong)


@given(value=st.dictionaries(st.text(max_size=6), JSON, max_size=5), seed=st.integers())
def test_order_and_space_never_count(value: dict[str, Any], seed: int) -> None:
    """Whatever it is."""

    def shuffled(part: Any) -> Any:
        if isinstance(part, dict):
            names = list(part)
            draw.shuffle(names)
            return {name: shuffled(part[name]) for name in names}
        return [shuffled(item) for item in part] if isinstance(part, list) else part

    draw = random.Random(seed)
    plain = msgspec.json.encode(value)
    other = msgspec.json.format(msgspec.json.encode(shuffled(value)), indent=3)
    assert read_body(plain).written == read_body(other).written


@given(one=JSON, other=JSON)
def test_different_values_are_different(one: Any, other: Any) -> None:
    """1 is not 1.0, nor True; no text is normalised."""
    first, second = (msgspec.json.encode({"a": value}) for value in (one, other))
    is_same = read_body(first).written == read_body(second).written
    assert is_same == (
        msgspec.json.encode({"a": one}, order="sorted") == msgspec.json.encode({"a": other}, order="sorted")
    )


@pytest.mark.soak
def test_near_duplicates_are_never_one() -> None:
    """One letter, case, accent, space, digit or negation: each is another question."""
    keys, total = Keys("key", PRINT), often(2_000, 100_000)
    known = {key(asked(text), keys) for text in islice(near_duplicates(7), total)}
    assert len(known) == total


def test_purposes_are_apart() -> None:
    x = asked()
    body = read_body(x.body)
    keys = Keys("key", PRINT)
    assert keys.of(x, body) != keys.of(x, body, purpose=b"semantic")
    assert shown(keys.of(x, body)) == keys.of(x, body).hex()[:SHOWN]
