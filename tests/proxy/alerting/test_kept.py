"""What is kept of alerts; what comes of it is in ``test_alerts.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.alerting.kept import Alert, Found, KeptAlerts
from proxy.jobs.writer import StoreBroken


def made(name: str, told: float = 0.0) -> Alert:
    """One of a scope of its own."""
    return Alert(name, "limit.alert", name, told, b"{}")


async def test_one_process_sends(tmp_path: Path) -> None:
    """Others keep what they were told for it; when it is gone, one of them takes over."""
    first, second = KeptAlerts(tmp_path), KeptAlerts(tmp_path)
    await first.add([made("a")], {})
    assert (await first.first(0.0)).head == made("a")
    await second.add([made("b")], {"a": 1.0})
    assert await second.first(0.0) == Found()
    assert (await first.first(0.0)).head == made("b")
    await first.aclose()
    assert await second.first(0.0) == Found(made("b"), 1)
    await second.aclose()


async def test_what_was_delivered_is_known(tmp_path: Path) -> None:
    kept = KeptAlerts(tmp_path)
    await kept.add([made("a")], {"a": 1.0})
    await kept.add([made("a"), made("b")], {})
    assert await kept.first(0.0) == Found(made("b"), 1)
    await kept.aclose()


async def test_what_was_delivered_is_forgotten_after_a_month(tmp_path: Path) -> None:
    kept = KeptAlerts(tmp_path)
    await kept.add([made("a")], {"a": 1.0})
    later = made("b", 33 * 86_400.0)
    await kept.add([later], {})
    await kept.add([made("a", 33 * 86_400.0)], {"b": later.told})
    assert await kept.first(0.0) == Found(made("a", 33 * 86_400.0), 1)
    await kept.aclose()


async def test_the_old_is_given_up(tmp_path: Path) -> None:
    kept = KeptAlerts(tmp_path)
    await kept.add([made("a", 1.0), made("b", 2.0), made("c", 3.0)], {})
    assert await kept.first(3.0) == Found(made("c", 3.0), 1, 2)
    await kept.aclose()


async def test_nothing_is_made_where_nothing_is_told(tmp_path: Path) -> None:
    kept = KeptAlerts(tmp_path / "state")
    assert await kept.first(0.0) == Found()
    await kept.aclose()
    assert not (tmp_path / "state").exists()


async def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "alerts.sqlite").mkdir()
    kept = KeptAlerts(tmp_path)
    with pytest.raises(StoreBroken):
        await kept.add([made("a")], {})
    await kept.aclose()
