"""Answers against what they were given, by families of right and wrong ones from a seed; citations and quotes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from policies.guardrails._grounded import Basis, Rules, score, weigh
from proxy.chat import Choice, Citation, Completion, Refusal, Text, ToolCall
from proxy.grounding.claims import CITED
from proxy.grounding.passages import Given, Passage
from proxy.guarding.scanner import compiled
from tests.support.grounded import FAMILIES, KNOWN, SUPPORTED, UNSEEN, Case, cases
from tests.support.scale import often

FACTS = "Returns are accepted within 30 days. The Atlas weighs 3 kg."
MORE = "Refunds are paid to the original card."
LEAST = {"free": 0.5, "extended": 0.75}  # of what words alone can tell; of all other families nearly everything


def _basis(*texts: str, ids: bool = True) -> Basis:
    return Basis(
        Given([Passage(text, (str(at),) if ids else (), "tag") for at, text in enumerate(texts, 1)], len(texts))
    )


def _completion(*parts: Any) -> Completion:
    return Completion(
        id="", model="", choices=[Choice(parts=[Text(one) if isinstance(one, str) else one for one in parts])]
    )


def _rules(**settings: Any) -> Rules:
    return Rules(0.5, compiled(CITED))._replace(**settings)


def _wrong(answer: Any, basis: Basis | None = None, **settings: Any) -> list[str]:
    return [one.wrong for one in weigh(_completion(answer), basis or _basis(FACTS, MORE), _rules(**settings))]


def _passes(case: Case) -> bool:
    basis = Basis(Given([Passage(text, (name,), "tag") for name, text in case.passages.items()]))
    return score(weigh(_completion(case.answer), basis, _rules())) == 1


@pytest.mark.soak
@pytest.mark.parametrize(("facts", "seed"), [(KNOWN, 1), (UNSEEN, 2)], ids=["known", "unseen"])
def test_families(facts: Any, seed: int) -> None:
    """What is wrong is found, by its family; what is right passes, unless it is said in quite other words."""
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for case in cases(seed, often(320, 3200), facts):
        every[case.family] += 1
        right[case.family] += _passes(case) == case.supported
    share = {family: right[family] / every[family] for family in FAMILIES}
    assert {family: found for family, found in share.items() if found < LEAST.get(family, 0.95)} == {}
    caught = sum(right[family] for family in FAMILIES if family not in SUPPORTED)
    false = sum(every[family] - right[family] for family in SUPPORTED)
    assert caught / sum(every[family] for family in FAMILIES if family not in SUPPORTED) >= 0.96
    assert caught / (caught + false) >= 0.94


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The Atlas weighs 3 kg [1].", [""]),
        ("The Atlas weighs 3 kg [1, 2].", [""]),
        ("The Atlas weighs 3 kg [1-2].", [""]),
        ("The Atlas weighs 3 kg [2].", ["unsupported"]),
        ("The Atlas weighs 3 kg [3].", ["unknown_citation"]),
        ("The Atlas weighs 30 kg [3].", ["unknown_citation"]),
        ("See [9].", ["unknown_citation"]),
        ('It says "returns are accepted within 30 days".', [""]),
        ('It says "returns are accepted within 40 days".', ["wrong_quote"]),
        ('It says "Refunds are paid to the original card" [1].', ["wrong_quote"]),
        ("The Atlas weighs 3 kg. Dogs sleep outside.", ["", "unsupported"]),
        ("I do not know.", []),
    ],
)
def test_citations_and_quotes(answer: str, expected: list[str]) -> None:
    assert _wrong(answer) == expected


def test_what_is_asked_of_them() -> None:
    assert _wrong("The Atlas weighs 3 kg.", required=True) == ["missing_citation"]
    assert _wrong("The Atlas weighs 3 kg [1].", required=True) == [""]
    assert _wrong("The Atlas weighs 3 kg [3].", cited=None) == [""]
    assert _wrong('It says "returns of Atlas within 30 days".', quotes=False) == ["unsupported"]
    assert _wrong("The Atlas weighs 3 kg [2].", _basis(MORE, FACTS, ids=False)) == [""]


def test_what_a_provider_cites() -> None:
    def cited(**where: Any) -> Text:
        return Text("The Atlas weighs 3 kg.", citations=(Citation(**where),))

    assert _wrong(cited(document=0, text="The Atlas weighs 3 kg")) == [""]
    assert _wrong(cited(document=0, text="The Atlas weighs 9 kg")) == ["wrong_quote"]
    assert _wrong(cited(document=7, text="")) == ["unknown_citation"]
    assert _wrong(cited(title="2", document=1)) == ["unsupported"]
    assert _wrong(cited(url="https://elsewhere.example"), required=True) == [""]


def test_calls_and_refusals_claim_nothing() -> None:
    basis = _basis(FACTS)
    call = ToolCall(id="c", name="f", arguments="{}")
    assert weigh(_completion("The Atlas weighs 9 kg.", call), basis, _rules()) == []
    assert weigh(_completion(Refusal("The Atlas weighs 9 kg.")), basis, _rules()) == []
    assert score([]) == 1
