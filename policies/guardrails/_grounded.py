"""An answer against what it was given: which sentences are supported, and why others are not."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any, Literal, NamedTuple

import msgspec

from proxy.chat import Choice, Completion, Refusal, ToolCall
from proxy.grounding.claims import Claim, TooLong, claims, plain, resolved
from proxy.grounding.grounds import Ground, Grounds
from proxy.grounding.passages import Given, searched

MAX_PAIRS = 2_000_000  # of sentences of an answer and statements of passages
Wrong = Literal["unsupported", "unknown_citation", "missing_citation", "wrong_quote"]


class Rules(NamedTuple):
    """``lexical``: the score from which on words alone support a sentence. ``cited``: what finds citations, None: they
    are not looked at; ``required``: each sentence needs one; ``quotes``: what is quoted must stand somewhere."""

    lexical: float
    cited: Any
    required: bool = False
    quotes: bool = True


class Weighed(msgspec.Struct):
    """One sentence. ``among``: the passages that it cites, None for any. ``wrong``: "" for one that is supported."""

    choice: int
    claim: Claim
    among: Set[int] | None
    ground: Ground
    wrong: Wrong | Literal[""]

    @property
    def is_doubtful(self) -> bool:
        """Whether nothing is wrong with it but that words do not support it."""
        return self.wrong == "unsupported"


class Basis:
    """What answers are compared with. Made in a thread: it may take long."""

    __slots__ = ("_plain", "by_id", "given", "grounds")

    def __init__(self, found: Given) -> None:
        """
        Raises:
            TooMany: it is more than can be looked into.
        """
        self.given = found
        self.by_id = found.by_id()
        self.grounds = Grounds(found.passages)
        self._plain: list[str] | None = None

    def with_searches(self, completion: Completion) -> Basis:
        """The same, and what the provider has found for this answer.

        Raises:
            TooMuch, TooMany: it is more than can be looked into.
        """
        found = searched((part for choice in completion.choices for part in choice.parts), self.given)
        return self if len(found.passages) == len(self.given.passages) else Basis(found)

    def quotes(self, text: str, among: Set[int] | None) -> bool:
        """Whether these words stand in one of the passages, but for marks and capitals."""
        if self._plain is None:
            self._plain = [f" {plain(passage.text)} " for passage in self.given.passages]
        quoted = f" {plain(text)} "
        return any(quoted in one for at, one in enumerate(self._plain) if among is None or at in among)


def weigh(completion: Completion, basis: Basis, rules: Rules) -> list[Weighed]:
    """Every sentence of an answer that claims or cites something. Answers that call tools, and refusals, say nothing.

    Raises:
        TooLong: more sentences than can be looked into.
    """
    return [
        one
        for choice in completion.choices
        if not any(isinstance(part, ToolCall | Refusal) for part in choice.parts)
        for one in _weighed(choice, basis, rules)
    ]


def _weighed(choice: Choice, basis: Basis, rules: Rules) -> list[Weighed]:
    found: list[Weighed] = []
    told = claims(choice, rules.cited, basis.grounds.known)
    if len(told) * len(basis.grounds) > MAX_PAIRS:
        raise TooLong
    for claim in told:
        among, wrong = _cited(claim, basis, rules)
        ground = basis.grounds.of(claim.text, among) if claim.is_open else Ground(1.0, may=True)
        if not wrong and ground.score < rules.lexical:
            wrong = "unsupported"
        if claim.is_open or wrong:
            found.append(Weighed(choice.index, claim, among, ground, wrong))
    return found


def _cited(claim: Claim, basis: Basis, rules: Rules) -> tuple[Set[int] | None, Wrong | Literal[""]]:
    """The passages that a sentence cites, and what is wrong with that."""
    among: set[int] = set()
    wrong: Wrong | Literal[""] = ""
    for one in claim.ids:
        known = resolved(one, basis.by_id)
        among |= known or set()
        wrong = wrong or ("" if known else "unknown_citation")
    for source in claim.sources:
        among |= basis.by_id.get((source.title or "").lower(), set()) | basis.by_id.get(
            (source.url or "").lower(), set()
        )
        if source.document is None:
            continue
        if source.document >= basis.given.documents:
            wrong = wrong or "unknown_citation"
        elif rules.quotes and source.text and not basis.quotes(source.text, None):
            wrong = wrong or "wrong_quote"
    if rules.quotes and not all(basis.quotes(quote, among or None) for quote in claim.quotes):
        wrong = wrong or "wrong_quote"
    if rules.required and claim.is_open and not (claim.ids or claim.sources):
        wrong = wrong or "missing_citation"
    return among or None, wrong


def score(found: Sequence[Weighed]) -> float:
    """The share of sentences that are supported; 1 where nothing is claimed."""
    return sum(not one.wrong for one in found) / len(found) if found else 1.0
