"""What is done about what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from proxy.guarding.scanner import Span

Action = Literal["block", "redact", "mask_and_restore", "warn", "shadow"]
# `warn` is told in the receipt, the log and the metrics; `shadow` in the receipt and the metrics alone.
CHANGES = frozenset({"redact", "mask_and_restore"})
_STRENGTH: dict[Action, int] = {"block": 4, "redact": 3, "mask_and_restore": 2, "warn": 1, "shadow": 0}


class Actions:
    """The action for each entity."""

    __slots__ = ("_by_entity", "default")

    def __init__(self, default: Action, by_entity: Mapping[str, Action] | None = None) -> None:
        self.default = default
        self._by_entity = dict(by_entity or {})

    def of(self, entity: str) -> Action:
        """What is done about an entity."""
        return self._by_entity.get(entity, self.default)

    @property
    def used(self) -> frozenset[Action]:
        """All that may be done."""
        return frozenset((self.default, *self._by_entity.values()))


class Found(NamedTuple):
    """A span that is left when those that overlap have been settled, and what is done about it."""

    span: Span
    action: Action


def settle(spans: Sequence[Span], actions: Actions) -> list[Found]:
    """What is left of spans that overlap: nothing of any stays undone.

    One that lies within a surer one is nothing by itself. Of others the strongest action counts, for all of them
    together; between equals the longer span, then the surer one.
    """
    found: list[Found] = []
    for span in _not_within(sorted(spans)):
        mine = Found(span, actions.of(span.entity))
        if not found or span.start >= found[-1].span.end:
            found.append(mine)
            continue
        last = found[-1]
        winner = max(last, mine, key=_rank)
        found[-1] = winner._replace(span=winner.span._replace(start=last.span.start, end=max(last.span.end, span.end)))
    return found


def _not_within(spans: Sequence[Span]) -> Iterator[Span]:
    """Those of ``spans`` (by their start) that lie within no surer one; in one walk, however many they are."""
    reach: dict[float, int] = {}  # by score: how far those go that have begun
    for _, begun in groupby(spans, _start):
        together = list(begun)
        for span in together:
            reach[span.score] = max(reach.get(span.score, 0), span.end)
        for span in together:
            if not any(score > span.score and end >= span.end for score, end in reach.items()):
                yield span


def _start(span: Span) -> int:
    return span.start


def _rank(found: Found) -> tuple[int, int, float]:
    span = found.span
    return _STRENGTH[found.action], span.end - span.start, span.score


def rewrite(text: str, found: Sequence[Found], replacement: Callable[[Found, str], str]) -> str:
    """``text`` with what is redacted or masked replaced; ``replacement`` is given the span and what stands there."""
    parts: list[str] = []
    at = 0
    for one in found:
        if one.action in CHANGES:
            start, end = one.span.start, one.span.end
            parts += (text[at:start], replacement(one, text[start:end]))
            at = end
    return "".join((*parts, text[at:])) if parts else text


def label(entity: str) -> str:
    """What stands in the place of something that was redacted."""
    return f"[{entity.upper()}]"
