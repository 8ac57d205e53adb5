"""What a receipt says of a request."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.dialects.paths import endpoint_for
from proxy.exchange import Attempt, Exchange
from proxy.limits.limit import Amounts, Gauge, Held, Limit
from proxy.telemetry.receipt import Body, Ended, Text, made
from tests.support.receipts import END, charged, finished, outcome, row


def _made(x: Exchange, end: str | None = None, **more: Any) -> dict[str, Any]:
    ended = Ended(x, outcome(x, **more), end, 0.03, END)
    found: dict[str, Any] = msgspec.to_builtins(made(ended, lambda text: Body(text.begin.decode(), text.cut)))
    return found


def test_what_it_says() -> None:
    """Times in milliseconds, money exact, tokens by class, and only headers of ours."""
    x = finished(who=("acme", "search", "web"))
    x.endpoint, x.stream = endpoint_for("POST", x.path), True
    x.tags, x.notes = {"user": "ada"}, {"fallback": "b: down"}
    x.skipped.append(("up/slow", "ejected"))
    found = _made(x)
    assert (found["id"], found["time"], found["status"], found["end"]) == (
        "req_1",
        "2027-01-15T07:59:59.970Z",
        200,
        "complete",
    )
    assert (found["operation"], found["dialect"], found["target"]) == ("chat", "openai_chat", "up/fast")
    assert (found["duration_ms"], found["overhead_ms"], found["first_byte_ms"]) == (30.0, 0.5, 25.0)
    assert (found["organisation"], found["team"], found["key"], found["tags"]) == (
        *("acme", "search", "web"),
        {"user": "ada"},
    )
    assert (found["tokens"], found["cost_usd"], found["settled"]) == ({"input": 9, "output": 14}, "0.000001500", True)
    (attempt,) = found["attempts"]
    assert (attempt["started_ms"], attempt["duration_ms"]) == (1.0, 20.0)
    assert (attempt["cost_usd"], attempt["price"], attempt["source"]) == ("0.000001500", "v1", "reported")
    assert found["skipped"] == [{"target": "up/slow", "reason": "ejected"}]
    assert found["notes"] == {"fallback": "b: down"}
    assert found["headers"] == {"x-sluicegate-target": "up/fast"}
    assert found["request"] is None


def test_two_attempts_are_added_up() -> None:
    """One that has failed has its reason, and what it has cost; one that was never sent costs nothing."""
    failed, never, good = Attempt("a/x"), Attempt("b/x"), Attempt("c/x")
    failed.outcome, failed.reason, failed.status = "error", "overloaded", 529
    failed.charge = charged(row(status="error", cost=7, input=1, output=0, flags="clamped tier:flex"))
    good.outcome, good.charge = "ok", charged(row())
    found = _made(finished(attempts=[failed, never, good]))
    assert [(one["target"], one["outcome"], one["reason"]) for one in found["attempts"]] == [
        ("a/x", "error", "overloaded"),
        ("b/x", "open", None),
        ("c/x", "ok", None),
    ]
    assert found["attempts"][0]["flags"] == ["clamped", "tier:flex"]
    assert found["attempts"][1]["cost_usd"] is None
    assert (found["cost_usd"], found["tokens"]) == ("0.000001507", {"input": 10, "output": 14})


def test_what_is_not_settled_is_known_later() -> None:
    """The row is the ledger's own."""
    written = row(status="open", cost=0, input=0, output=0)
    one = Attempt("up/fast")
    one.charge = charged(written, settled=False)
    x = finished(attempts=[one])
    ended = Ended(x, None, "client_gone", 0.03, END)
    before = made(ended, lambda text: Body("", False))
    written.status, written.cost = "cancelled", 40
    after = made(ended, lambda text: Body("", False))
    assert (before.settled, before.cost_usd, before.status, before.end) == (False, "0.000000000", 499, "client_gone")
    assert (after.settled, after.cost_usd) == (True, "0.000000040")


@pytest.mark.parametrize(
    ("entered", "notes", "end", "verdicts"),
    [
        (3, {}, None, ["a passed", "b passed", "c passed"]),
        (1, {"refused_by": "b", "b": "over 1/min"}, None, ["a passed", "b refused"]),
        (1, {}, None, ["a passed", "b failed"]),
        (1, {}, "client_gone", ["a passed", "b left"]),
        (3, {"replaced_by": "b"}, None, ["a passed", "b replaced", "c passed"]),
    ],
)
def test_what_policies_have_decided(entered: int, notes: dict[str, str], end: str | None, verdicts: list[str]) -> None:
    """Only those that the request reached; what each noted stands beside it."""
    x = finished()
    x.policies, x.entered, x.notes, x.timings = ("a", "b", "c"), entered, notes, {"a": 12_340}
    found = _made(x, end)
    assert [f"{one['name']} {one['verdict']}" for one in found["policies"]] == verdicts
    assert [one["microseconds"] for one in found["policies"][:2]] == [12.3, None]
    assert found["policies"][1]["note"] == notes.get("b")
    assert found["notes"] == {}


def test_who_is_refused_at_the_door() -> None:
    """Before there was a route."""
    x = finished(attempts=[])
    x.notes["refused_by"] = "authenticate"
    assert [one["verdict"] for one in _made(x, status=401)["policies"]] == ["refused"]


def test_what_is_left_of_limits() -> None:
    """With this request's reservation; money in dollars."""
    x = finished()
    gauges = [
        Gauge("key acme/search/web requests/minute", Limit("requests", 60, "minute", "60/min")),
        Gauge("team acme/search money/month", Limit("money", 10**10, "month", "$10/month")),
    ]
    x.held = Held("req_1", gauges, Amounts(), [3, 2_500_000_000], (), lambda at: None)
    assert _made(x)["limits"] == [
        {
            "level": "key",
            "scope": "acme/search/web",
            "limit": "60/min",
            "kind": "requests",
            "used": 3,
            "left": 57,
        },
        {
            "level": "team",
            "scope": "acme/search",
            "limit": "$10/month",
            "kind": "money",
            "used": "2.500000000",
            "left": "7.500000000",
        },
    ]


def test_texts_count_by_their_size() -> None:
    ended = Ended(finished(), None, None, 0.1, END)
    before = ended.size
    ended.keep(Text(b"x" * 100, False), None)
    assert ended.size == before + 100
