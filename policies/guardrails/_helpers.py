"""What all guards share: their options, the way through a request and an answer, and what they tell of it."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Literal, Self

from proxy.chat import Delta, Kind
from proxy.exchange import Exchange, Reply
from proxy.guarding.action import Action, Actions, Found, label, rewrite, settle
from proxy.guarding.carriers import Carrier, carriers, splice
from proxy.guarding.holdback import Holdback, Overfull
from proxy.guarding.scanner import Pattern, Patterns, Scanner, Several, Span, problem
from proxy.guarding.verdict import Direction, Verdict
from proxy.kept import aside
from proxy.policy import CompileContext, Config, Filter, Halt, Policy

CODE = "guardrail_blocked"
LONG = 4 << 10  # characters from which on a text is scanned in a thread
_ERRORS = (ValueError, KeyError, IndexError, TypeError, RecursionError, MemoryError, Overfull)


class GuardConfig(Config, frozen=True):
    """The options of every guard. ``entities``: what is done about some of what is found, where that is not
    ``action``; ``allow``: texts that are never anything; ``patterns``: more to be found, entity → RE2."""

    on: Literal["input", "output", "both"] = "both"
    action: Action = "block"
    on_error: Literal["open", "closed"] = "closed"
    entities: dict[str, Action] = {}
    allow: tuple[str, ...] = ()
    patterns: dict[str, str] = {}
    message: str = ""


class Guard(Policy):
    """A policy that scans texts. A guard of its own says what it is called and what it looks for.

    The state of a request is what the guard keeps from its input for its output (``restore``), and its verdicts.
    """

    __slots__ = ("_actions", "_allow", "_closed", "_message", "_on", "_scanner", "_slot")

    name: ClassVar[str]
    Config = GuardConfig

    def __init__(self, config: GuardConfig, scanner: Scanner, context: CompileContext) -> None:
        self._scanner = scanner
        self._actions = Actions(config.action, config.entities)
        self._allow = frozenset(text.casefold() for text in config.allow)
        self._closed = config.on_error == "closed"
        self._message = config.message or f"This was stopped by the guardrail {self.name!r}."
        self._on = frozenset(("input", "output") if config.on == "both" else (config.on,))
        self._slot = context.slot()

    @classmethod
    def compile(cls, config: Any, context: CompileContext) -> Self:
        for name, regex in config.patterns.items():
            if (wrong := problem(regex)) is not None:
                context.fail(wrong, f"patterns.{name}")
        good = [Pattern(name, regex) for name, regex in config.patterns.items() if problem(regex) is None]
        scanners: list[Scanner] = [cls.scanner(config, context)]
        if good:
            scanners.append(Patterns(good))
        scanner = scanners[0] if len(scanners) == 1 else Several(scanners)
        known = scanner.entities
        for entity in config.entities:
            if entity not in known:
                context.fail(f"this guard finds no {entity!r}; it finds {', '.join(known)}", f"entities.{entity}")
        return cls(config, scanner, context)

    @classmethod
    @abstractmethod
    def scanner(cls, config: Any, context: CompileContext) -> Scanner:
        """What finds what this guard is for."""

    def scan(self, text: str) -> list[Span]:
        """What is found in a whole text."""
        return self._scanner.scan(text)

    def spans(self, text: str, spans: list[Span]) -> list[Found]:
        """What is done about spans of a text: those that are allowed are nothing."""
        if not spans:
            return []
        if self._allow:
            spans = [span for span in spans if text[span.start : span.end].casefold() not in self._allow]
        return settle(spans, self._actions)

    def replacement(self, x: Exchange, found: Found, text: str) -> str:
        """What stands in the place of something on its way in that is redacted or masked."""
        return label(found.span.entity)

    async def on_request(self, x: Exchange) -> Reply | None:
        seen = x.state[self._slot] = _Seen()
        if "input" not in self._on or x.endpoint.operation in ("models", ""):
            return None
        verdict = seen.verdicts["input"] = Verdict("input")
        began = time.perf_counter_ns()
        try:
            return await self._inspect(x, verdict)
        except _ERRORS as error:
            return self._failed(x, verdict, f"failed: {type(error).__name__}")
        finally:
            verdict.nanoseconds = time.perf_counter_ns() - began

    async def _inspect(self, x: Exchange, verdict: Verdict) -> Reply | None:
        if not x.body:
            return (
                self._failed(x, verdict, "messages both ways are not looked into") if x.method == "WEBSOCKET" else None
            )
        if x.endpoint.body != "json":
            return self._failed(x, verdict, "a body that is no JSON is not looked into")
        long = len(x.body) > LONG
        if x.carriers is None or x.carriers[0] is not x.body:
            x.carriers = x.body, await aside(carriers, x.body) if long else carriers(x.body)
        told: list[Carrier] = x.carriers[1]
        hits = await aside(self._scan, told) if long else self._scan(told)
        changes: list[tuple[Carrier, str]] = []
        for carrier, found in hits:
            for one in found:
                verdict.note(one.span.entity, one.action, carrier.path)
            text = rewrite(carrier.text, found, lambda one, text: self.replacement(x, one, text))
            if text != carrier.text:
                changes.append((carrier, text))
        if verdict.outcome == "blocked":
            return x.refuse(400, CODE, self._message)
        if changes:
            x.body = splice(x.body, changes)
            x.chat = x.read = x.carriers = None
        return None

    def _scan(self, told: list[Carrier]) -> list[tuple[Carrier, list[Found]]]:
        return [
            (carrier, found)
            for carrier in told
            if self.looks_at(carrier) and (found := self.spans(carrier.text, self._scanner.scan(carrier.text)))
        ]

    def looks_at(self, carrier: Carrier) -> bool:
        """Whether this place of a request is any of the guard's business."""
        return True

    def _failed(self, x: Exchange, verdict: Verdict, why: str) -> Reply | None:
        """What happens where the guard could not do its work."""
        verdict.fail(why, closed=self._closed)
        return x.refuse(400, CODE, self._message) if self._closed else None

    def open_stream(self, x: Exchange) -> Filter | None:
        if "output" not in self._on:
            return None
        seen: _Seen = x.state[self._slot]
        verdict = seen.verdicts["output"] = Verdict("output")
        return GuardFilter(self, x, verdict)

    def on_close(self, x: Exchange) -> None:
        seen: _Seen | None = x.state[self._slot]
        if seen is None:
            return
        for direction, verdict in seen.verdicts.items():
            x.meter.guarded(x.route, self.name, direction, verdict.outcome)
            for (action, entity), count in verdict.fired.items():
                x.meter.fired(x.route, self.name, direction, entity, action, count)
        x.notes[self.name] = "; ".join(str(verdict) for verdict in seen.verdicts.values())

    def explain(self, x: Exchange) -> str:
        seen: _Seen | None = x.state[self._slot]
        told = [str(verdict) for verdict in seen.verdicts.values()] if seen is not None else []
        if "output" in self._on:
            told.append(f"the answer is looked at for {len(self._scanner.entities)} kinds of things")
        return "; ".join(told)


class _Seen:
    """What a guard knows of one request."""

    __slots__ = ("restored", "verdicts")

    def __init__(self) -> None:
        self.verdicts: dict[Direction, Verdict] = {}
        self.restored: dict[str, str] = {}  # what stands in place of something → that


class GuardFilter:
    """One answer's texts under a guard, block by block."""

    __slots__ = ("_blocks", "_guard", "_halted", "_verdict", "_x")

    def __init__(self, guard: Guard, x: Exchange, verdict: Verdict) -> None:
        self._guard = guard
        self._x = x
        self._verdict = verdict
        self._blocks: dict[tuple[int, int], tuple[Holdback, Kind]] = {}
        self._halted = False

    def feed(self, delta: Delta) -> list[Delta | Halt] | Awaitable[list[Delta | Halt]]:
        """See ``proxy.policy.Filter``."""
        key = delta.choice, delta.block
        if key not in self._blocks:
            self._blocks[key] = Holdback(self._guard._scanner), delta.kind
        holdback, _ = self._blocks[key]
        if len(delta.text) > LONG:
            return self._aside(key, delta.kind, lambda: holdback.feed(delta.text))
        return self._timed(key, delta.kind, lambda: holdback.feed(delta.text))

    def close(self, choice: int, block: int) -> list[Delta | Halt] | Awaitable[list[Delta | Halt]]:
        """See ``proxy.policy.Filter``."""
        held = self._blocks.pop((choice, block), None)
        if held is None:
            return []
        holdback, kind = held
        work = self._aside if holdback.held > LONG else self._timed
        return work((choice, block), kind, holdback.finish)

    def unread(self, what: str) -> Halt | None:
        """See ``proxy.policy.Filter``."""
        return self._fail(f"{what} is not looked into")

    async def _aside(self, key: tuple[int, int], kind: Kind, work: Callable[[], Any]) -> list[Delta | Halt]:
        return await aside(self._timed, key, kind, work)

    def _timed(self, key: tuple[int, int], kind: Kind, work: Callable[[], Any]) -> list[Delta | Halt]:
        began = time.perf_counter_ns()
        try:
            text, spans = work()
            return self._act(key, kind, text, spans)
        except _ERRORS as error:
            halt = self._fail(f"failed: {error if isinstance(error, Overfull) else type(error).__name__}")
            return [] if halt is None else [halt]
        finally:
            self._verdict.nanoseconds += time.perf_counter_ns() - began

    def _act(self, key: tuple[int, int], kind: Kind, text: str, spans: list[Span]) -> list[Delta | Halt]:
        found = self._guard.spans(text, spans)
        for at, one in enumerate(found):
            self._verdict.note(one.span.entity, one.action, f"choice {key[0]} {kind}")
            if one.action == "block":
                before = rewrite(text[: one.span.start], found[:at], _label)
                told: list[Delta | Halt] = [Delta(key[0], kind, before, key[1])] if before else []
                return [*told, Halt(self._guard._message)]
        text = rewrite(text, found, _label) if found else text
        return [Delta(key[0], kind, text, key[1])] if text else []

    def _fail(self, why: str) -> Halt | None:
        closed = self._guard._closed
        self._verdict.fail(why, closed=closed)
        return Halt(self._guard._message) if closed else None


def _label(found: Found, text: str) -> str:
    return label(found.span.entity)
