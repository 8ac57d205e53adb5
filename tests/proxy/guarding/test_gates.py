"""One pass that tells what may be in a text."""

from __future__ import annotations

from proxy.guarding.gates import Gates


def test_those_are_open_whose_patterns_are_there() -> None:
    gates = Gates({"digits": "[0-9]{3}", "tail": "x$", "umlaut": "ü"})
    assert gates.open("a 123 b") == {"digits"}
    assert gates.open("ü 12 x") == {"tail", "umlaut"}
    assert gates.open("") == gates.open("\ud800") == frozenset()
