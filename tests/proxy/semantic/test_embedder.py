"""Who makes vectors, and for how long it is waited for."""

from __future__ import annotations

import time
from typing import Any

from proxy.semantic.embedder import Embedder
from proxy.semantic.memory import Vector, unit
from tests.support.alike import AlikeContext, request


class Model:
    """In the place of a local one."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.digest = b"files"

    def embed(self, text: str) -> Vector | None:
        """After a while."""
        time.sleep(self.seconds)
        return unit([float(len(text)), 0.0])


def _embedder(target: Any = None, model: Any = None, patience: float = 10.0) -> Embedder:
    return Embedder(AlikeContext(), target, model, patience, "name")  # type: ignore[arg-type]


async def test_a_local_model_works_in_a_thread() -> None:
    """And is given up if it takes too long."""
    assert await _embedder(model=Model()).embed(request("x"), "text") == unit([1.0, 0.0])
    assert await _embedder(model=Model(0.5), patience=0.01).embed(request("x"), "text") is None


async def test_a_provider_makes_them() -> None:
    """Brought to length one; none where nobody is there."""
    context = AlikeContext()
    context.vectors["text"] = [0.0, 5.0]
    target = context.targets["up/vectors"]
    embedder = Embedder(context, target, None, 1.0, "n")  # type: ignore[arg-type]
    assert await embedder.embed(request("x"), "text") == unit([0.0, 1.0])
    nobody = _embedder()
    assert not nobody.is_there
    assert await nobody.embed(request("x"), "text") is None
