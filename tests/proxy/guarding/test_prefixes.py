"""What a text that goes on may still become: every beginning of a match is known as one, and little else."""

from __future__ import annotations

import pytest
import re2

from proxy.guarding.prefixes import beginnings

MATCHES = [
    (r"\b[\w.+-]+@[\w-]+\.[a-z]{2,}\b", "ab.c@d-e.com"),
    (r"(?i)\bfoo(bar|ba[sz]+)?x{2,4}\b", "FooBASZxxx"),
    (r"a(bc){2,3}d", "abcbcbcd"),
    (r"\Qa.b\E+c\Q*\E", "a.bbbc*"),
    (r"(?P<a>x*)y?(?:z|zz)[]a]\pL\x{fc}[[:digit:]\s]+", "xxyzz]äü1 2"),
    (r"(?:\d{4}[ -]){3}\d{4}", "1234-1234 1234-1111"),
    (r"(?s)a.{0,5}?b|^c|\x41", "a\n\nb"),
    (r"(?i:k(?-i:L))|(?i)m|n", "KL"),
    (r"(?:a|b(?:c|(?:de)+f))*g", "abdedefbcg"),
]


@pytest.mark.parametrize(("regex", "text"), MATCHES, ids=[regex for regex, _ in MATCHES])
def test_every_beginning_is_known(regex: str, text: str) -> None:
    assert re2.fullmatch(regex, text)
    ends = re2.compile(f"(?:{beginnings(regex)})\\z")
    for size in range(len(text) + 1):
        assert ends.search(f"~ {text[:size]}").start() <= 2


@pytest.mark.parametrize(
    ("regex", "text", "held"),
    [
        (r"\bticket-\d+\b", "no ticker", 0),
        (r"\bticket-\d+\b", "no tick", 4),
        (r"\bticket-\d+\b", "ticket-12 ", 0),
        (r"\bcat dog\b", "a cat do", 6),
        (r"\bcat dog\b", "concat d", 0),
        (r"x{3}y", "xxxxx", 3),
        (r"[^a]{3}y", "bbbbb", 3),
    ],
)
def test_little_else_is_held(regex: str, text: str, held: int) -> None:
    assert len(text) - re2.search(f"(?:{beginnings(regex)})\\z", text).start() == held


@pytest.mark.parametrize("regex", ["a)", "(a", "a**", "*a", "[a", "a(?i)b"])
def test_what_is_no_pattern_is_said(regex: str) -> None:
    with pytest.raises(ValueError, match="position"):
        beginnings(regex)
