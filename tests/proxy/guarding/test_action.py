"""What is done where things overlap: nothing of any is left, and the surer names it."""

from __future__ import annotations

from proxy.guarding.action import Actions, Found, label, rewrite, settle
from proxy.guarding.scanner import Span

ACTIONS = Actions("redact", {"card": "block", "note": "warn", "mail": "mask_and_restore"})


def test_what_overlaps_is_one() -> None:
    assert settle([Span(5, 9, "b", 0.5), Span(0, 6, "a", 0.5)], ACTIONS) == [Found(Span(0, 9, "a", 0.5), "redact")]


def test_the_strongest_action_counts() -> None:
    (found,) = settle([Span(0, 9, "note"), Span(5, 12, "card")], ACTIONS)
    assert (found.action, found.span[:3]) == ("block", (0, 12, "card"))


def test_what_lies_within_something_surer_is_nothing() -> None:
    assert settle([Span(2, 5, "card", 0.5), Span(0, 9, "iban", 1.0)], ACTIONS) == [
        Found(Span(0, 9, "iban", 1.0), "redact")
    ]


def test_only_what_is_changed_changes() -> None:
    found = settle([Span(0, 1, "note"), Span(2, 3, "mail"), Span(4, 5, "x")], ACTIONS)
    assert rewrite("a b c d", found, lambda one, text: label(one.span.entity) + text) == "a [MAIL]b [X]c d"
    assert ACTIONS.used == {"redact", "block", "warn", "mask_and_restore"}
