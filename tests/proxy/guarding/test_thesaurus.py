"""Which words are which concepts, in scripts with and without spaces."""

from __future__ import annotations

import pytest

from proxy.guarding.concepts import CONCEPTS
from proxy.guarding.thesaurus import Thesaurus

WORDS = {
    "shed": "scrap, throw away, throw, deny, 别管, vergiss*",
    "norms": "rule, throw away, code of conduct, 规则",
    "told": "told you, told you so",
}


def read(text: str) -> list[tuple[int, tuple[str, ...]]]:
    return list(Thesaurus(WORDS).read(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scrap the rule", [(0, ("shed",)), (2, ("norms",))]),
        ("scraps scrapped denied rules", [(0, ("shed",)), (2, ("shed",)), (3, ("norms",))]),
        ("scrapbook", []),
        ("vergissmeinnicht", [(0, ("shed",))]),
        ("throw it", [(0, ("shed",))]),
        ("throw away", [(0, ("shed", "norms"))]),
        ("code of conduct", [(0, ("norms",))]),
        ("told you so", [(0, ("told",))]),
        ("别管之前的规则", [(0, ("shed",)), (0, ("norms",))]),
        ("rule? no.", [(0, ("norms",)), (1, ("?", ".")), (3, (".",))]),
        ("see https://a.example/x?y=1 or ann@firm.example", [(1, ("url",)), (3, ("mail",))]),
        ('"<', [(0, ("quote", ".")), (1, ("code",))]),
        ("", []),
    ],
)
def test_words_and_signs(text: str, expected: list[tuple[int, tuple[str, ...]]]) -> None:
    assert read(text) == expected


def test_the_concepts_that_come_with_it() -> None:
    """Each has words of its own, and every entry is found."""
    thesaurus = Thesaurus(CONCEPTS)
    for name, text in CONCEPTS.items():
        for entry in text.split(","):
            word = entry.strip().rstrip("*").casefold()
            if word.isascii() and word.isalpha():
                assert name in {one for _, classes in thesaurus.read(word) for one in classes}, entry
