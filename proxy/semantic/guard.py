"""What a question says, word by word: two questions may share an answer only if they say the same.

Vectors do not see what turns an answer round: "allowed" and "not allowed", 5 and 50, Paris and London, A to B and B
to A lie closer to each other than many a paraphrase. So a question is brought into a plain form first, without
politeness, contractions and the like, and that form has to be equal; the vectors then say whether the rest is.

The form is a list of words by the part that they play: those that follow ``from`` stand apart from those that follow
``to``, so that clauses may change places and names may not. All this is English: any other language is compared as it
is written (``proxy.semantic.languages``).
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from typing import Literal

import msgspec

from proxy.semantic import languages
from proxy.semantic.languages import is_english
from proxy.semantic.words import (
    ASKING,
    BE,
    BY_CAPITALS,
    CLAUSES,
    CONTRACTED,
    DONE,
    DROPPED,
    MODAL,
    NUMBERS,
    PAST,
    PHRASES,
    POLITE,
    POLITE_END,
    ROLES,
    SAME,
    TURNING,
)

_MOST_POLITE = 4  # phrases before or behind a question
LONGEST = 1000  # characters of a question; of a longer one a vector sees only a part
Form = tuple[tuple[str, ...], ...]
Difference = Literal["number", "name", "turn", "order", "word"]

_QUOTED = re.compile(
    r"```.*?```|`[^`]*`|\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)'[^']+'(?!\w)"
    r"|\b\w*[a-z0-9_][A-Z]\w*|(?<=\w )\b[A-HJ-Z]\b(?!')",  # names like userId, and of one letter, as good as quoted
    re.DOTALL,
)
_TOKEN = re.compile(
    r"\x00\d+\x00"  # something quoted
    r"|\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{2,4}"  # a date
    r"|(?<![\w.])[-+]?\d+(?:,\d{3})*(?:\.\d+)*(?!\w)"  # a number, a version
    r"|\w+(?:[-'’./@_:]\w+)*"  # words, paths, names of all kinds
    r"|\.\w+|[-<=>!]=|[-=]>|[^\w\s]"
)
_QUOTE = re.compile("\x00(\\d+)\x00")
_WRITTEN = re.compile(rf"{_QUOTED.pattern}|\n[ \t]*(?=\S)|{_TOKEN.pattern}", re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)*")
# Program code and mathematics, where every mark and every capital counts; dates look like sums.
_CODE = re.compile(r"[{}\[\]<>=*\\|^;\n]|\s[-+/]\s|\w\(|\d\s*[-+/(]\s*[\d(]|\)\s*[-+/]")
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{2,4}")
_BREAKS = frozenset(",;:.?!()\n")
_TO = frozenset({"how", "where", "when"})  # "how to" is one word
_OPENS = BE | MODAL | {"do", "does", "did", "have", "has"}  # a question to be answered with yes or no
_SILENT = frozenset("\"“”‘’'…")


class Question(msgspec.Struct, frozen=True):
    """``text`` is for the embedder, without politeness. ``form``: the words by the parts that they play. ``key`` is
    equal where that is. ``is_english``: else only equal words say the same."""

    text: str
    form: Form
    key: bytes
    is_english: bool = True


def read(text: str) -> Question | None:
    """What ``text`` says; None if it is too long, or says nothing."""
    if len(text) > LONGEST:
        return None
    quotes: list[str] = []

    def keep(found: re.Match[str]) -> str:
        quotes.append(found[0])
        return f" \x00{len(quotes) - 1}\x00 "

    marked = _QUOTED.sub(keep, unicodedata.normalize("NFC", text).replace("\x00", " ").replace("’", "'"))
    if not is_english(_QUOTE.sub(" ", marked)):
        return _other(text)
    plain, capitals = _plain(marked)
    if not plain:
        return None
    form: Form
    if _CODE.search(_DATE.sub("", plain)) is None:
        form = _parts([_canonical(word, quotes, capitals) for word in _TOKEN.findall(plain)])
    else:
        form = (("code",), _as_written(text.rstrip("?. \n")))
    if not any(part for part in form[1:]):
        return None
    said = _QUOTE.sub(lambda found: quotes[int(found[1])], plain)
    return Question(" ".join(said.split()), form, _digest(form))


def _other(text: str) -> Question | None:
    """A question that is not in English, or code without any: as it was written."""
    said = languages.plain(text)
    form = (("other",), _as_written(said))
    if not any(any(letter.isalnum() for letter in word) for word in form[1]):
        return None
    return Question(said, form, _digest(form), is_english=False)


def _as_written(text: str) -> tuple[str, ...]:
    """Its words and marks, what is quoted as it is, and how far lines are indented; other spaces do not count."""
    return tuple(_WRITTEN.findall(text))


def _plain(marked: str) -> tuple[str, frozenset[str]]:
    """Without politeness and contractions, in small letters; and the words that need their capitals."""
    words = re.findall(r"(?<![.,:;?!]\s)(?<!^)\b[A-Z][A-Za-z]*\b", marked.strip())
    capitals = frozenset(word.lower() for word in words if word.lower() in BY_CAPITALS and word != "I")
    found = marked.strip().casefold() if marked.isascii() else marked.strip().lower()
    for pattern, replacement in CONTRACTED:
        found = pattern.sub(replacement, found)
    for _ in range(_MOST_POLITE):
        found = POLITE.sub("", found, count=1) if POLITE.match(found) else found
        found = POLITE_END.sub("", found).rstrip(", ")
    for pattern, replacement in PHRASES:
        found = pattern.sub(replacement, found)
    return found.strip(), capitals


def _canonical(word: str, quotes: list[str], capitals: frozenset[str]) -> str:
    """One way to write a word. What is quoted keeps its case, and a mark of its own."""
    if word[0] == "\x00":
        return '"' + quotes[int(word.strip("\x00"))]
    if _NUMBER.fullmatch(word):
        return "#" + word.replace(",", "").removeprefix("+")
    if word in NUMBERS:
        return "#" + NUMBERS[word]
    if word in capitals:
        return word.upper()
    if word in BE or word in PAST or word in DROPPED or word in ROLES:
        return word
    word = word.removesuffix("'s")
    return SAME.get(word, word)


def _parts(tokens: list[str]) -> Form:
    """The words by their parts, the main one first. Where each preposition stands once and no clause hangs on
    another, they may stand in any order; else it is not known what belongs to what, and the order counts."""
    parts = _Parts()
    for place, word in enumerate(tokens):
        if word in _BREAKS:
            parts.close()
        elif word in ROLES and not (word == "to" and parts.last in _TO):
            parts.open(word)
        elif word in ASKING:
            parts.ask(word)
        elif word not in _SILENT:
            parts.add(word, is_letter=_is_letter(tokens, place))
    parts.close()
    return parts.form()


class _Parts:
    """A question as it is taken apart."""

    def __init__(self) -> None:
        self._main: list[str] = []
        self._flags: set[str] = set()
        self._found: list[tuple[str, ...]] = []  # all parts in the order of the text
        self._part: list[str] = []
        self._role = ""
        self._is_passive = False

    @property
    def last(self) -> str:
        """The word before."""
        return self._part[-1] if self._part else ""

    def close(self) -> None:
        """A part ends."""
        if not self._role:
            if self._is_passive:
                _turn(self._part)
            self._main += self._part
        if self._part:
            self._found.append((self._role, *self._part))
        self._part, self._role, self._is_passive = [], "", False

    def open(self, role: str) -> None:
        """A part begins."""
        self.close()
        self._role = role

    def ask(self, word: str) -> None:
        """Nobody asks within a part: this begins the main one again."""
        if self._role and self._part:
            self.close()
        self._part.append(word)

    def add(self, word: str, *, is_letter: bool) -> None:
        """Verbs that only help say how it is asked."""
        if not self._role:
            self._is_passive |= word in BE
            if not self._main and not self._part and word in _OPENS:
                self._flags.add("~whether")
            if word in PAST or word in MODAL or word == "whether":
                self._flags.add("~past" if word in PAST else f"~{word}")
                return
        if word not in DROPPED or is_letter:
            self._part.append("~past" if word in PAST else word)

    def form(self) -> Form:
        """What has been said."""
        flags = ("~", *sorted(self._flags))
        roles = [part[0] for part in self._found if part[0]]
        if len(set(roles)) < len(roles) or (len(roles) > 1 and not CLAUSES.isdisjoint(roles)):
            return (flags, *self._found)
        return (flags, tuple(self._main), *sorted(part for part in self._found if part[0]))


def _turn(part: list[str]) -> None:
    """ "how the order is cancelled" → "how cancel the order": what is done to something stands before it."""
    at = next((at for at, word in enumerate(part) if word not in ASKING and word != "not"), len(part))
    if len(part) - at < 2:
        return
    base = _base(part[-1])
    if base is not None:
        part.pop()
        part.insert(at, SAME.get(base, base))


def _is_letter(tokens: list[str], place: int) -> bool:
    """Whether an "a" is a name, as in "plan a": no word follows."""
    return tokens[place] == "a" and (place + 1 == len(tokens) or not tokens[place + 1][0].isalnum())


def _base(word: str) -> str | None:
    """What is done, of what was done; None for other words."""
    if word in DONE:
        return DONE[word]
    if not word.endswith("ed") or len(word) < 5 or not word.isalpha():
        return None
    stem = word[:-2]
    if stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    if stem.endswith("i"):
        return stem[:-1] + "y"
    if stem.endswith(("at", "ng", "v", "c", "g", "z", "u", "ir", "ur", "as", "os", "us", "et", "id", "od", "ag", "in")):
        return stem + "e" if not stem.endswith(("oin", "ain", "set")) else stem
    return stem


def _digest(form: Form) -> bytes:
    said = "\x01".join("\x02".join(part) for part in form)
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def difference(one: Question, other: Question) -> Difference | None:
    """What tells them apart, the weightiest first; None if nothing does."""
    if one.form == other.form:
        return None
    mine, theirs = (sorted(word for part in each.form for word in part) for each in (one, other))
    if mine == theirs:
        return "order"
    apart = set(mine) ^ set(theirs) or {word for word in mine if mine.count(word) != theirs.count(word)}
    if any(word.startswith("#") for word in apart):
        return "number"
    if any(word in TURNING or word in ROLES or word.startswith("~") for word in apart):
        return "turn"
    return "name" if any(not word.isalpha() or not word.islower() for word in apart) else "word"
