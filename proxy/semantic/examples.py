"""Texts of which it is known what they are about, and what another text is most like."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from operator import mul

from proxy.exchange import Exchange
from proxy.semantic.embedder import Embedder
from proxy.semantic.memory import Vector

_AT_ONCE = 8  # vectors that a provider makes for us at the same time


class Examples:
    """Sentences of topics as vectors, which are made when the first request needs them, and again if that failed."""

    __slots__ = ("_embedder", "_likeness", "_lock", "_texts", "_vectors")

    def __init__(self, texts: Mapping[str, Sequence[str]], embedder: Embedder, likeness: float) -> None:
        self._texts = [(topic, text) for topic, known in texts.items() for text in known]
        self._embedder = embedder
        self._likeness = likeness
        self._lock = asyncio.Lock()
        self._vectors: dict[str, Vector] = {}

    async def nearest(self, x: Exchange, text: str) -> str | None:
        """The topic of the example that is most like ``text``, if it is enough; "" if none is, None if that is not
        known: there is no vector."""
        if not self._embedder.is_there or not await self._made(x):
            return None
        vector = await self._embedder.embed(x, text)
        if vector is None:
            return None
        score, topic = max((sum(map(mul, vector, self._vectors[known])), topic) for topic, known in self._texts)
        return topic if score >= self._likeness else ""

    async def _made(self, x: Exchange) -> bool:
        async with self._lock:
            missing = [text for text in dict.fromkeys(text for _, text in self._texts) if text not in self._vectors]
            for start in range(0, len(missing), _AT_ONCE):
                some = missing[start : start + _AT_ONCE]
                vectors = await asyncio.gather(*(self._embedder.embed(x, text) for text in some))
                self._vectors |= {one: vector for one, vector in zip(some, vectors, strict=True) if vector is not None}
                if None in vectors:
                    return False
        return True
