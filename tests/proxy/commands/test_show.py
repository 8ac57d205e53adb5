"""A receipt for people."""

from __future__ import annotations

from proxy.commands.show import lines, safe, tokens
from proxy.exchange import Attempt
from proxy.ledger.shown import Style
from proxy.limits.limit import Amounts, Gauge, Held, Limit
from tests.support.receipts import charged, finished, row, shown_as_json


def test_every_fact_has_a_line() -> None:
    failed, good = Attempt("a/x"), Attempt("up/fast")
    failed.outcome, failed.reason, failed.status, failed.duration = "error", "overloaded", 529, 0.2
    good.outcome, good.status, good.charge = "ok", 200, charged(row())
    x = finished(who=("acme", "search", "web"), attempts=[failed, good])
    failed.started = good.started = x.received + 0.001
    x.policies, x.entered = ("authenticate", "quota"), 2
    x.timings, x.degraded, x.variant = {"quota": 12_000}, "overloaded", "b"
    x.notes = {"quota": "over 1/min: warn", "dropped": "logprobs, seed", "fallback": "a/x: overloaded"}
    x.tags, x.skipped = {"user": "ada"}, [("b/x", "ejected")]
    gauge = Gauge("team acme/search money/month", Limit("money", 10**10, "month", "$10/month"))
    x.held = Held("r", [gauge], Amounts(), [2_500_000_000], (), lambda at: None)
    assert lines(shown_as_json(x=x), Style()) == [
        "req_1",
        "time      2027-01-15T07:59:59.970Z  POST /v1/chat/completions",
        "status    200 complete",
        "model     fast → up/fast  route chat, generation 3",
        "key       acme/search/web  user=ada",
        "took      30.00 ms, of which the gateway 0.50 ms, first byte after 25.00 ms",
        "tokens    9 in, 14 out",
        "cost      $0.0000015",
        "variant   b",
        "degraded  overloaded",
        "dropped   logprobs, seed",
        "policies  authenticate passed",
        "          quota passed  12 µs  over 1/min: warn",
        "skipped   b/x: ejected",
        "attempts  a/x error overloaded 529  at 1.00 ms for 200 ms",
        "          up/fast ok 200  at 1.00 ms for 0.00 ms  9 in, 14 out, $0.0000015 (reported, price v1)",
        "limits    team acme/search: $10/month, $2.50 used, $7.50 left",
        "notes     fallback: a/x: overloaded",
        "headers   x-sluicegate-target: up/fast",
    ]


def test_texts_come_last_and_move_no_cursor() -> None:
    receipt = shown_as_json() | {"request": {"text": "a\nb\x1b[2J", "cut": True}}
    assert lines(receipt, Style())[-5:] == ["", "request", "a", "b?[2J", "… (there was more)"]


def test_colours_for_what_went_wrong() -> None:
    receipt = shown_as_json() | {"status": 429, "code": "rate_limited"}
    assert "\x1b[31m429 rate_limited complete\x1b[0m" in lines(receipt, Style(True))[2]


def test_words() -> None:
    assert tokens({}) == "none"
    assert tokens({"input": 1200, "cached_read": 5}) == "1,200 in, 5 cached read"
    assert safe("x" * 500, 10) == "xxxxxxxxx…"
