"""The table of weights is as the lessons write it."""

from __future__ import annotations

from pathlib import Path

from proxy.guarding import weights
from tests.support.injections.lessons import LEAST, RAISED, written


def test_the_table_is_written_as_it_stands() -> None:
    """Small enough to be read; what weighs next to nothing is not in it."""
    table = weights.WEIGHTS
    text = Path(weights.__file__).read_text(encoding="utf-8")
    assert written(table | {"1": table["1"] - RAISED}) == text
    assert len(text) < 200_000
    assert all(abs(weight) >= LEAST for name, weight in table.items() if name != "1")
