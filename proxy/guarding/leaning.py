"""How much the concepts of a text lean towards an attack: a linear model (logistic regression) over which of them stand
together, with its weights in a table that can be read (``proxy.guarding.weights``).

A text is read by clauses, and judged by windows: clauses one behind another with so many words together. The
features of a clause are its concepts (``shed``), two of them (``norms+shed``), one soon behind another
(``shed>norms``), and the first (``^shed``), with which orders begin. A feature that is not in the table weighs
nothing. A text of many windows has as many chances to look bad by accident, and so its score is that of its worst
window less the logarithm of their number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import exp, log
from typing import NamedTuple

from proxy.guarding.concepts import CONCEPTS
from proxy.guarding.thesaurus import ASKED, END, Classes, Thesaurus
from proxy.guarding.weights import WEIGHTS

WINDOW = 28  # words that are looked at together
_SOON = 4  # words from one concept to another that belongs to it
_FEW, _ENOUGH = 6, 3  # windows of a text from which on those with fewer telling concepts are not weighed
_POLITE = "please"  # begins no order, but stands before it
_FURTHEST = 50.0  # log-odds: beyond it nothing changes
_PARTS = re.compile(r"([+>^])")
_FAMILIES = {
    **dict.fromkeys(("shed", "voided", "norms", "obeyme", "maker", "fresh", "update", "prior", "given"), "override"),
    **dict.fromkeys(("mask", "liberty", "mode", "modal", "frame", "harm", "norefuse", "saysure"), "persona"),
    **dict.fromkeys(("show", "preface", "core", "exactly", "secretive"), "extraction"),
    **dict.fromkeys(("decode", "actonit"), "delimiter"),
    **dict.fromkeys(("sendoff", "spoils", "outside", "url", "mail"), "exfiltration"),
    **dict.fromkeys(("tools", "ruin", "payout", "permit", "unchecked"), "tools"),
    **dict.fromkeys(("reader", "vocative", "praise", "fixed", "trigger", "store", "unseen"), "indirect"),
}
_QUESTION = (ASKED,)
_TELLING = frozenset(_FAMILIES)
Feature = tuple[str, ...]  # ("shed",), ("norms", "+", "shed"), ("shed", ">", "norms") or ("^", "shed")
Pairs = Mapping[str, frozenset[str]]
Hits = list[tuple[int, Classes]]


class Leaning(NamedTuple):
    """``score``: from 0 to 1. ``family``: what most of it speaks for."""

    score: float
    family: str


@lru_cache(maxsize=1)
def thesaurus() -> Thesaurus:
    """Built once, while compiling: a hundredth of a second."""
    return Thesaurus(CONCEPTS)


def windows(text: str, pairs: Pairs | None = None) -> tuple[int, list[set[Feature]]]:
    """How many there are of a folded text, and the features of those that may matter: in a text of many, only those
    with enough telling concepts. ``pairs``: with what a concept makes a pair that matters; none: with all."""
    clauses = list(_clauses(text))
    groups = list(_groups(clauses))
    number = len(groups)
    if number > _FEW:
        telling = [len({name for _, names in clause for name in names} & _TELLING) for clause in clauses]
        groups = [group for group in groups if sum(telling[at] for at in group) >= _ENOUGH]
    read = {at: _features(clauses[at], pairs) for at in {at for group in groups for at in group}}
    return number, [set().union(*(read[at] for at in group)) for group in groups]


def _clauses(text: str) -> Iterator[Hits]:
    """Up to a sign that ends one, or until it is as long as a window."""
    hits: Hits = []
    for at, classes in thesaurus().read(text):
        if hits and (END in classes or at - hits[0][0] >= WINDOW):
            if ASKED in classes:
                hits.append((at, _QUESTION))
            yield hits
            hits = []
        if END not in classes:
            hits.append((at, classes))
    if hits:
        yield hits


def _groups(clauses: list[Hits]) -> Iterator[range]:
    """Clauses one behind another that make a window; the next begins half a window later."""
    start = 0
    for first, clause in enumerate(clauses):
        begin, last = clause[0][0], first + 1
        if begin < start:
            continue
        start = begin + WINDOW // 2
        while last < len(clauses) and clauses[last][-1][0] - begin < WINDOW:
            last += 1
        yield range(first, last)
        if last == len(clauses):
            return


def _features(hits: Hits, pairs: Pairs | None) -> set[Feature]:
    found: set[Feature] = set()
    if hits[-1][1] == _QUESTION:
        found.add(_QUESTION)
        hits = hits[:-1]
    present = {name for _, classes in hits for name in classes}
    for one in present:
        found.add((one,))
        others = present if pairs is None else present & pairs.get(one, frozenset())
        found.update([(one, "+", other) for other in others if one < other])
    before: Hits = []
    for at, classes in hits:
        before = [(where, names) for where, names in before[-_SOON:] if at - where <= _SOON]
        found.update([(one, ">", other) for _, names in before for one in names for other in classes])
        before.append((at, classes))
    first: Classes = next((classes for _, classes in hits if classes[0] != _POLITE), ())
    found.update([("^", name) for name in first])
    return found


class Model:
    """``table``: weights by feature as it is written; ``1`` is what is added to all."""

    __slots__ = ("_bias", "_pairs", "_weights")

    def __init__(self, table: Mapping[str, float]) -> None:
        self._bias = table["1"]
        self._weights: dict[Feature, float] = {_feature(name): weight for name, weight in table.items()}
        beside: dict[str, set[str]] = {}
        for feature in self._weights:
            if feature[1:2] == ("+",):
                beside.setdefault(feature[0], set()).add(feature[2])
        self._pairs = {one: frozenset(others) for one, others in beside.items()}

    def lean(self, text: str, prior: float = 0.0) -> Leaning:
        """Of the window that leans most. ``prior``: log-odds for who wrote it, before anything is read."""
        number, seen = windows(text, self._pairs)
        if not seen:
            return Leaning(0.0, "")
        known = self._weights.keys()
        sums = [sum(map(self._weights.__getitem__, there & known)) for there in seen]
        most = max(sums)
        odds = most + self._bias + prior - log(number)
        score = 1 / (1 + exp(-max(-_FURTHEST, min(_FURTHEST, odds))))
        return Leaning(score, self._family(seen[sums.index(most)]))

    def _family(self, there: set[Feature]) -> str:
        """That for which the concepts in pairs speak that weigh most."""
        told = dict.fromkeys(_FAMILIES.values(), 0.0)
        for feature in there:
            weight = self._weights.get(feature, 0.0)
            for name in feature:
                if weight > 0 and name in _FAMILIES:
                    told[_FAMILIES[name]] += weight
        return max(told, key=lambda family: told[family])


def _feature(name: str) -> Feature:
    return tuple(filter(None, _PARTS.split(name)))


@lru_cache(maxsize=1)
def model() -> Model:
    """With the table that comes with the project."""
    return Model(WEIGHTS)


def lean(text: str, prior: float = 0.0) -> Leaning:
    """See ``Model.lean``."""
    return model().lean(text, prior)
