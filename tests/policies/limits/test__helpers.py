"""Plans of rules, and headers that tell how much is left."""

from __future__ import annotations

from typing import Any

import pytest

from policies.limits._helpers import amount_shown, plan, rate_limit_headers, told
from proxy.limits.limit import Gauge, Rule
from proxy.limits.rule import parse


def rule(text: str, **fields: Any) -> Rule:
    return Rule(**{"limit": parse(text), "level": "team", "scope": "acme/red", **fields})


def gauge(text: str, *, is_hard: bool = True) -> Gauge:
    return Gauge(text, parse(text), is_hard=is_hard)


def headers(gauges: list[Gauge], used: list[int], *resets: float | None) -> dict[str, str]:
    found = rate_limit_headers(told(gauges), used, lambda at: resets[at])
    texts = {name.decode(): value.decode() for name, value in found}
    assert len(texts) == len(found), "each is told once"
    return texts


def test_only_rules_of_the_model_are_in_its_plan() -> None:
    """By globs that mind the case; an empty list is for no model."""
    rules = [rule("1/s"), rule("2/s", models=("gpt-*", "o1")), rule("3/s", models=()), rule("4/s", models=("O1",))]
    of = {model: plan(rules, model, "reject") for model in ("gpt-4o", "o1", "O1", "else")}
    amounts = {model: [one.limit.amount for one in found.rules] for model, found in of.items() if found is not None}
    assert amounts == {"gpt-4o": [1, 2], "o1": [1, 2], "O1": [1, 4], "else": [1]}
    assert plan(rules[1:], "else", "reject") is None


def test_what_happens_over_a_limit_is_said_by_the_limit_or_else_by_the_route() -> None:
    """What only warns is no hard gauge; the store's loss and the zone are the rule's."""
    rules = [rule("1/s"), rule("2/s", over="shadow"), rule("3/s", over="reject", is_open=False, zone="Asia/Tokyo")]
    found = plan(rules, "m", "warn")
    assert found is not None
    assert found.actions == ("warn", "shadow", "reject")
    assert [(one.is_hard, one.is_open, one.zone) for one in found.gauges] == [
        (False, True, "UTC"),
        (False, True, "UTC"),
        (True, False, "Asia/Tokyo"),
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["5/min", "5 concurrent"], (False, False, None)),
        (["$5/day"], (False, True, None)),
        (["500 input tokens/min"], (True, False, None)),
        (["500 output tokens/min"], (True, False, 500)),
        (["900 tokens/min", "500 output tokens/h", "$5 total"], (True, True, 500)),
        (["300 tokens/min", "500 output tokens/h"], (True, False, 300)),
    ],
)
def test_what_must_be_known_of_a_request(texts: list[str], expected: Any) -> None:
    """Whether its tokens, whether its price, and the longest answer that any limit can hold."""
    found = plan([rule(text) for text in texts], "m", "reject")
    assert found is not None
    assert (found.counts_tokens, found.counts_money, found.most_tokens) == expected


def test_each_value_of_a_tag_has_a_gauge_of_its_own() -> None:
    """Also none; a long one by its beginning. The rest is shared."""
    found = plan([rule("1/s"), rule("2/s", per="user")], "m", "reject")
    assert found is not None

    def keys(**tags: str) -> list[str]:
        return [one.key for one in found.gauges_for(tags)]

    shared, own = keys(user="zoe")
    assert shared == "team acme/red requests/second"
    assert own == "team acme/red requests/second per user zoe"
    assert keys() == keys(session="other") == [shared, "team acme/red requests/second per user "]
    assert len(keys(user="a" * 1000)[1]) == len(own) - 3 + 256
    alone = plan([rule("1/s")], "m", "reject")
    assert alone is not None
    assert alone.gauges_for({"user": "zoe"}) is alone.gauges


def test_amounts_at_which_operators_are_told() -> None:
    """Rounded up: half of three is two. Places that are taken come and go: nobody is told."""
    rules = [rule("3/s", alerts=(0.5, 1.0)), rule("9/s"), rule("5 concurrent", alerts=(0.5,))]
    found = plan(rules, "m", "reject")
    assert found is not None
    assert dict(found.alerts) == {0: (2, 3)}


@pytest.mark.parametrize(
    ("seconds", "spelt"),
    [
        (0.0, "0ms"),
        (0.0001, "1ms"),
        (0.12, "120ms"),
        (0.9999, "1000ms"),
        (1.0, "1s"),
        (1.2, "2s"),
        (59.5, "1m0s"),
        (360.0, "6m0s"),
        (3599.1, "1h0m0s"),
        (3600.0, "1h0m0s"),
        (90061.0, "25h1m1s"),
    ],
)
def test_times_are_written_as_openai_writes_them(seconds: float, spelt: str) -> None:
    """Never less than the truth."""
    assert headers([gauge("5/h")], [1], seconds)["x-ratelimit-reset-requests"] == spelt


def test_the_fields_of_the_ietf() -> None:
    """One item for requests and one for tokens, in one field each."""
    told = headers([gauge("5/min"), gauge("100 tokens/day")], [2, 100], 12.1, 3600.0)
    assert told == {
        "x-ratelimit-limit-requests": "5",
        "x-ratelimit-remaining-requests": "3",
        "x-ratelimit-reset-requests": "13s",
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1h0m0s",
        "ratelimit-policy": '"requests";q=5;w=60, "tokens";q=100;w=86400',
        "ratelimit": '"requests";r=3;t=13, "tokens";r=0;t=3600',
    }


def test_the_tightest_is_told() -> None:
    """By the share that is left, not by the number; of equals the first. What only warns is not told."""
    gauges = [gauge("1000/h"), gauge("10/min"), gauge("4/s", is_hard=False), gauge("100 input tokens/h")]
    told = headers([*gauges, gauge("50 tokens/h")], [100, 5, 4, 90, 44], 1, 2, 3, 4, 5)
    assert (told["x-ratelimit-limit-requests"], told["x-ratelimit-remaining-requests"]) == ("10", "5")
    assert (told["x-ratelimit-limit-tokens"], told["x-ratelimit-remaining-tokens"]) == ("100", "10")
    assert told["x-ratelimit-reset-tokens"] == "4s"
    equal = headers([gauge("10/min"), gauge("20/h")], [5, 10], 1, 2)
    assert equal["x-ratelimit-limit-requests"] == "10"


def test_what_was_used_beyond_a_limit_leaves_nothing() -> None:
    """And what never ends has no window."""
    told = headers([gauge("10 tokens total")], [14], None)
    assert told["ratelimit"] == '"tokens";r=0;t=0'
    assert told["ratelimit-policy"] == '"tokens";q=10'


def test_money_and_places_are_not_told() -> None:
    assert headers([gauge("$5/day"), gauge("5 concurrent"), gauge("5/h", is_hard=False)], [1, 1, 1], 1, 1, 1) == {}


def test_amounts_for_people() -> None:
    assert amount_shown("money", 1_234_500_000_000) == "$1,234.5"
    assert amount_shown("money", 2_000_000_000) == "$2"
    assert amount_shown("money", 0) == "$0"
    assert amount_shown("tokens", 1_234_567) == "1,234,567"
