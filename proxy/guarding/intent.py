"""How much a text looks like an attack on the model that reads it: rules over classes of words close to each other.

Words of ``proxy.guarding.phrases`` are found in one pass; then one sweep over what was found sees which rules have all
their classes within so many characters. A rule has a weight; rules of different families near each other add up (1 less
the product of 1 less each weight), those of one family do not. What the rules do not know, a linear model may
(``proxy.guarding.leaning``): the higher score counts. Everything is linear in the length of the text: no rule
looks back further than to the last word of each class.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import log
from typing import NamedTuple

from proxy.guarding.leaning import lean, model, thesaurus
from proxy.guarding.lexicon import Hit, Lexicon
from proxy.guarding.normalise import View, views
from proxy.guarding.phrases import PHRASES

NEAR = 400  # characters within which rules add up
_ABOUT = 220  # characters around an attack in which talk about attacks is looked for
_DISCUSSED = 0.4  # of the weight remains if an attack is quoted, and talked about
_END = 250  # characters of a text, at either end, that may belong to what is in the next
_LEANT = 4000  # characters of a text in disguise that the model looks at, too: there may be many disguises
_SHORTEST = 12  # characters of an attack in English; signs of other scripts say more
_FAR = -1_000_000


class Rule(NamedTuple):
    """``needs``: classes that stand within ``span`` characters. ``weight``: from 0 to 1."""

    family: str
    needs: tuple[str, ...]
    span: int
    weight: float
    quoted: bool = True  # talk about attacks excuses it only if it is quoted


class Suspicion(NamedTuple):
    """``score``: from 0 to 1. ``family``: one of ``FAMILIES``. ``way``: the view in which it was found."""

    score: float = 0.0
    family: str = ""
    way: str = ""


NONE = Suspicion()
FAMILIES = ("override", "persona", "extraction", "delimiter", "exfiltration", "tools", "indirect")
# What adds to what a family's other rules say.
_PARTS = {
    "freedom": "persona",
    "verbatim": "extraction",
    "amount": "exfiltration",
    "secrecy": "exfiltration",
    "misuse": "tools",
    "bidding": "indirect",
}
RULES = (
    Rule("override", ("drop", "instructions", "prior"), 80, 0.85),
    Rule("override", ("drop", "orders", "prior"), 80, 0.6),
    Rule("override", ("drop", "instructions", "your"), 70, 0.85),
    Rule("override", ("drop", "instructions", "guarded"), 60, 0.6),
    Rule("override", ("drop", "instructions", "all"), 60, 0.8),
    Rule("override", ("drop", "orders", "your"), 40, 0.65),
    Rule("override", ("drop", "orders", "your", "guarded"), 60, 0.8),
    Rule("override", ("drop", "orders", "your", "all"), 60, 0.8),
    Rule("override", ("drop", "orders", "prior", "all"), 80, 0.8),
    Rule("override", ("drop", "rules", "here"), 80, 0.85),
    Rule("override", ("drop", "core"), 70, 0.9),
    Rule("override", ("drop", "told"), 70, 0.85),
    Rule("override", ("drop", "before"), 60, 0.8),
    Rule("override", ("drop", "rules", "instead"), 160, 0.8),
    Rule("override", ("drop", "prior", "instead"), 40, 0.6),
    Rule("override", ("void", "instructions", "your"), 90, 0.8),
    Rule("override", ("void", "orders", "prior", "instead"), 160, 0.8),
    Rule("override", ("void", "instructions", "prior"), 60, 0.6),
    Rule("override", ("void", "instructions", "prior", "all"), 60, 0.8),
    Rule("override", ("void", "orders", "your"), 90, 0.6),
    Rule("override", ("void", "rules", "instead"), 160, 0.65),
    Rule("override", ("void", "rules", "here"), 120, 0.8),
    Rule("persona", ("become", "dan"), 160, 0.85),
    Rule("persona", ("become", "named"), 50, 0.8),
    Rule("persona", ("become", "unbound"), 160, 0.6),
    Rule("persona", ("become", "unbound", "assistant"), 160, 0.85),
    Rule("persona", ("assistant", "unbound"), 60, 0.5),
    Rule("persona", ("dan", "unbound"), 160, 0.8),
    Rule("persona", ("named", "unbound"), 100, 0.6),
    Rule("persona", ("become", "freed", "fence"), 120, 0.8),
    Rule("persona", ("become", "none", "core"), 90, 0.8),
    Rule("freedom", ("freed", "fence"), 40, 0.5),
    Rule("extraction", ("reveal", "core", "your"), 80, 0.85),
    Rule("extraction", ("reveal", "core", "verbatim"), 120, 0.85),
    Rule("extraction", ("tell", "core"), 60, 0.65),
    Rule("extraction", ("reveal", "core", "told"), 100, 0.85),
    Rule("extraction", ("reveal", "rules", "told"), 120, 0.85),
    Rule("extraction", ("reveal", "instructions", "your", "verbatim"), 100, 0.85),
    Rule("extraction", ("reveal", "rules", "your", "hidden"), 100, 0.8),
    Rule("extraction", ("tell", "instructions", "your"), 60, 0.8),
    Rule("extraction", ("reveal", "before"), 70, 0.6),
    Rule("verbatim", ("reveal", "before", "verbatim"), 120, 0.6),
    Rule("delimiter", ("forge",), 0, 0.3),
    Rule("delimiter", ("forge", "must"), 160, 0.8),
    Rule("delimiter", ("forge", "instead"), 160, 0.8),
    Rule("delimiter", ("forge", "unbound"), 160, 0.8),
    Rule("delimiter", ("forge", "dan"), 160, 0.8),
    Rule("delimiter", ("forge", "drop", "rules"), 160, 0.85),
    Rule("delimiter", ("forge", "danger", "your"), 200, 0.8),
    Rule("exfiltration", ("send", "secrets", "sink"), 200, 0.78, False),
    Rule("amount", ("send", "secrets", "all"), 120, 0.5),
    Rule("secrecy", ("send", "secrets", "behind"), 240, 0.8),
    Rule("tools", ("call", "tool", "behind"), 160, 0.8),
    Rule("tools", ("danger", "behind"), 160, 0.55),
    Rule("misuse", ("call", "tool", "danger"), 100, 0.5),
    Rule("indirect", ("address", "assistant"), 50, 0.25),
    Rule("indirect", ("address", "machine"), 50, 0.45),
    Rule("bidding", ("address", "assistant", "bidding"), 200, 0.6),
    Rule("bidding", ("assistant", "bidding", "behind"), 200, 0.6),
)
_FORGED = re.compile(
    r"<(?:\|[\w ]{1,20}\||</?sys>|start.of.turn|end.of.turn|/?(?:system|instructions?|user.input|document|prompt))>"
    r"|\[/?inst\]|\n[ \t]{0,8}#{0,6}[ \t]{0,3}\[?(?:system|developer|human|assistant)"
    r"(?: (?:message|prompt|instructions?))?\]?[ \t]{0,3}:"
    r"|\"role\"\s?:\s?\"(?:system|developer)\""
)


@lru_cache(maxsize=1)
def lexicons() -> tuple[Lexicon, Lexicon]:
    """For views with words, and for loose ones. Building them takes a tenth of a second: once, while compiling."""
    return Lexicon(PHRASES), Lexicon(PHRASES, loose=True)


def prepare() -> None:
    """Build what every judgement needs: once, while compiling."""
    lexicons()
    thesaurus()
    model()


def seams(texts: Sequence[str]) -> Iterator[str]:
    """Several texts as one, in which only their ends are left: what was split is whole again, inside of words or
    between them. Nothing of a single text."""
    if len(texts) > 1:
        ends = [text if len(text) <= 2 * _END else f"{text[:_END]} … {text[-_END:]}" for text in texts]
        yield "".join(ends)
        yield "\n".join(ends)


def judge(text: str, *, untrusted: bool = False, enough: float = 1.0) -> Suspicion:
    """The worst that is found in any view of the text, by the rules or by the model. ``untrusted``: nobody who may
    speak wrote it, so that talk about attacks excuses nothing, and the odds of an attack are twice as high from the
    start. ``enough``: a score at which looking on is of no use."""
    worst = NONE
    if len(text) < (_SHORTEST if text.isascii() else _SHORTEST // 3):
        return worst
    for view in views(text):
        for found in _opinions(view, untrusted, enough):
            if found.score > worst.score:
                worst = found
            if worst.score >= enough:
                return worst
    return worst


def _opinions(view: View, untrusted: bool, enough: float) -> Iterator[Suspicion]:
    """What the rules say, and then the model; words that run into each other are no concepts."""
    ruled = _judge(view, untrusted, enough)
    yield ruled._replace(score=doubled(ruled.score)) if untrusted else ruled
    if not view.loose and (view.way == "text" or len(view.text) <= _LEANT):
        leaning = lean(view.text, log(2) if untrusted else 0.0)
        yield Suspicion(leaning.score, leaning.family, view.way)


def doubled(score: float) -> float:
    """At twice the odds."""
    return 2 * score / (1 + score)


def _judge(view: View, untrusted: bool, enough: float) -> Suspicion:
    hits = lexicons()[view.loose].find(view.text)
    hits += [Hit(*found.span(), ("forge",)) for found in _FORGED.finditer(view.text)]
    hits.sort()
    sweep = _Sweep(view, hits, untrusted)
    worst = NONE
    for hit in hits:
        found = sweep.step(hit)
        if found.score > worst.score:
            worst = found
            if worst.score >= enough:
                break
    return worst


class _Sweep:
    """One walk over the words of a view."""

    def __init__(self, view: View, hits: list[Hit], untrusted: bool) -> None:
        self._view = view
        self._last: dict[str, int] = {}
        self._fired: dict[str, tuple[int, float]] = {}  # by family: where it ended, and its weight
        open_to_all = view.way in ("text", "parted words") and not untrusted
        self._spared = self._sparing = _FAR  # where nobody was told to do something: the end of the words, and the verb
        self._told = _FAR  # the last verb that was said of somebody, to nobody
        self._talk = [hit.start for hit in hits if open_to_all and "talk" in hit.classes]
        self._heed = [hit.start for hit in hits if "heed" in hit.classes]

    def step(self, hit: Hit) -> Suspicion:
        """What the text amounts to here; nothing if this word completes no rule."""
        at, last = hit.start, self._last
        for name in hit.classes:
            last[name] = at
        classes = hit.classes
        if "spare" in classes:
            self._spared = hit.end
        elif at - self._spared <= _SPARED and not _DOING.isdisjoint(classes):
            self._sparing = at
        if "drop" in classes and _is_told(self._view.text, at):
            self._told = at
        if at - min(last.get("none", _FAR), last.get("fence", _FAR)) <= _UNBOUND_SPAN:
            last["unbound"] = at
            classes = (*classes, "unbound")
        fired = False
        for name in classes:
            for rule, others in _BY_CLASS.get(name, ()):
                begin = at
                for other in others:
                    begin = min(begin, last.get(other, _FAR))
                    if at - begin > rule.span:
                        break
                else:
                    self._fire(rule, begin, hit)
                    fired = True
        return self._sum(at) if fired else NONE

    def _fire(self, rule: Rule, begin: int, hit: Hit) -> None:
        weight = rule.weight * (_DISCUSSED if self._is_discussed(rule, begin, hit.end) else 1.0)
        if begin <= self._sparing <= hit.start:
            weight *= _DISCUSSED
        if "drop" in rule.needs and self._told == self._last["drop"]:
            weight *= _TOLD
        before = self._fired.get(rule.family)
        if before is None or weight >= before[1] or hit.start - before[0] > NEAR:
            self._fired[rule.family] = hit.start, weight

    def _sum(self, at: int) -> Suspicion:
        innocent, heaviest, family = 1.0, 0.0, ""
        for name, (where, weight) in self._fired.items():
            if at - where <= NEAR:
                innocent *= 1.0 - weight
                if weight > heaviest:
                    heaviest, family = weight, name
        return Suspicion(1.0 - innocent, _PARTS.get(family, family), self._view.way)

    def _is_discussed(self, rule: Rule, begin: int, end: int) -> bool:
        """Quoted, with talk about such texts around it, and no word that it should be heeded."""
        if not _any_within(self._talk, begin - _ABOUT, end + _ABOUT):
            return False
        quoted = not rule.quoted or _is_quoted(self._view.text, begin, end)
        return quoted and not _any_within(self._heed, begin - _ABOUT, end + _ABOUT)


def _is_told(text: str, at: int) -> bool:
    """Whether an English verb stands where no order begins: behind a word that is none before an order."""
    if not text[at : at + 1].isascii():
        return False
    before = _BEFORE.search(text, max(0, at - 24), at)
    return before is not None and before[1] not in _BEFORE_ORDERS


def _any_within(places: list[int], begin: int, end: int) -> bool:
    at = bisect_left(places, begin)
    return at < len(places) and places[at] <= end


def _is_quoted(text: str, begin: int, end: int) -> bool:
    return any(
        _QUOTE_BEFORE[mark].search(text, max(0, begin - 120), begin + 1) is not None
        and _QUOTE_AFTER[mark].search(text, end - 1, end + 200) is not None
        for mark in "\"'`"
    )


_QUOTE_BEFORE = {mark: re.compile(rf"(?:^|[\s(\[:>]){mark}(?=\S)") for mark in "\"'`"}
_QUOTE_AFTER = {mark: re.compile(rf"\S{mark}(?=\W|$)") for mark in "\"'`"}
_BEFORE = re.compile(r"([a-z]+) {1,2}$")
_BEFORE_ORDERS = frozenset(
    (
        *("you", "to", "and", "then", "please", "kindly", "must", "should", "will", "now", "just", "simply"),
        *("first", "also", "completely", "or", "so", "immediately", "can", "bitte", "por", "favor", "per"),
        *("piacere", "shall", "fully", "let", "us", "but", "next", "totally", "entirely"),
    )
)
_TOLD = 0.9  # of the weight remains
_SPARED = 4  # characters between "do not" and what is not to be done
_DOING = frozenset(("drop", "reveal", "send"))
_UNBOUND_SPAN = 32  # characters: being free of rules is two words, "no" and "rules"
_BY_CLASS = {
    need: [(rule, tuple(other for other in rule.needs if other != need)) for rule in RULES if need in rule.needs]
    for need in {need for rule in RULES for need in rule.needs}
}
