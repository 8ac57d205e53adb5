"""How many requests a second this process can answer, from what its answers have cost of the processor's time.

That is known before there is any overload, and does not fall with it: a process that has too much to do answers late,
and what it answers says little of what it could.
"""

from __future__ import annotations

import math

MEMORY = 2.0  # seconds in which what was measured loses most of its weight
_SHORT = 0.3  # the same for how busy the process is
_ENOUGH = 50.0  # answers, decayed, from which on they tell something: the first ones cost more than all others
_DEARER = 1.5  # times as much as before, at most, from one look to the next
REFUSAL = 25e-6  # seconds of the processor for one refusal: read, judge, write


class Capacity:
    """``busy``: share of one core that this process uses now. ``cost``: seconds of it for an answer, the last that was
    known; 0.0 before the first. ``refused``: requests a second."""

    __slots__ = ("_answered", "_spent", "busy", "cost", "refused")

    def __init__(self) -> None:
        self._spent = 0.0
        self._answered = 0.0
        self.busy = self.cost = self.refused = 0.0

    def add(self, processor: float, answered: int, refused: int, seconds: float) -> None:
        """What happened within ``seconds``: seconds of the processor, answers given, requests refused."""
        fade = math.exp(-seconds / MEMORY)
        self._spent = self._spent * fade + max(0.0, processor - refused * REFUSAL)
        self._answered = self._answered * fade + answered
        if answered and self._answered >= _ENOUGH:
            found = self._spent / self._answered
            # After a standstill the first answers seem to have cost all of it.
            self.cost = min(found, _DEARER * self.cost) if self.cost else found
        new = 1.0 - math.exp(-seconds / _SHORT)
        self.busy += new * (processor / seconds - self.busy)
        self.refused += new * (refused / seconds - self.refused)

    def rate(self, share: float) -> float:
        """Answers a second with that share of a core; infinite while nothing is known."""
        if not self.cost:
            return math.inf
        return max(0.0, min(1.0, share) - self.refused * REFUSAL) / self.cost
