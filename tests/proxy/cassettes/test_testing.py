"""What applications import for their tests. That it serves is shown by the example's own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.cassettes.testing import recorded, replayed


def test_what_is_wrong_with_a_cassette_is_raised(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"none\.yaml: there is no such cassette"), replayed(tmp_path / "none.yaml"):
        raise AssertionError("it started")


def test_so_is_a_wrong_use(tmp_path: Path) -> None:
    wrong = recorded(tmp_path / "c.yaml", "http://127.0.0.1:9/v1", speed="fast")
    with pytest.raises(RuntimeError, match="'fast' is no speed"), wrong:
        raise AssertionError("it started")
