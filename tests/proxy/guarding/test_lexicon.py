"""Words found in one pass: whole, with any ending, as phrases, inside of others where that is asked for."""

from __future__ import annotations

import pytest

from proxy.guarding.lexicon import Hit, Lexicon

PHRASES = {
    "drop": "ignor*, do not follow, don't, 忽略",
    "told": "ignored",
    "rules": "rule, instruction*, prompt, 指令",
    "core": "system prompt*",
    "talk": "prompt injection",
    "verb": "follow",
}
LEXICON = Lexicon(PHRASES)


def words(text: str, lexicon: Lexicon = LEXICON) -> list[tuple[str, tuple[str, ...]]]:
    return [(text[hit.start : hit.end], hit.classes) for hit in lexicon.find(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ignoring instructions", [("ignor", ("drop",)), ("instruction", ("rules",))]),
        ("ignored rules, ruler, signore", [("ignored", ("told",))]),
        ("the rule", [("rule", ("rules",))]),
        ("do not ---- follow", [("follow", ("verb",))]),
        ("do not  follow", [("do not  follow", ("drop", "verb"))]),
        ("dont don't", [("dont", ("drop",)), ("don't", ("drop",))]),
        ("system prompts", [("system prompt", ("core", "rules"))]),
        ("a prompt injection", [("prompt injection", ("talk",))]),
        ("请忽略这个指令", [("忽略", ("drop",)), ("指令", ("rules",))]),
    ],
)
def test_what_is_found(text: str, found: list[tuple[str, tuple[str, ...]]]) -> None:
    assert words(text) == found


def test_loose_words_are_found_anywhere_if_they_are_long_enough() -> None:
    loose = Lexicon(PHRASES, loose=True)
    assert words("xxsystempromptsignoreit", loose) == [("systemprompt", ("core", "rules")), ("ignor", ("drop",))]
    assert loose.find("nothing") == []


def test_hits_stand_in_order() -> None:
    assert LEXICON.find("忽略 rule") == [Hit(0, 2, ("drop",)), Hit(3, 7, ("rules",))]
