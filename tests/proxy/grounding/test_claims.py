"""The sentences that claim something, and what they cite."""

from __future__ import annotations

import pytest

from proxy.chat import Choice, Citation, Text
from proxy.grounding.claims import CITED, MAX_CLAIMS, Claim, TooLong, claims, plain, resolved
from proxy.grounding.stated import Known
from proxy.guarding.scanner import compiled


def _claims(text: str) -> list[Claim]:
    return claims(Choice(parts=[Text(text)]), compiled(CITED), Known())


def test_what_is_cited_and_by_what() -> None:
    text = "Items may come back [1]. Money is paid soon. [2, doc-3] Nobody pays twice.\n[4] Digital goods do not."
    found = _claims(f"{text}\n\nSources:\n[1] Handbook 2024\n")
    assert [(one.number, one.ids, one.is_open) for one in found] == [
        (1, ("1",), True),
        (2, ("2", "doc-3"), True),
        (3, (), True),
        (4, ("4",), True),
        (6, ("1",), False),
    ]
    assert found[0].text == "Items may come back    ."


@pytest.mark.parametrize(
    "text",
    [
        "Hello!",
        "Sure, here you go.",
        "Here is what I found:",
        "# Return Policy of Acme",
        "What do you want to know about Acme?",
        "I do not know when Acme was founded.",
        "The documents do not say who founded Acme.",
        "Unfortunately, there is no information about the price.",
        "Let me know if you need more about Acme.",
        "```\nprice = 5\n```",
        "Yes.",
        "[a link](https://example.com/5)",
    ],
)
def test_what_claims_nothing(text: str) -> None:
    assert not _claims(text)


@pytest.mark.parametrize(
    "text",
    [
        "Acme costs 5.",
        "Paris.",
        "It costs $5:",
        "Dogs sleep outside.",
        "The documents do not mention the price, but it costs $5.",
        "I cannot say more about it, because Acme was sold to Globex.",
    ],
)
def test_what_claims_something(text: str) -> None:
    assert [one.is_open for one in _claims(text)] == [True]


def test_quotes_and_what_a_provider_cites() -> None:
    (found,) = _claims('They say "no refunds after thirty days" and "maybe".')
    assert found.quotes == ("no refunds after thirty days",)
    cited = Citation(document=0, text="thirty days")
    parts = [Text("Refunds end after "), Text("thirty days", citations=(cited,)), Text(". Dogs sleep outside.")]
    first, second = claims(Choice(parts=list(parts)), None, Known())
    assert (first.sources, second.sources) == ((cited,), ())


def test_ids() -> None:
    by_id = {"1": {0}, "2": {1}, "3": {2}, "a-1": {3}}
    assert resolved("a-1", by_id) == {3}
    assert resolved("1-3", by_id) == {0, 1, 2}
    assert resolved("2-4", by_id) is None
    assert resolved("9", by_id) is None
    assert resolved("1-9999", by_id) is None


def test_an_answer_may_be_too_long() -> None:
    _claims("Acme has 5. " * MAX_CLAIMS)
    with pytest.raises(TooLong):
        _claims("Acme has 5. " * (MAX_CLAIMS + 1))


def test_quotations_are_compared_by_their_words() -> None:
    assert plain("No refunds,\n after 30 Days!") == "no refunds after 30 days"
