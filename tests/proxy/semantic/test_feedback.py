"""What is said of hits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from proxy.caching.room import Caches, StoreFailed
from proxy.experiments.feedback import Feedback
from proxy.experiments.service import FeedbackUnavailable
from proxy.semantic.curve import Sample
from proxy.semantic.feedback import Judged
from proxy.semantic.log import EVENT, read_samples
from proxy.semantic.memory import Memory
from proxy.semantic.served import NAME, Hit, Served


def _judged(folder: Path) -> tuple[Judged, Served, list[tuple[str, dict[str, Any]]]]:
    served = Served()
    served.add("req_1", Hit("chat", "acme/web", b"key", 0.96, Memory(1, 1, lambda: 0.0)))
    told: list[tuple[str, dict[str, Any]]] = []

    def tell(event: str, fields: dict[str, Any]) -> None:
        told.append((event, fields))
        judged.told(event, fields)

    judged = Judged(folder, lambda name, make: served if name == NAME else make(), tell)
    return judged, served, told


async def test_a_verdict_is_recorded(tmp_path: Path) -> None:
    """Told to whoever counts, and on disk."""
    judged, _, told = _judged(tmp_path)
    assert await judged.heard(Feedback("wrong_answer", True, "req_1"), "acme/web")
    judged.told("cache.request", {})
    await judged.aclose()
    assert [event for event, _ in told] == [EVENT]
    assert read_samples(tmp_path, "chat") == [Sample(0.96, False, "feedback")]


@pytest.mark.parametrize(
    ("said", "scope"),
    [
        (Feedback("solved", True, "req_1"), "acme/web"),
        (Feedback("wrong_answer", 1.0, "req_1"), "acme/web"),
        (Feedback("wrong_answer", True, "req_2"), "acme/web"),
        (Feedback("wrong_answer", True, "req_1"), "other/ads"),
        (Feedback("wrong_answer", True, "", "subject", "experiment"), "acme/web"),
    ],
)
async def test_what_is_about_nothing_here(said: Feedback, scope: str, tmp_path: Path) -> None:
    """Somebody else may know it."""
    judged, _, told = _judged(tmp_path)
    assert not await judged.heard(said, scope)
    assert not told


class Dead:
    """In the place of a store that does not answer."""

    async def judge(self, request_id: str, scope: str, *, is_wrong: bool) -> tuple[str, float] | None:
        """Never."""
        raise StoreFailed("dead")


async def test_a_store_matters_only_to_who_has_such_a_cache(tmp_path: Path) -> None:
    """Then what is said is to be said again; what this process knows it knows without."""
    caches, served = Caches(), Served()
    caches.questions = cast(Any, Dead())
    judged = Judged(tmp_path, lambda name, make: served if name == NAME else caches, lambda event, fields: None)
    said = Feedback("wrong_answer", True, "req_1")
    assert not await judged.heard(said, "acme/web")
    served.is_used = True
    with pytest.raises(FeedbackUnavailable):
        await judged.heard(said, "acme/web")
    served.add("req_1", Hit("chat", "acme/web", b"key", 0.96, Memory(1, 1, lambda: 0.0)))
    assert await judged.heard(said, "acme/web")
