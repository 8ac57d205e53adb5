"""What is done where things overlap: nothing of any is left, and the surer names it."""

from __future__ import annotations

from random import Random

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


def test_the_walk_leaves_out_what_comparing_each_with_each_would() -> None:
    random = Random(5)
    for _ in range(300):
        starts = [random.randrange(12) for _ in range(random.randrange(8))]
        spans = [Span(at, at + random.randrange(1, 8), "x", random.choice((0.5, 0.8, 1.0))) for at in starts]
        left = [
            span
            for span in sorted(spans)
            if not any(
                other.start <= span.start and span.end <= other.end and other.score > span.score for other in spans
            )
        ]
        assert settle(spans, ACTIONS) == settle(left, ACTIONS)
        assert {found.span.score for found in settle(spans, ACTIONS)} <= {span.score for span in left}


def test_only_what_is_changed_changes() -> None:
    found = settle([Span(0, 1, "note"), Span(2, 3, "mail"), Span(4, 5, "x")], ACTIONS)
    assert rewrite("a b c d", found, lambda one, text: label(one.span.entity) + text) == "a [MAIL]b [X]c d"
    assert ACTIONS.used == {"redact", "block", "warn", "mask_and_restore"}
