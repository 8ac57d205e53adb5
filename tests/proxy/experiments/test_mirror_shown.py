"""The report of a mirror, as people see it."""

from __future__ import annotations

from pathlib import Path

from proxy.experiments.mirror_report import mirror_report
from proxy.experiments.mirror_shown import as_text, page
from proxy.ledger.shown import Style
from tests.support.experiments import MIRROR, mirrored_file, told

_PLAIN = Style(False)


def test_a_table(tmp_path: Path) -> None:
    found = as_text(mirror_report([mirrored_file(tmp_path, [told(number) for number in range(400)])], MIRROR), _PLAIN)
    assert "mirror-chat-sim-next: sim/next beside chat" in found
    assert "400 requests, 0 copies failed, 0 too long to compare" in found
    (latency,) = (line.split() for line in found.splitlines() if line.startswith("latency"))
    assert latency[:7] == ["latency", "400", "1,003", "ms", "502", "ms", "-49.9%"]
    (same,) = (line.split() for line in found.splitlines() if line.startswith("same_text"))
    assert same[:3] == ["same_text", "400", "25.00%"]


def test_a_page_that_needs_nothing_else(tmp_path: Path) -> None:
    """And shows names as text."""
    found = page(mirror_report([mirrored_file(tmp_path, [told(1, target="sim/<b>")])], "mirror-chat-sim-b"))
    assert found.startswith("<!doctype html>")
    assert "sim/&lt;b&gt;" in found
    assert "<b>" not in found
    assert "src=" not in found
    assert "It is too early to compare" in found
