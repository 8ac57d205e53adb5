"""What a guard has decided about one request: for the receipt, the log and the metrics. Never what it has found."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from proxy.guarding.action import Action

Direction = Literal["input", "output"]
Outcome = Literal["clean", "shadowed", "warned", "masked", "redacted", "blocked", "failed_open", "failed_closed"]

MAX_PLACES = 20  # that are told; the rest is counted
_OF_ACTION: dict[Action, Outcome] = {
    "block": "blocked",
    "redact": "redacted",
    "mask_and_restore": "masked",
    "warn": "warned",
    "shadow": "shadowed",
}
# From the least to the most.
_ORDER: tuple[Outcome, ...] = (
    "clean",
    "shadowed",
    "warned",
    "masked",
    "redacted",
    "blocked",
    "failed_open",
    "failed_closed",
)


class Verdict:
    """About one direction. ``outcome`` is the gravest of all; a guard that has failed stays failed."""

    __slots__ = ("_found", "direction", "failure", "nanoseconds", "outcome")

    def __init__(self, direction: Direction) -> None:
        self.direction = direction
        self.outcome: Outcome = "clean"
        self.nanoseconds = 0
        self.failure = ""  # why, for people
        self._found: Counter[tuple[Action, str, str]] = Counter()

    def note(self, entity: str, action: Action, where: str) -> None:
        """Something was found in a place."""
        key = (action, entity, where)
        if key not in self._found and len(self._found) >= MAX_PLACES:
            key = (action, entity, "…")
        self._found[key] += 1
        self._rise(_OF_ACTION[action])

    def fail(self, why: str, *, closed: bool) -> None:
        """The guard could not do its work."""
        self.failure = self.failure or why
        self._rise("failed_closed" if closed else "failed_open")

    def _rise(self, outcome: Outcome) -> None:
        self.outcome = max(self.outcome, outcome, key=_ORDER.index)

    @property
    def fired(self) -> dict[tuple[Action, str], int]:
        """How often an action was taken about an entity."""
        found: Counter[tuple[Action, str]] = Counter()
        for (action, entity, _), count in self._found.items():
            found[action, entity] += count
        return dict(found)

    def __str__(self) -> str:
        parts = [
            f"{action} {entity}{f' ×{count}' if count > 1 else ''} at {where}"
            for (action, entity, where), count in self._found.items()
        ]
        if self.failure:
            parts.append(self.failure)
        told = f" ({'; '.join(parts)})" if parts else ""
        return f"{self.direction} {self.outcome.replace('_', ' ')}{told} in {self.nanoseconds / 1e6:.2f} ms"
