"""The table: what rules need is there, and nothing is there for no rule."""

from __future__ import annotations

from proxy.guarding.intent import RULES
from proxy.guarding.phrases import PHRASES

# Classes that sweeps make or look at themselves.
MADE = {"unbound"}
ASKED = {"none", "fence", "talk", "heed", "spare", "plain", "instructions", "orders"}


def test_rules_and_table_know_the_same_classes() -> None:
    needed = {need for rule in RULES for need in rule.needs}
    assert needed - MADE <= PHRASES.keys()
    assert PHRASES.keys() <= needed | ASKED


def test_entries_are_written_as_they_should_be() -> None:
    entries = [entry.strip() for text in PHRASES.values() for entry in text.split(",")]
    assert not [entry for entry in entries if "*" in entry[:-1] or entry != entry.lower() or "  " in entry]
