"""What this process holds, and what it may."""

from __future__ import annotations

from pathlib import Path

from proxy.admission.memory import resident, watermark


def test_a_process_knows_what_it_holds() -> None:
    """More than a megabyte, for an interpreter."""
    assert resident() > 2**20


def test_an_unknown_size_is_none(tmp_path: Path) -> None:
    """A system without this file sheds nothing for memory."""
    assert resident(tmp_path / "absent") == 0


def test_the_watermark_is_below_the_containers_limit(tmp_path: Path) -> None:
    """The first limit that is a number counts."""
    unlimited, limit = tmp_path / "memory.max", tmp_path / "limit"
    unlimited.write_text("max\n")
    limit.write_text("1000000\n")
    assert watermark((unlimited, limit)) == 900_000
    assert watermark((unlimited, tmp_path / "absent")) == 0
    limit.write_text(str(2**63 - 4096))
    assert watermark((limit,)) == 0
