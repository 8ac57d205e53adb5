"""Whether passages say what a sentence says, as far as words tell.

A passage is taken apart into statements, its sentences. A statement knows what its words refer to: the names of its
passage (title, file), and, if it names nothing or begins with a word such as "it", the names of the one before.

For a sentence s let E(s) be its numbers (with their units) and names, W(s) its other words that mean something, by
their stems. A statement e of a passage p may support s if it has every one of E(s), and denies if and only if s does.
Then

    lexical(s) = max over such e of  ( |E(s)| + |W(s) ∩ W(e)| + ½ |W(s) ∩ (W(p) \\ W(e))| ) / ( |E(s)| + |W(s)| )

and 0 if there is none; of W(p), what stands only where p denies counts for no s that affirms. A sentence of several
clauses, each with numbers or names of its own, is as good as its worst clause, if that is better: "the Atlas, released
in 2019 and sold for $5" may come of two statements, both of the Atlas. Nothing else merges statements, so names that
have changed places are noticed. A part of a sentence, between commas and conjunctions, of three units and more, of
which less than a third stands in its passages, has been added: the sentence is no better than that share.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from proxy.grounding.passages import Passage
from proxy.grounding.sentences import sentences
from proxy.grounding.stated import Known, Stated, learn, stated, stem

MAX_STATEMENTS = 20_000
_ELSEWHERE = 0.5  # what a word counts that stands in another statement of the passage
_CLAUSE = re.compile(
    r"\s*;\s*|,?\s+(?:and|but|while|whereas|although|though|or)\s+|,\s+(?:which|who|und|aber|et|mais|y|pero)\s+|,\s+(?=not\b)",
    re.IGNORECASE,
)
_MOST_CLAUSES = 12
_WINDOW = 3  # sentences
# Where something may begin that has been added to what the passages say.
_PART = re.compile(
    r"[,;:\u2013\u2014(]|\b(?:and|but|or|because|since|thanks|due|owing|after|before|while|which|who|whose|so|in order"
    r"|although|though|when|where|if|mostly|mainly|as|with|despite|including)\b",
    re.IGNORECASE,
)
_LEAST_STRANGE = 3  # units of a part
_STRANGE = 1 / 3  # of a part must be known, or it is strange
_LEAST = 2  # numbers, names and words of a clause


class Ground(NamedTuple):
    """``score``: see above; ``may``: some statement has all numbers and names, and denies as the sentence does.
    ``passages``: where, by index, the best first."""

    score: float
    may: bool
    passages: tuple[int, ...] = ()


class _Statement(NamedTuple):
    passage: int
    words: frozenset[str]
    denies: bool


class TooMany(Exception):
    """More statements than can be looked into."""


class Grounds:
    """Passages, ready for sentences to be compared with them. Immutable; it takes a while to make."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        """
        Raises:
            TooMany: see above.
        """
        self.known = learn(passage.text for passage in passages)
        self._statements: list[_Statement] = []
        self._by_form: dict[str, set[int]] = defaultdict(set)
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._words: list[tuple[Set[str], Set[str]]] = []  # of each passage: of what it affirms, and of all
        self._texts: list[list[str]] = []  # the statements of each
        for number, passage in enumerate(passages):
            self._take(number, passage)

    def _take(self, number: int, passage: Passage) -> None:
        always = {word for one in passage.ids if not one.isdigit() for word in stated(one, Known()).forms}
        before: frozenset[str] = frozenset()
        affirmed, everything = set(map(stem, always)), set(map(stem, always))
        texts = list(_pieces(passage.text))
        for text in texts:
            said = stated(text, self.known)
            carried = before if said.refers or not said.names else frozenset()
            before = said.names | carried if said.names else before
            words = said.words | set(map(stem, said.names | carried | always))
            everything |= words
            affirmed |= set() if said.denies else words
            index = len(self._statements)
            if index >= MAX_STATEMENTS:
                raise TooMany
            self._statements.append(_Statement(number, words, said.denies))
            for form in said.forms | carried | always:
                self._by_form[form].add(index)
            for word in words:
                self._by_word[word].append(index)
        self._words.append((affirmed, everything))
        self._texts.append(texts)

    def __len__(self) -> int:
        return len(self._statements)

    def of(self, text: str, among: Set[int] | None = None) -> Ground:
        """What there is for a sentence, in the passages ``among``, or in all."""
        text = " ".join(text.split())
        found = self._best(stated(text, self.known), among)
        clauses = _clauses(text, self.known)
        if len(clauses) > 1 and found.score < 1:
            each = [self._best(clause, among) for clause in clauses]
            worst = min(each, key=lambda one: (one.may, one.score))
            if (worst.may, worst.score) > (found.may, found.score):
                passages = dict.fromkeys(passage for one in each for passage in one.passages[:1])
                found = Ground(worst.score, worst.may, tuple(passages))
        return found._replace(score=min([found.score, *self._strange(text, found)]))

    def _strange(self, text: str, found: Ground) -> Iterator[float]:
        """Of parts of a sentence that its passages hardly know, how much they know."""
        for part in _PART.split(text):
            said = stated(f"a {part}", self.known)
            if said.size < _LEAST_STRANGE:
                continue
            units = said.words | set(map(stem, said.names))
            known = max((len(units & self._words[passage][1]) for passage in found.passages), default=0)
            share = (known + len(said.exact - said.names)) / said.size
            if share < _STRANGE:
                yield share

    def windows(self, passage: int, most: int = _WINDOW) -> list[str]:
        """The text of a passage in pieces of some sentences."""
        texts = self._texts[passage]
        return [" ".join(texts[at : at + most]) for at in range(0, len(texts), most)]

    def _best(self, said: Stated, among: Set[int] | None) -> Ground:
        hits = Counter(index for word in said.words for index in self._by_word.get(word, ()))
        able: Iterable[int] = range(len(self._statements))
        if said.exact:
            found = sorted((self._by_form.get(form, set()) for form in said.exact), key=len)
            able = set.intersection(*found)
        elif said.words:
            able = hits
        scores: dict[int, float] = {}
        may = False
        for index in able:
            one = self._statements[index]
            if one.denies != said.denies or (among is not None and one.passage not in among):
                continue
            may = True
            near = hits[index]
            far = len(said.words & self._words[one.passage][said.denies]) - near
            score = (len(said.exact) + near + _ELSEWHERE * far) / max(1, said.size)
            scores[one.passage] = max(score, scores.get(one.passage, 0.0))
        best = sorted(scores, key=lambda passage: (-scores[passage], passage))
        return Ground(scores[best[0]] if best else 0.0, may or not said.exact, tuple(best[:8]))


def _pieces(text: str) -> Iterator[str]:
    """The statements of a passage. A sentence that says that one thing is so and another is not is two of them."""
    for start, end in sentences(text):
        sentence = " ".join(text[start:end].split())
        clauses = _CLAUSE.split(sentence)
        if 1 < len(clauses) <= _MOST_CLAUSES and len({stated(one, Known()).denies for one in clauses}) > 1:
            yield from filter(str.strip, clauses)
        else:
            yield sentence


def _clauses(text: str, known: Known) -> list[Stated]:
    """The clauses of a sentence, each with numbers or names, and words, of its own. One that names nothing is about
    what the one before is about."""
    pieces = _CLAUSE.split(text)
    if not 1 < len(pieces) <= _MOST_CLAUSES:
        return []
    groups: list[str] = []
    for piece in pieces:
        # What has nothing of its own belongs to what stands before; no capital within is one of a beginning.
        if groups and (_is_poor(groups[-1], known) or _is_poor(f"a {piece}", known)):
            groups[-1] = f"{groups[-1]} and {piece}"
        else:
            groups.append(f"a {piece}" if groups else piece)
    found: list[Stated] = []
    about: frozenset[str] = frozenset()
    for group in groups:
        said = stated(group, known)
        if said.names:
            about = said.subject
        found.append(said if said.names else said._replace(exact=said.exact | about))
    return found


def _is_poor(text: str, known: Known) -> bool:
    said = stated(text, known)
    return not said.exact or said.size < _LEAST
