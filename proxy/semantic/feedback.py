"""What is known of hits: look-ups of shadow mode, and what applications say (`wrong_answer`, true or false)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from proxy.caching.room import NAME as CACHE
from proxy.caching.room import Caches, StoreFailed
from proxy.experiments.feedback import Feedback
from proxy.experiments.service import FeedbackUnavailable
from proxy.semantic.log import EVENT, Samples
from proxy.semantic.served import LABEL, NAME, Served

Take = Callable[[str, Callable[[], Any]], Any]  # what is shared by name, made if it is not there


class Judged:
    """Of one process. ``tell`` hears of each verdict."""

    def __init__(self, folder: Path, take: Take, tell: Callable[[str, dict[str, Any]], None]) -> None:
        self._samples = Samples(folder)
        self._served: Served = take(NAME, Served)
        self._caches: Caches = take(CACHE, Caches)
        self._tell = tell
        self.run = self._samples.run
        self.aclose = self._samples.aclose

    def told(self, event: str, fields: dict[str, Any]) -> None:
        """Something was reported; what is none of this is left alone."""
        if event == EVENT:
            self._samples.add(fields)

    async def heard(self, said: Feedback, scope: str) -> bool:
        """Whether it was about a hit that ``scope`` got, of this process or, where they share, of any replica. A wrong
        answer is served no more, and either verdict counts for `sluicegate cache tune`.

        Raises:
            FeedbackUnavailable: the store does not say now.
        """
        if said.name != LABEL or not isinstance(said.value, bool) or not said.request:
            return False
        hit = self._served.judge(said.request, scope, is_wrong=said.value)
        found = (hit.route, hit.similarity) if hit is not None else await self._elsewhere(said, scope)
        if found is None:
            return False
        fields = {"route": found[0], "request_id": said.request, "source": "feedback", "similarity": found[1]}
        self._tell(EVENT, fields | {"is_right": not said.value})
        return True

    async def _elsewhere(self, said: Feedback, scope: str) -> tuple[str, float] | None:
        questions = self._caches.questions
        if questions is None or not self._served.is_used:  # whoever has no such cache needs no store for feedback
            return None
        try:
            return await questions.judge(said.request, scope, is_wrong=bool(said.value))
        except StoreFailed as error:
            raise FeedbackUnavailable("The store cannot be asked now; try again later.") from error
