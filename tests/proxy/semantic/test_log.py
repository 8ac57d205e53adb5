"""Samples on disk."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from proxy.jobs.writer import StoreBroken
from proxy.semantic.curve import Sample
from proxy.semantic.log import FILE, Samples, read_samples, routes_of


def _fields(route: str = "chat", **more: Any) -> dict[str, Any]:
    found = {"route": route, "request_id": "req_1", "source": "shadow", "similarity": 0.9, "is_right": True}
    return found | more


async def test_samples_are_kept(tmp_path: Path) -> None:
    """By route, in the order in which they came, for nobody else's eyes."""
    samples = Samples(tmp_path, lambda: 100.0)
    samples.add(_fields())
    samples.add(_fields(similarity=None, is_right=None))
    samples.add(_fields("other", source="feedback", is_right=False))
    assert not (tmp_path / FILE).exists()
    await samples.aclose()
    assert read_samples(tmp_path, "chat") == [Sample(0.9, True), Sample(None)]
    assert read_samples(tmp_path, "other") == [Sample(0.9, False, "feedback")]
    assert read_samples(tmp_path, "chat", since=101.0) == []
    assert routes_of(tmp_path) == ["chat", "other"]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_nothing_is_known_without_a_file(tmp_path: Path) -> None:
    """And none is made by looking."""
    assert (read_samples(tmp_path, "chat"), routes_of(tmp_path)) == ([], [])
    assert not (tmp_path / FILE).exists()


async def test_what_cannot_be_written_waits(tmp_path: Path) -> None:
    """It is there when the disk is."""
    blocked = tmp_path / FILE
    blocked.mkdir()
    samples = Samples(tmp_path)
    samples.add(_fields())
    with pytest.raises(StoreBroken):
        await samples.flush()
    blocked.rmdir()
    await samples.aclose()
    assert read_samples(tmp_path, "chat") == [Sample(0.9, True)]


async def test_the_latest_stay(tmp_path: Path) -> None:
    """The file is bounded."""
    samples = Samples(tmp_path)
    samples.add(_fields())
    await samples.flush()
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("INSERT INTO samples VALUES (300000, 0, 'chat', 'r', 'shadow', 0.5, 1)")
    for _ in range(1000):
        samples.add(_fields(similarity=0.7))
    await samples.aclose()
    assert {one.similarity for one in read_samples(tmp_path, "chat")} == {0.5, 0.7}
