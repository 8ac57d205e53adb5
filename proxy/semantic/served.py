"""What was served to whom: somebody may say later that it was wrong."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from proxy.semantic.memory import Memory

NAME = "semantic served"  # under which it is shared
LABEL = "wrong_answer"  # the name under which feedback says so
MOST = 10_000  # hits that are remembered


class Hit(msgspec.Struct, frozen=True):
    """One answer that was given again. ``scope``: the team that may say something of it."""

    route: str
    scope: str
    key: bytes
    similarity: float
    memory: Memory


class Served:
    """The latest hits of this process, by the id of the request. ``is_used``: there are, or may be, such hits."""

    def __init__(self) -> None:
        self.is_used = False
        self._hits: OrderedDict[str, Hit] = OrderedDict()

    def add(self, request_id: str, hit: Hit) -> None:
        """Remember it."""
        self._hits[request_id] = hit
        if len(self._hits) > MOST:
            self._hits.popitem(last=False)

    def judge(self, request_id: str, scope: str, *, is_wrong: bool) -> Hit | None:
        """Somebody of ``scope`` says so: what is wrong is served no more. None for what is not known, or not theirs;
        each is judged once."""
        hit = self._hits.get(request_id)
        if hit is None or hit.scope != scope:
            return None
        del self._hits[request_id]
        if is_wrong:
            hit.memory.evict(hit.key)
        return hit
