"""What applications say of answers that were given again: `wrong_answer`, true or false."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proxy.experiments.feedback import Feedback
from proxy.semantic.log import EVENT
from proxy.semantic.served import LABEL, Served


def said_of_hit(served: Served, tell: Callable[[str, dict[str, Any]], None], said: Feedback, scope: str) -> bool:
    """Whether it was about a hit of this process that ``scope`` got. A wrong answer is served no more, and either
    counts for `sluicegate cache tune`."""
    if said.name != LABEL or not isinstance(said.value, bool) or not said.request:
        return False
    hit = served.judge(said.request, scope, is_wrong=said.value)
    if hit is None:
        return False
    fields = {"route": hit.route, "request_id": said.request, "source": "feedback", "similarity": hit.similarity}
    tell(EVENT, fields | {"is_right": not said.value})
    return True
