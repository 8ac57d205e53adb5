"""One answer's texts under a guard, block by block."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from proxy.chat import Delta, Kind
from proxy.guarding.action import CHANGES, Found, rewrite
from proxy.guarding.escaped import Escaped
from proxy.guarding.holdback import Decided, Holdback, Overfull
from proxy.guarding.scanner import Scanner, Span, TooMany
from proxy.guarding.verdict import Verdict
from proxy.kept import aside
from proxy.policy import Halt

LONG = 4 << 10  # characters from which on a text is scanned in a thread
RESTORE = "restore"  # the kind of what stands for something that was masked
# What a scanner may fail with: its guard says then that it has failed, and never that all is well.
ERRORS = (ValueError, LookupError, TypeError, ArithmeticError, RecursionError, MemoryError, Overfull, TooMany)

Told = list[Delta | Halt]


def why(error: Exception) -> str:
    """Why a guard has failed, for people; of what it was reading nothing."""
    return f"failed: {error if isinstance(error, (Overfull, TooMany)) else type(error).__name__}"


class Judge(Protocol):
    """Who decides about spans."""

    message: str
    is_closed: bool

    def spans(self, text: str, spans: list[Span]) -> list[Found]:
        """What is done about spans of a text."""


class _Block:
    """One text as it flows; arguments of tools are read as what they say."""

    __slots__ = ("_escaped", "_holdback", "kind")

    def __init__(self, scanner: Scanner, kind: Kind) -> None:
        self.kind = kind
        self._holdback = Holdback(scanner)
        self._escaped = Escaped() if kind == "arguments" else None

    @property
    def held(self) -> int:
        return self._holdback.held

    def feed(self, piece: str) -> Decided:
        return self._holdback.feed(piece if self._escaped is None else self._escaped.read(piece))

    def finish(self) -> Decided:
        if self._escaped is not None and (rest := self._escaped.finish()):
            begun, ended = self._holdback.feed(rest), self._holdback.finish()
            moved = [
                span._replace(start=span.start + len(begun.text), end=span.end + len(begun.text))
                for span in ended.spans
            ]
            return Decided(begun.text + ended.text, begun.spans + moved)
        return self._holdback.finish()

    def release(self) -> str:
        """All that came and was not yet told: it could not be looked into."""
        held = self._holdback.release()
        return held if self._escaped is None else self._escaped.written(held + self._escaped.finish())

    def rewrite(self, text: str, found: Sequence[Found], replacement: Callable[[Found, str], str]) -> str:
        """What is told of a decided text."""
        escaped = self._escaped
        if escaped is None:
            return rewrite(text, found, replacement) if found else text
        parts: list[str] = []
        at = 0
        for one in found:
            if one.action in CHANGES:
                start, end = one.span.start, one.span.end
                parts.append(escaped.written(text[at:start]))
                put = escaped.put(replacement(one, text[start:end]))
                escaped.written(text[start:end])
                parts.append(put)
                at = end
        return "".join((*parts, escaped.written(text[at:])))


class GuardFilter:
    """See ``proxy.policy.Filter``. ``restored``: what stands in place of something → that."""

    __slots__ = ("_blocks", "_judge", "_replacement", "_scanner", "_verdict")

    def __init__(
        self, judge: Judge, scanner: Scanner, verdict: Verdict, replacement: Callable[[Found, str], str]
    ) -> None:
        self._judge = judge
        self._scanner = scanner
        self._verdict = verdict
        self._replacement = replacement
        self._blocks: dict[tuple[int, int], _Block] = {}

    def feed(self, delta: Delta) -> Told | Awaitable[Told]:
        """What is decided now."""
        key = delta.choice, delta.block
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = _Block(self._scanner, delta.kind)
        if len(delta.text) > LONG:
            return aside(self._timed, key, block, block.feed, delta.text)
        return self._timed(key, block, block.feed, delta.text)

    def close(self, choice: int, block: int) -> Told | Awaitable[Told]:
        """The rest of a block."""
        key = choice, block
        held = self._blocks.pop(key, None)
        if held is None:
            return []
        if held.held > LONG:
            return aside(self._timed, key, held, held.finish)
        return self._timed(key, held, held.finish)

    def unread(self, what: str) -> Halt | None:
        """It is not known what that holds."""
        return self._fail(f"{what} is not looked into")

    def _timed(self, key: tuple[int, int], block: _Block, work: Callable[..., Decided], *pieces: str) -> Told:
        began = time.perf_counter_ns()
        try:
            text, spans = work(*pieces)
            return self._act(key, block, text, spans)
        except ERRORS as error:
            halt = self._fail(why(error))
            told = block.release()
            return [halt] if halt is not None else [Delta(key[0], block.kind, told, key[1])] if told else []
        finally:
            self._verdict.nanoseconds += time.perf_counter_ns() - began

    def _act(self, key: tuple[int, int], block: _Block, text: str, spans: list[Span]) -> Told:
        if not text:
            return []
        found = self._judge.spans(text, spans) if spans else []
        halt: Halt | None = None
        for at, one in enumerate(found):
            if one.span.entity != RESTORE:
                self._verdict.note(one.span.entity, one.action, f"choice {key[0]} {block.kind}")
            if one.action == "block":
                text, found = text[: one.span.start], found[:at]
                halt = Halt(self._judge.message)
                break
        told = block.rewrite(text, found, self._replacement)
        deltas: Told = [Delta(key[0], block.kind, told, key[1])] if told else []
        return deltas if halt is None else [*deltas, halt]

    def _fail(self, why: str) -> Halt | None:
        self._verdict.fail(why, closed=self._judge.is_closed)
        return Halt(self._judge.message) if self._judge.is_closed else None
