"""What a stranger can tell of kept answers, by all that can be seen; and that the measure tells a leak. CAC-05."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.bench.cache_wire import HEALTH, auc, paced, running, told_apart
from tests.support.scale import SOAK, often

MOST = 0.55  # promised; of 2,000 samples that chance alone orders, fewer than one run in ten thousand is beyond it
SEEN = ("names of headers", "x-sluicegate-cache", "size of the answer")


def test_the_measure() -> None:
    """Certainty in either order, chance where nothing differs, and something between."""
    assert auc([1.0, 2.0], [3.0, 4.0]) == auc([3.0, 4.0], [1.0, 2.0]) == 1.0
    assert auc([1.0, 1.0], [1.0, 1.0, 1.0]) == 0.5
    assert auc([1.0, 3.0], [2.0, 4.0]) == 0.75
    draw = random.Random(3)
    ones, others = ([draw.random() for _ in range(1000)] for _ in range(2))
    assert auc(ones, others) < MOST < auc(ones, [value + 0.2 for value in others])


@pytest.mark.soak
@pytest.mark.parametrize("shared", [False, True], ids=["memory", "valkey"])
def test_a_stranger_tells_nothing_apart(shared: bool, tmp_path: Path) -> None:
    """Nor by the time, as far as chance lets that be said. Where everybody shares, it is plain to see."""
    samples = often(30, 2000)
    with running(tmp_path / "run", shared=shared) as gateway:
        own, everybody = told_apart(gateway, "own", samples), told_apart(gateway, "all", often(30, 200))
        assert len(paced(gateway.port, [HEALTH] * 20, 4)) == 20
    assert {name: own[name] for name in SEEN} == dict.fromkeys(SEEN, 0.5)
    assert everybody["x-sluicegate-cache"] > 0.9
    if SOAK:
        assert max(own.values()) <= MOST
        assert everybody["time to the first byte"] > 0.8
