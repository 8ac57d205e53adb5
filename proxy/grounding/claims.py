"""The sentences of an answer that claim something, and what they cite."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from typing import Any, NamedTuple

from proxy.chat import Choice, Citation, Text
from proxy.grounding.sentences import Sentence, sentences
from proxy.grounding.stated import Known, Stated, stated

# Ids in brackets, of which each has a digit: [1], [2, 3], [doc-4]. The first group is what is cited.
CITED = r"\[(\^?[\w.:#-]{0,40}\d[\w.:#-]{0,40}(?:\s*[,;]\s*\^?[\w.:#-]{0,40}\d[\w.:#-]{0,40}){0,20})\]"
MAX_CLAIMS = 500
MAX_TEXT = 512 << 10  # characters of an answer
_MOST_MARKS = 2000
_SEVERAL = re.compile(r"\s*[,;]\s*")
_RANGE = re.compile(r"(\d{1,4})\s*[-\u2013]\s*(\d{1,4})")
_MOST_IN_RANGE = 30
_QUOTED = re.compile('["\u201c\u201e]([^"\u201c\u201d\u201e\n]{12,600})["\u201d\u201c]')
_QUOTED_WORDS = 4  # fewer of them are a term, not a quotation
_LEAST = 2  # words that mean something, in a sentence without numbers and names
_SOURCES = re.compile(r"(?:sources?|references?|citations?|bibliography|quellen)\b[\s*:]*", re.IGNORECASE)
_ADDRESS = re.compile(r"\]\([^()\s]{1,2000}\)|https?://[^\s<>)\]]{1,2000}")
_HEADING = re.compile(r"[ \t]*#{1,6}\s")
# To say that one does not know, to greet, to offer help: nothing that could be supported.
_TALK = re.compile(
    r"(?:(?:unfortunately|sorry|i'm sorry|i am sorry|i apologi[sz]e|however|but|so|well)\W+)*(?:"
    r"(?:i|we) (?:do not|don't|cannot|can't|could not|couldn't|can not|am unable|am not able|have no|found no)\b"
    r"|(?:the|your|these|those|this|that|any|none|no)\b(?: of)?(?: the)?(?: \w+){0,3} "
    r"(?:do not|does not|don't|doesn't|did not|didn't|provides? no|contains? no|gives? no|mentions? no) ?"
    r"(?:(?:say|mention|specify|state|provide|contain|include|tell|cover|give|indicate|describe|address|discuss)\b)?"
    r"(?=.{0,80}\b(?:information|details?|mention|answer|whether|how|what|when|who|why|where|about|this|that|it)\b)"
    r"|there is no (?:information|mention|indication|answer)\b|no information\b"
    r"|it is (?:not clear|unclear|not stated)\b"
    r"|let me know\b|feel free\b|i hope\b|hope (?:this|that) helps\b|please (?:let|feel|ask|note|see|refer)\b"
    r"|(?:hello|hi|hey|sure|certainly|of course|great|thanks|thank you|good question|you're welcome|absolutely)\b"
    r"[^.!]{0,30}[.!]?$"
    r"|(?:here is|here's|here are|below|the following|in summary)\b[^.]{0,60}:?$"
    r"|(?:if|is there|do|would|can|could) you\b.{0,80}(?:need|have|want|like|questions?|help)\b"
    r")",
    re.IGNORECASE,
)
_TURN = re.compile(r"\b(?:but|however|though|although|because|instead|only)\b", re.IGNORECASE)


class Mark(NamedTuple):
    """A citation in the text, at a character of it."""

    at: int
    ids: tuple[str, ...]


class Claim(NamedTuple):
    """One sentence. ``number``: which of the answer's, from 1. ``ids``: what it cites by marks; ``sources``: what the
    provider says that it cites; ``quotes``: what it gives as said by somebody. ``is_open``: it has to be supported."""

    number: int
    text: str
    said: Stated
    ids: tuple[str, ...]
    sources: tuple[Citation, ...]
    quotes: tuple[str, ...]
    is_open: bool


class TooLong(Exception):
    """An answer of more sentences than can be looked into."""


def claims(choice: Choice, cited: Any, known: Known) -> list[Claim]:
    """The sentences of an answer that claim or cite something. ``cited``: compiled, its first group is what is cited;
    None if nothing is to be looked for.

    Raises:
        TooLong: see above.
    """
    text, sources = _written(choice)
    if len(text) > MAX_TEXT:
        raise TooLong
    bare, marks = _without_marks(text, cited)
    bare = _ADDRESS.sub(lambda found: " " * len(found[0]), bare)
    found = sentences(bare)
    if len(found) > 2 * MAX_CLAIMS or len(marks) > _MOST_MARKS:
        raise TooLong
    ids = _assigned(text, found, marks)
    told: list[Claim] = []
    is_list = False
    for number, sentence in enumerate(found, 1):
        said = bare[sentence.start : sentence.end]
        is_list = is_list or _SOURCES.fullmatch(said) is not None
        mine = tuple(one for start, end, one in sources if start < sentence.end and sentence.start < end)
        means = stated(said, known)
        quotes = tuple(quote[1] for quote in _QUOTED.finditer(said) if len(quote[1].split()) >= _QUOTED_WORDS)
        is_open = not is_list and not _is_heading(bare, sentence) and _claims(said, means)
        if is_open or ids[number - 1] or mine or quotes:
            told.append(Claim(number, said, means, ids[number - 1], mine, quotes, is_open))
    if len(told) > MAX_CLAIMS:
        raise TooLong
    return told


def _claims(text: str, said: Stated) -> bool:
    """Whether there is something in a sentence that could be true or false."""
    if text.rstrip("\"')* ").endswith("?") or not said.size:
        return False
    if text.endswith(":") and not any(one.startswith("#") for one in said.exact):
        return False
    if _TALK.match(text) and not _TURN.search(text, 12):
        return False
    return bool(said.exact) or len(said.words) >= _LEAST


def _is_heading(text: str, sentence: Sentence) -> bool:
    return _HEADING.match(text, text.rfind("\n", 0, sentence.start) + 1) is not None


def _written(choice: Choice) -> tuple[str, list[tuple[int, int, Citation]]]:
    """The text of an answer, and which characters of it the provider says to come from where."""
    parts: list[str] = []
    sources: list[tuple[int, int, Citation]] = []
    at = 0
    for part in choice.parts:
        if isinstance(part, Text):
            parts.append(part.text)
            sources += ((at, at + len(part.text), one) for one in part.citations)
            at += len(part.text)
    return "".join(parts), sources


def written(choice: Choice) -> str:
    """The text of an answer."""
    return _written(choice)[0]


def _without_marks(text: str, cited: Any) -> tuple[str, list[Mark]]:
    """The text with blanks in place of citations. What leads somewhere, as links in Markdown do, is none."""
    if cited is None:
        return text, []
    marks: list[Mark] = []
    parts: list[str] = []
    at = 0
    for found in cited.finditer(text):
        if text[found.end() : found.end() + 1] == "(":
            continue
        ids = tuple(one.removeprefix("^").lower() for one in _SEVERAL.split((found[1] or "").strip()) if one)
        marks.append(Mark(found.start(), ids))
        parts += (text[at : found.start()], " " * (found.end() - found.start()))
        at = found.end()
    return "".join((*parts, text[at:])), marks


def _assigned(text: str, found: Sequence[Sentence], marks: Sequence[Mark]) -> list[tuple[str, ...]]:
    """What each sentence cites. A mark at the begin of a line belongs to what follows there, any other to the sentence
    in which it stands, or that ends before it."""
    ids: list[list[str]] = [[] for _ in found]
    number = 0
    for mark in marks:
        while number < len(found) and found[number].start < mark.at:
            number += 1
        line = text[text.rfind("\n", 0, mark.at) + 1 : mark.at]
        leads = not line.strip(" \t-*•>") and number < len(found) and "\n" not in text[mark.at : found[number].start]
        of = number if leads or number == 0 else number - 1
        if of < len(found):
            ids[of] += mark.ids
    return [tuple(dict.fromkeys(one)) for one in ids]


def resolved(one: str, by_id: dict[str, set[int]]) -> Set[int] | None:
    """The passages that an id names, one by one or from one to another; None for one that nobody has."""
    if (found := by_id.get(one)) is not None:
        return found
    if (ends := _RANGE.fullmatch(one)) is not None and 0 < int(ends[2]) - int(ends[1]) <= _MOST_IN_RANGE:
        all = [by_id.get(str(number)) for number in range(int(ends[1]), int(ends[2]) + 1)]
        return None if None in all else set().union(*filter(None, all))
    return None


def plain(text: str) -> str:
    """A text as quotations are compared with it."""
    return " ".join(re.findall(r"\w+", text.lower()))
