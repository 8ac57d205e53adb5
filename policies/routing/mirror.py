"""A copy of some requests for another target, whose answers are compared and thrown away. No caller waits for that."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from proxy.around import Around
from proxy.background import Background
from proxy.choosing.capability import JSON_OBJECT, JSON_SCHEMA
from proxy.choosing.comparing import Aspect, Side, compare
from proxy.choosing.effects import lasting
from proxy.errors import GatewayError, UpstreamError
from proxy.exchange import Exchange
from proxy.kept import Kept, aside, within
from proxy.policy import Answer, Choice, CompileContext, Config, Target
from proxy.reports import NAME as REPORTS
from proxy.reports import Reports
from proxy.units import Duration, Percent

ASPECTS: tuple[Aspect, ...] = ("status", "latency", "cost", "length", "stop", "json", "exact", "similarity", "tools")
_PATIENCE = 5.0  # seconds beyond the caller's deadline, in which the caller's own answer must have ended


class MirrorConfig(Config, frozen=True):
    """``target`` answers; ``to`` gets a copy of a ``sample`` of requests, at most ``max_in_flight`` at once."""

    target: Any
    to: Any
    sample: Percent = Percent(0.01)
    compare: tuple[Aspect, ...] = ASPECTS
    max_in_flight: int = 10
    timeout: Duration = Duration(60)


class Mirror(Around):
    """What it can do, and how it is, is told of ``target`` alone: the other one answers nobody."""

    __slots__ = (
        "_aspects",
        "_background",
        "_context",
        "_draw",
        "_name",
        "_reports",
        "_sample",
        "_timeout",
        "to",
    )

    Config = MirrorConfig

    def __init__(
        self,
        main: Target,
        to: Target,
        config: MirrorConfig,
        context: CompileContext,
        background: Background,
        reports: Reports,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(main)
        self.to = to
        self._sample = float(config.sample)
        self._aspects = frozenset(config.compare)
        self._timeout = float(config.timeout)
        self._context = context
        self._background = background
        self._reports = reports
        self._draw = draw
        self._name = ", ".join(to.leaves())

    @classmethod
    def compile(cls, config: MirrorConfig, context: CompileContext) -> Target | None:
        main, to = context.target(config.target, "target"), context.target(config.to, "to")
        if main is None or to is None:  # with nobody to compare with, it is the target alone
            return main
        limit = config.max_in_flight
        name = f"mirror {context.route} {'+'.join((*main.leaves(), *to.leaves()))} {limit}"
        background = context.shared(name, lambda: Background(limit))
        return cls(main, to, config, context, background, context.shared(REPORTS, Reports))

    async def send(self, x: Exchange) -> Answer:
        if self._draw() >= self._sample or self.to.off(x) is not None:
            return await self.inner.send(x)
        began = time.monotonic()
        try:
            answer = await self.inner.send(x)
        except UpstreamError as error:
            if not error.skipped:
                self._copy(x, self._failed(error, began))
            raise
        self._copy(x, Kept.of(answer, began))
        return answer

    def _failed(self, error: UpstreamError, began: float) -> Kept:
        """There is no answer to look at."""
        kept = Kept(began)
        kept.side.status, kept.side.code = error.http_status, error.error_code
        kept.side.target = ", ".join(self.inner.leaves())
        kept.over()
        return kept

    def _copy(self, x: Exchange, kept: Kept) -> None:
        """Begin the other one, if it may be done, and there is room."""
        twin = x.beside()
        twin.variant = "mirror"
        kept.side.attempts = x.attempts
        if not self._background.start(self._shadow(twin, kept), "mirror"):
            kept.forget()
            self._count("dropped")

    async def _shadow(self, x: Exchange, kept: Kept) -> None:
        """The whole life of a copy."""
        try:
            if await aside(lasting, x) is not None:
                self._count("left_out")
                return
            patience = x.deadline + _PATIENCE
            shadow = await self._ask(x)
            if await kept.ended(patience - time.monotonic()):
                await self._compare(x, kept.side, shadow)
            else:
                self._count("unfinished")
        except Exception as error:
            self._reports.tell("mirror.crashed", route=x.route, target=self._name, error=type(error).__name__)
        finally:
            kept.forget()

    async def _ask(self, x: Exchange) -> Side:
        """The other answer, read to its end, with a time and attempts of its own."""
        began = time.monotonic()
        x.request_id += "-shadow"
        x.deadline = began + self._timeout
        x.trial, x.line, x.jobs, x.reply_headers, x.state = False, None, None, [], list(x.state)
        x.conversations = None  # it leaves nothing behind for later requests
        x.notes["mirror"] = "a copy"
        side = Side()
        try:
            await within(self._timeout, self._read(x, side, began))
        except TimeoutError:
            side.code = "upstream_timeout"
            side.status = side.status or 504
        except GatewayError as error:
            side.code = error.error_code
            side.status = side.status or error.http_status
        finally:
            side.target, side.attempts = self._name, x.attempts
            _end(x, side)
        if side.total is None:
            side.total = time.monotonic() - began
        return side

    async def _read(self, x: Exchange, side: Side, began: float) -> None:
        """Send, and read what comes of it, as far as it is kept."""
        answer = await self.to.send(x)
        try:
            Kept.of(answer, began, side)
            if answer.chunks is not None:
                async for _ in answer.chunks:
                    if not side.is_whole:
                        break
        finally:
            if answer.close is not None:
                answer.close()

    async def _compare(self, x: Exchange, main: Side, shadow: Side) -> None:
        found = await aside(self._look, x, main, shadow)
        result = "compared" if shadow.code is None and shadow.is_whole else "failed" if shadow.code else "too_long"
        attempts = [[attempt.target, attempt.reason or attempt.outcome] for attempt in x.attempts]
        self._reports.tell(
            "mirror.compared",
            request_id=x.request_id,
            route=x.route,
            main=main.target,
            target=self._name,
            result=result,
            code=shadow.code,
            attempts=attempts,
            **found,
        )

    def _look(self, x: Exchange, main: Side, shadow: Side) -> dict[str, Any]:
        """In a thread: long answers take a while to read."""
        for side in (main, shadow):
            if side.code is None and side.is_whole:
                side.completion = self._context.completion(x, side.body, is_sse=side.is_sse)
        is_json = bool(self._context.needs(x).bits & (JSON_OBJECT | JSON_SCHEMA))
        return compare(main, shadow, self._aspects, is_json=is_json)

    def _count(self, result: str) -> None:
        self._reports.tell("mirror.left", route=self._context.route, target=self._name, result=result)

    def explain(self, x: Exchange) -> Choice:
        main = self.inner.explain(x)
        share = f"{self._sample * 100:g}% of requests are copied here, and compared"
        shadow = replace(self.to.explain(x), chosen=False)
        shadow = replace(shadow, why=self.to.off(x) or f"{share}; answers nobody; {shadow.why}")
        return Choice("mirror", main.chosen, f"answers from {', '.join(self.inner.leaves())}", (main, shadow))


def _end(x: Exchange, side: Side) -> None:
    """The attempts of a copy are over with its answer."""
    changed: tuple[str | None, str | None] = ("error", side.code) if side.code is not None else (None, None)
    if not side.is_whole:
        changed = "cancelled", None
    for attempt in x.attempts:
        if attempt.ends is not None:
            attempt.end(*changed)
