"""Clean text flows at once, what may become something waits, and the cuts of a text make no difference."""

from __future__ import annotations

import pytest

from proxy.guarding.holdback import Holdback, Overfull
from proxy.guarding.scanner import Pattern, Patterns

SCANNER = Patterns([Pattern("ticket", r"\bticket-\d+\b"), Pattern("pair", "number ticket")])


def told(pieces: tuple[str, ...] | str) -> tuple[str, list[tuple[int, int, str]]]:
    """All that was decided, with positions in the whole text."""
    holdback, text, spans = Holdback(SCANNER), "", []
    for decided in [*map(holdback.feed, pieces), holdback.finish()]:
        spans += [(span.start + len(text), span.end + len(text), span.entity) for span in decided.spans]
        text += decided.text
    return text, spans


def test_no_cut_makes_a_difference() -> None:
    text = "see ticket-12, or number ticket-7; no ticke"
    whole = told((text,))
    assert whole == (text, [(4, 13, "ticket"), (18, 31, "pair"), (25, 33, "ticket")])
    assert told(text) == whole
    for at in range(len(text)):
        assert told((text[:at], text[at:])) == whole


def test_only_what_may_become_something_waits() -> None:
    holdback = Holdback(SCANNER)
    assert [holdback.feed(piece).text for piece in ("plain words, ", "a t", "ick", " t", "ickets", " ")] == [
        "plain words, ",
        "a ",
        "",
        "tick ",
        "tickets",
        " ",
    ]
    assert holdback.held == 0


def test_too_much_is_a_failure_and_not_a_pass() -> None:
    holdback = Holdback(Patterns([Pattern("long", "<[^>]*>")]), 100)
    holdback.feed("<" + "x" * 99)
    with pytest.raises(Overfull):
        holdback.feed("x")
