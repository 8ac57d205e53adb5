"""What all guards share: their options, the way through a request and an answer, and what they tell of it."""

from __future__ import annotations

import time
from abc import abstractmethod
from difflib import get_close_matches
from functools import partial
from typing import Any, ClassVar, Literal, Self

import msgspec

from policies.guardrails._stream import ERRORS, LONG, GuardFilter, why
from proxy.exchange import Exchange, Reply
from proxy.guarding.action import Action, Actions, Found, label, rewrite, settle
from proxy.guarding.carriers import Carrier, carriers, splice
from proxy.guarding.forms import form_carriers
from proxy.guarding.scanner import Pattern, Patterns, Scanner, Several, Span, problem
from proxy.guarding.verdict import Direction, Verdict
from proxy.kept import aside
from proxy.policy import CompileContext, Config, Filter, Policy

CODE = "guardrail_blocked"


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
    """A policy that scans texts. A guard of its own says what it is called and what it looks for."""

    __slots__ = ("_actions", "_allow", "_on", "_scanner", "_slot", "is_closed", "message")

    name: ClassVar[str]
    is_guard: ClassVar[bool] = True
    Config = GuardConfig

    def __init__(self, config: GuardConfig, scanner: Scanner, context: CompileContext) -> None:
        self._scanner = scanner
        self._actions = Actions(config.action, config.entities)
        self._allow = frozenset(text.casefold() for text in config.allow)
        self.is_closed = config.on_error == "closed"
        self.message = config.message or f"This was stopped by the guardrail {self.name!r}."
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
                near = get_close_matches(entity, known, 1)
                meant = f'did you mean "{near[0]}"?' if near else f"it finds {', '.join(known)}"
                context.fail(f'this guard finds no "{entity}"; {meant}', f"entities.{entity}")
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

    def prepare(self, x: Exchange, told: list[Carrier]) -> None:
        """Something was found in these texts of a request, and will be put elsewhere."""

    def put(self, x: Exchange, found: Found, text: str) -> str:
        """What is put in the place of something that is redacted or masked, in a request."""
        return label(found.span.entity)

    def put_back(self, x: Exchange, found: Found, text: str) -> str:
        """The same in an answer."""
        return label(found.span.entity)

    async def on_request(self, x: Exchange) -> Reply | None:
        seen = x.state[self._slot] = Seen()
        if "input" not in self._on or x.endpoint.operation in ("models", ""):
            return None
        verdict = seen.verdicts["input"] = Verdict("input")
        began = time.perf_counter_ns()
        try:
            reply = await self._inspect(x, verdict)
        except ERRORS as error:
            reply = self._failed(x, verdict, why(error))
        verdict.nanoseconds = time.perf_counter_ns() - began
        if reply is not None:  # who refuses is not asked to close
            self.on_close(x)
        return reply

    async def _inspect(self, x: Exchange, verdict: Verdict) -> Reply | None:
        if not x.body:
            both_ways = "messages both ways are not looked into"
            return self._failed(x, verdict, both_ways) if x.method == "WEBSOCKET" else None
        long = len(x.body) > LONG
        if x.carriers is None or x.carriers[0] is not x.body:
            places = await aside(_carriers, x) if long else _carriers(x)
            if isinstance(places, str):
                return self._failed(x, verdict, f"{places} is not looked into")
            x.carriers = x.body, places
        told: list[Carrier] = x.carriers[1]
        hits, error = await aside(self._looked, told) if long else self._looked(told)
        if error is not None and (reply := self._failed(x, verdict, why(error))) is not None:
            return reply
        if hits:
            self.prepare(x, told)
        changes: list[tuple[Carrier, str]] = []
        for carrier, found in hits:
            for one in found:
                verdict.note(one.span.entity, one.action, carrier.path)
            text = rewrite(carrier.text, found, partial(self.put, x))
            if text != carrier.text:
                changes.append((carrier, text))
        if any(one.action == "block" for _, found in hits for one in found):
            return x.refuse(400, CODE, self.message)
        if changes:
            x.body = splice(x.body, changes)
            x.chat = x.read = x.carriers = None
        return None

    def _looked(self, told: list[Carrier]) -> tuple[list[tuple[Carrier, list[Found]]], Exception | None]:
        """What is found, and what has failed: of a guard that is open then, each text that it can look into counts."""
        try:
            return self._scan(told), None
        except ERRORS as error:
            return ([] if self.is_closed else [hit for carrier in told for hit in self._tried(carrier)]), error

    def _tried(self, carrier: Carrier) -> list[tuple[Carrier, list[Found]]]:
        try:
            return self._scan([carrier])
        except ERRORS:
            return []

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
        verdict.fail(why, closed=self.is_closed)
        return x.refuse(400, CODE, self.message) if self.is_closed else None

    def open_stream(self, x: Exchange) -> Filter | None:
        scanner = self.heard(x)
        if scanner is None:
            return None
        seen: Seen = x.state[self._slot]
        verdict = seen.verdicts["output"] = Verdict("output")
        x.verdicts.append(verdict)
        return GuardFilter(self, scanner, verdict, partial(self.put_back, x))

    def heard(self, x: Exchange) -> Scanner | None:
        """What looks at the answer to a request; None if nothing does."""
        return self._scanner if "output" in self._on else None

    def on_close(self, x: Exchange) -> None:
        seen: Seen | None = x.state[self._slot]
        if seen is None or not seen.verdicts:
            return
        for direction, verdict in seen.verdicts.items():
            x.meter.guarded(x.route, self.name, direction, verdict.outcome)
            for (action, entity), count in verdict.fired.items():
                x.meter.fired(x.route, self.name, direction, entity, action, count)
        x.notes[self.name] = "; ".join(str(verdict) for verdict in seen.verdicts.values())

    def explain(self, x: Exchange) -> str:
        seen: Seen | None = x.state[self._slot]
        told = [str(verdict) for verdict in seen.verdicts.values()] if seen is not None else []
        if "output" in self._on:
            told.append(f"the answer is looked at for {len(self._scanner.entities)} kinds of things")
        return "; ".join(told)


def _carriers(x: Exchange) -> list[Carrier] | str:
    """The places of a request's text; or what it is that nobody can read."""
    kind = (x.header(b"content-type") or b"").lower()
    try:
        if x.endpoint.body == "json":
            return carriers(x.body)
        if kind.startswith(b"multipart/"):
            media = x.endpoint.name.startswith(("audio.", "images."))
            return form_carriers(x.body, x.header(b"content-type") or b"", media=media)
        if b"json" in kind:
            msgspec.json.decode(x.body, type=msgspec.Raw)
            return carriers(x.body)
    except (ValueError, RecursionError):
        return "a body that cannot be read"
    return "a body that is neither JSON nor a form"


class Seen:
    """What a guard knows of one request."""

    __slots__ = ("masks", "verdicts")

    def __init__(self) -> None:
        self.verdicts: dict[Direction, Verdict] = {}
        self.masks: Any = None  # policies.guardrails._masks.Masks, once something was masked
