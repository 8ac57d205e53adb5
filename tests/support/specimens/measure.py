"""How much of what was made up a guard finds, and how much else it takes for something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random

from policies.guardrails._helpers import Guard

Make = Callable[[Random], str]


def covered(guard: Guard, text: str, value: str) -> bool:
    """Whether nothing of ``value`` would be left of ``text``."""
    begin = text.index(value)
    return any(
        one.span.start <= begin and begin + len(value) <= one.span.end for one in guard.spans(text, guard.scan(text))
    )


def missed(guard: Guard, random: Random, makes: Iterable[Make], around: Sequence[str], rounds: int) -> list[str]:
    """Texts in which something was not found, of ``rounds`` for each kind."""
    found = []
    for make in makes:
        for _ in range(rounds):
            value = make(random)
            text = random.choice(around).format(value)
            if not covered(guard, text, value):
                found.append(text)
    return found


def mistaken(guard: Guard, random: Random, makes: Iterable[Make], around: Sequence[str], rounds: int) -> list[str]:
    """Texts in which something was found that is not there."""
    texts = [random.choice(around).format(make(random)) for make in makes for _ in range(rounds)]
    return [text for text in texts if guard.scan(text)]
