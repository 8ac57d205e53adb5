"""Texts as readers would understand them: what hides words is undone before guards look for them.

A guard sees several *views* of a text and judges each: folded (compatibility forms, look-alike letters, accents and
invisible characters), with words put together again that were pulled apart, and with what was encoded decoded by one
level. Views are for looking only; what is forwarded is the text itself. Every step is linear in the length of the text
and bounded: a view is at most four times as long, and all that is decoded is no longer than the text.

Sources: UAX #15 (NFKC, NFKD), UTS #39 (confusables; the Latin look-alikes of Cyrillic and Greek), Unicode tags
U+E0000 to E007F and variation selectors as carriers of hidden text.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from proxy.guarding.decode import decoded
from proxy.guarding.gates import Gates

_MOST_LETTERS = 4  # of one character: U+FDFA alone stands for 18
_MOST_KEPT = 20_000  # characters whose folding is remembered
_HIDDEN = 1  # shortest hidden text worth a look is longer

_LOOK_ALIKES = dict(
    zip(
        "авсеԁгһніјкӏмпорԛѕтухѵԝьӕ" + "αβγεζηικμνορτυχωςϲϳ" + "հոօսցք" + "∣℮үҽԍɑ",
        "abcedrhhijklmnopqstyxvwba" + "abyezniklvoptuxwscj" + "hnouqf" + "leyega",
        strict=True,
    )
)
_QUOTES = dict.fromkeys("“”„‟«»‹›「」『』〝〞＂", '"') | dict.fromkeys("‘’‚‛′`´", "'")
_BLANK = frozenset("\u3164\u115f\u1160\uffa0\u180e\u2800\u0640\u034f\u17b4\u17b5")
_NAMED = re.compile(r"LATIN (?:CAPITAL |SMALL )?(?:LETTER|LETTER SMALL CAPITAL) (?:DOTLESS |SCRIPT )?([A-Z])\b(?! E)")
_SQUARED = ((0x1F150, 26), (0x1F170, 26), (0x1F130, 26), (0x1F1E6, 26))


class View(NamedTuple):
    """``way``: how it came from the text. ``loose``: words run into each other, so that they are found anywhere."""

    way: str
    text: str
    loose: bool = False


class _Folding(dict[int, str]):
    """Characters folded, one by one; those that were asked for are remembered."""

    def __init__(self, blank: str = "") -> None:
        self._blank = blank

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code), self._blank)
        if len(self) < _MOST_KEPT:
            self[code] = folded
        return folded


def _folded(character: str, blank: str) -> str:
    """What remains of a character: nothing of invisible ones and accents, small Latin letters of look-alikes."""
    if character in "\n\t ":
        return character
    if character in _QUOTES:
        return _QUOTES[character]
    kind = unicodedata.category(character)
    if kind in ("Cf", "Cc", "Co", "Cs") or character in _BLANK or 0xFE00 <= ord(character) <= 0xFE0F:
        return blank
    if kind in ("Mn", "Me"):
        return ""
    if kind[0] == "Z":
        return "\n" if kind in ("Zl", "Zp") else " "
    if "가" <= character <= "힣":
        return character
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character)[:_MOST_LETTERS].lower())
    return "".join(map(_letter, plain))[:_MOST_LETTERS]


def _letter(character: str) -> str:
    if character < "\x80":
        return character
    if unicodedata.category(character) in ("Mn", "Me") or character in _BLANK:
        return ""
    if character in _LOOK_ALIKES:
        return _LOOK_ALIKES[character]
    for first, number in _SQUARED:
        if first <= ord(character) < first + number:
            return chr(ord(character) - first + 97)
    named = _NAMED.match(unicodedata.name(character, ""))
    return named[1].lower() if named else character


_REMOVED, _PARTED = _Folding(), _Folding(" ")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u3164\u115f\u1160\uffa0\u180e]")


def fold(text: str, *, parted: bool = False) -> str:
    """Small letters without accents, look-alikes and invisible characters. ``parted``: a space for invisible ones."""
    if text.isascii() and text.isprintable():
        return text.lower()
    return text.translate(_PARTED if parted else _REMOVED)


_TAGGED = re.compile("[\U000e0020-\U000e007e]+")
_SELECTED = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}")


def hidden(text: str) -> str:
    """What is written in characters that nobody sees: tags, and variation selectors as bytes. Flags are tags, too:
    theirs are a few letters and no words."""
    if text.isascii():
        return ""
    found = ["".join(chr(ord(c) - 0xE0000) for c in run) for run in _TAGGED.findall(text)]
    found += [
        bytes(ord(c) - 0xFE00 if c <= "\ufe0f" else ord(c) - 0xE0100 + 16 for c in run).decode("utf-8", "ignore")
        for run in _SELECTED.findall(text)
    ]
    return " ".join(found)


def uncommented(text: str) -> str:
    """Without the comments of HTML and Markdown, so that what they part is together."""
    if "<!--" not in text:
        return text
    parts, at = [], 0
    while (begin := text.find("<!--", at)) >= 0 and (end := text.find("-->", begin)) >= 0:
        parts.append(text[at:begin])
        at = end + 3
    return "".join([*parts, text[at:]])


_SIGNS = r"[.\-*~'`·|/\\+^=:,;•]"
_INNER = re.compile(rf"{_SIGNS}(?<=[^\W\d]{_SIGNS}){_SIGNS}{{0,2}}(?=[^\W\d])")
_LETTERS = re.compile(r"(?<!\w)\w{1,2}(?:[\W_]{1,4}\w{1,2}){5,}(?!\w)")
_LONG_NAME = re.compile(r"[^\W\d_]_[^\W\d_]+_[^\W\d_]+_[^\W\d_]")
_WORD = re.compile(r"\S+")
_BETWEEN = re.compile(r"[\W_]+")
_LEET = re.compile(r"[013457@$!|]{1,2}[^\W\d]")
_DIGITS = str.maketrans("013457@$!|", "oieastasii")
_MIXED = 3  # words with digits or signs among their letters that make a text suspicious


def _together(folded: str) -> str:
    """Without comments, and without signs inside of words; long names with underlines are sentences."""
    text = _INNER.sub("", uncommented(folded))
    return text.replace("_", " ") if "_" in text and _LONG_NAME.search(text) else text


def joined(folded: str) -> str:
    """Runs of single letters and pairs put together, without what stands between them: ``i g n o r e``."""
    return "\n".join(_BETWEEN.sub("", run) for run in _LETTERS.findall(folded))


def unleeted(folded: str) -> str:
    """Digits and signs as the letters that they look like; empty if too few words mix them."""
    enough = next(islice(_LEET.finditer(folded), _MIXED - 1, None), None)
    return "" if enough is None else folded.translate(_DIGITS)


# Without one of these no attack in English is complete: looking for them is quicker than reading a text once more.
_TELLING = (
    *("instruct", "prompt", "rule", "guid", "direct", "restrict", "polic", "order", "message", "password"),
    *("credential", "key", "conversation", "inbox", "tool", "mode", "anything", "filter", "limit"),
    *("assistant", "environment", "account", "secret", "private", "reading", "ignore", "forget", "reveal"),
    *("pretend", "disregard"),
)
_TURNED = tuple(codecs.encode(word, "rot13") for word in _TELLING)
_BACKWARDS = tuple(word[::-1] for word in _TELLING)


# What each step looks for, roughly: whatever is not ASCII may be a letter, and no letter.
_LETTER, _ALIKE = r"[A-Za-z_\x{80}-\x{10ffff}]", r"[013457@$!|]{1,2}[A-Za-z_\x{80}-\x{10ffff}]"
_PAIR, _PART = r"[0-9A-Za-z_\x{80}-\x{10ffff}]{1,2}", "[^0-9A-Za-z]{1,4}"
_GATES = Gates(
    {
        "parted words": rf"{_LETTER}{_SIGNS}{{1,3}}{_LETTER}|<!--|_",
        "spaced letters": rf"(?:^|[^0-9A-Za-z_]){_PAIR}(?:{_PART}{_PAIR}){{5}}",
        "digits for letters": rf"(?s){_ALIKE}.*{_ALIKE}.*{_ALIKE}",
        "rot13": "|".join(_TURNED),
        "reversed": "|".join(_BACKWARDS),
    }
)


def views(text: str) -> Iterator[View]:
    """The text in all ways in which it may be read, likely ones first. Nothing is yielded twice in a row."""
    folded = fold(text)
    gates = _GATES.open(folded)
    yield View("text", folded)
    if not text.isascii():
        if len(secret := hidden(text)) > _HIDDEN:
            yield View("invisible characters", fold(secret))
        if _INVISIBLE.search(text):
            yield View("invisible spaces", fold(text, parted=True))
    tight = _together(folded) if "parted words" in gates else folded
    if tight != folded:
        yield View("parted words", tight)
    if "spaced letters" in gates and (run := joined(folded)):
        yield View("spaced letters", run, loose=True)
    if ("digits for letters" in gates or tight != folded) and (plain := unleeted(tight)):
        yield View("digits for letters", plain)
    for way, found in decoded(text):
        yield View(way, fold(found))
    if "rot13" in gates:
        yield View("rot13", codecs.encode(folded, "rot13"))
    if "reversed" in gates:
        yield View("reversed", folded[::-1])
        yield View("reversed words", _WORD.sub(lambda found: found[0][::-1], folded))
