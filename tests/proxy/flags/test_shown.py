"""Flags as operators see them."""

from __future__ import annotations

import pytest

from proxy.flags.shown import in_file, missing, rows
from proxy.flags.store import Kept
from proxy.flags.table import Place, Table


def test_flags_of_the_file_come_first_and_what_is_set_for_no_place_is_shown() -> None:
    table = Table()
    table.add("new", Place("chat", "routes.chat.target", "sim/x", True, "10% by user"))
    found = rows(table, [Kept("gone", "off", "old", 5, "ada")])
    assert [(row["name"], row["value"], row["reason"], len(row["places"])) for row in found] == [
        ("new", "default", None, 1),
        ("gone", "off", "old", 0),
    ]
    assert found[0]["places"][0]["what"] == "sim/x"


@pytest.mark.parametrize(
    ("enabled", "rollout", "words"),
    [
        (True, None, "on"),
        (False, None, "off"),
        (True, "10%", "10%"),
        ("stream", "10% by user", "where stream, 10% by user"),
    ],
)
def test_what_the_file_says(enabled: bool | str, rollout: str | None, words: str) -> None:
    assert in_file({"enabled": enabled, "rollout": rollout}) == words


def test_what_was_probably_meant() -> None:
    assert missing("nex", ["new", "old"]).endswith("did you mean 'new'?")
    assert missing("zzz", ["new", "old"]).endswith("there are: new, old")
    assert missing("zzz", []).endswith("it has none")
