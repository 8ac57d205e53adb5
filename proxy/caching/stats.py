"""What a cache has done since its process began, and what that saved."""

from __future__ import annotations

from collections import Counter


class Stats:
    """Of one route. ``requests`` by result: hit, stale, shared (with a request in flight), miss, bypass; ``kept`` by
    what became of answers: stored, or the reason in one word."""

    __slots__ = ("kept", "requests", "saved_cost", "saved_seconds", "saved_tokens")

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self.saved_cost = 0  # nano-dollars
        self.saved_seconds = 0.0
        self.saved_tokens = 0
