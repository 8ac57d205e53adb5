"""The words of limits: the name of a counter, and what a request takes of each kind."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.limit import SOFT, Amounts, LimitConfig, Rule
from proxy.limits.rule import parse


def _rule(text: str = "60/min", **fields: Any) -> Rule:
    return Rule(**{"limit": parse(text), "level": "team", "scope": "red", **fields})


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        (_rule(), "team red requests/minute"),
        (_rule("$5/month"), "team red money/month"),
        (_rule("5 concurrent"), "team red concurrent/"),
        (_rule(models=("a", "b/*")), "team red requests/minute of a b/*"),
        (_rule(per="user"), "team red requests/minute per user"),
        (_rule(over="warn"), "team red requests/minute warn"),
        (_rule(over="downgrade", detour="small"), "team red requests/minute downgrade small"),
        (_rule(over="queue"), "team red requests/minute"),
        (_rule(models=(), per="user", over="shadow"), "team red requests/minute of  per user shadow"),
    ],
)
def test_a_counter_is_named_after_what_it_counts_and_for_whom(rule: Rule, key: str) -> None:
    assert rule.key == key


def test_who_changes_an_amount_keeps_what_was_counted() -> None:
    """Also the alerts, the zone, and what happens while the store is lost."""
    rule = _rule("60/min")
    others = [
        _rule("90/min"),
        _rule("60 requests/m", alerts=(0.5,)),
        _rule(zone="Europe/Berlin"),
        _rule(is_open=False),
        _rule(over="reject"),
    ]
    assert {other.key for other in others} == {rule.key}


def test_rules_that_differ_in_what_they_count_have_counters_of_their_own() -> None:
    """Soft ones too: they count what hard ones have refused."""
    rules = [
        _rule(),
        _rule("60/h"),
        _rule("60 tokens/min"),
        _rule(level="key"),
        _rule(scope="blue"),
        _rule(models=("a",)),
        _rule(models=("a", "b")),
        _rule(per="user"),
        _rule(per="session"),
        *(_rule(over=over) for over in SOFT),
    ]
    assert len({rule.key for rule in rules}) == len(rules)


def test_a_request_takes_of_each_kind() -> None:
    """Tokens are those of both directions; a place is one."""
    assert Amounts(2, 30, 4, 500).by == {
        "requests": 2,
        "input_tokens": 30,
        "output_tokens": 4,
        "tokens": 34,
        "money": 500,
        "concurrent": 1,
    }
    assert Amounts().by["requests"] == 1


def test_entries_of_a_file_are_read_strictly() -> None:
    """With three alerts, if nothing else is said."""
    read = msgspec.convert({"limit": "5/min", "over_limit": {"downgrade": "small"}}, LimitConfig)
    assert read.alerts == (0.5, 0.8, 1.0)
    for wrong in ({}, {"limit": "5/min", "pre": "user"}, {"limit": "5/min", "over_limit": {"route": "small"}}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, LimitConfig)
