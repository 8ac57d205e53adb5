"""What is known of hits: look-ups of shadow mode, and what applications say (`wrong_answer`, true or false)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from proxy.experiments.feedback import Feedback
from proxy.semantic.log import EVENT, Samples
from proxy.semantic.served import LABEL, NAME, Served

Take = Callable[[str, Callable[[], Any]], Any]  # what is shared by name, made if it is not there


class Judged:
    """Of one process. ``tell`` hears of each verdict."""

    def __init__(self, folder: Path, take: Take, tell: Callable[[str, dict[str, Any]], None]) -> None:
        self._samples = Samples(folder)
        self._served: Served = take(NAME, Served)
        self._tell = tell
        self.run = self._samples.run
        self.aclose = self._samples.aclose

    def told(self, event: str, fields: dict[str, Any]) -> None:
        """Something was reported; what is none of this is left alone."""
        if event == EVENT:
            self._samples.add(fields)

    def heard(self, said: Feedback, scope: str) -> bool:
        """Whether it was about a hit of this process that ``scope`` got. A wrong answer is served no more, and either
        verdict counts for `sluicegate cache tune`."""
        if said.name != LABEL or not isinstance(said.value, bool) or not said.request:
            return False
        hit = self._served.judge(said.request, scope, is_wrong=said.value)
        if hit is None:
            return False
        fields = {"route": hit.route, "request_id": said.request, "source": "feedback", "similarity": hit.similarity}
        self._tell(EVENT, fields | {"is_right": not said.value})
        return True
