"""Labelled texts for guards against prompt injection, made from a seed: 40 intents in 30 disguises, and harmless
ones, half of which speak the language of attacks. Half of all intents, disguises and templates is for tuning, and half
is kept apart (``held``), so that figures tell something about what the patterns were not written for."""

from __future__ import annotations

import base64
import codecs
import re
from functools import lru_cache
from random import Random
from typing import Any
from urllib.parse import quote

from tests.support.injections.evasions import EVASIONS, sections

SEED = 20260301
HARD, ORDINARY = 600, 600
Row = dict[str, Any]


def attacks(seed: int = SEED) -> list[Row]:
    """1,200: every intent in every disguise. ``held`` if both were kept apart, ``tune`` if neither was."""
    rows = []
    for family, lines in sections("intents.txt").items():
        for number, line in enumerate(lines):
            for place, name in enumerate((*EVASIONS, "language")):
                random = Random(f"{seed}/{family}/{number}/{name}")
                parts = EVASIONS[name](line, random) if name in EVASIONS else _translated(family, random)
                half = {(0, 0): "tune", (1, 1): "held"}.get((number % 2, place % 2), "mixed")
                half = "mixed" if name == "language" else half  # the same few sentences for all
                row: Row = {"text": parts[0]} if len(parts) == 1 else {"texts": parts}
                if name == "document":
                    row["carrier"] = "tool"
                rows.append(row | {"label": "attack", "family": family, "evasion": name, "half": half})
    return rows


def _translated(family: str, random: Random) -> list[str]:
    table = sections("languages.txt")
    return [random.choice(table.get(family, table["override" if family == "delimiter" else "exfiltration"]))]


def benign(seed: int = SEED) -> list[Row]:
    """1,200: 600 hard and 600 ordinary ones, no two alike where the fillers allow it."""
    return [*_filled("hard", HARD, seed), *_filled("ordinary", ORDINARY, seed)]


def _filled(kind: str, number: int, seed: int) -> list[Row]:
    found = sections(f"{kind}.txt")
    each = number // len(found)
    rows = []
    for family, lines in found.items():
        random = Random(f"{seed}/{kind}/{family}")
        for at in range(each):
            place = at % len(lines)
            text = fill(lines[place], random)
            half = "held" if place % 2 else "tune"
            rows.append({"text": text, "label": "benign", "family": family, "kind": kind, "half": half})
    return rows


def fill(template: str, random: Random) -> str:
    """The words in braces replaced."""
    return re.sub(r"\{(\w+)\}", lambda found: _word(found[1], random) or found[0], template)


def _word(name: str, random: Random) -> str:
    words = _fillers()
    if name in words:
        return random.choice(words[name])
    topic = f"{random.choice(words['name'])} likes {random.choice(words['topic'])} and {random.choice(words['food'])}"
    if name == "base64":
        return base64.b64encode(topic.encode()).decode()
    if name == "url":
        return quote(topic)
    if name == "rot13":
        return codecs.encode(topic, "rot13")
    return random.randbytes(32).hex() if name == "hex" else ""


@lru_cache
def _fillers() -> dict[str, list[str]]:
    return sections("fillers.txt")


def dataset(half: str = "") -> list[Row]:
    """Both kinds; ``half``: ``tune`` or ``held`` alone."""
    return [row for row in (*attacks(), *benign()) if not half or row["half"] == half]


def fresh(third: str) -> list[Row]:
    """Plain texts in the words of other people, by style: a, b or c. ``intent`` is the kind that stands before each."""
    rows = []
    for kind, lines in sections(f"fresh_{third}.txt").items():
        for line in lines:
            intent, _, text = line.partition(": ")
            label = "attack" if kind == "attack" else "benign"
            rows.append({"text": text, "label": label, "family": intent, "kind": kind, "half": third})
    return rows
