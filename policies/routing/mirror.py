"""A copy of some requests for another target, whose answers are compared and thrown away. No caller waits for that."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from msgspec.structs import replace

from proxy.background import Background
from proxy.capability import JSON_OBJECT, JSON_SCHEMA, Needs, Reach
from proxy.comparing import Aspect, Side, compare
from proxy.effects import lasting
from proxy.errors import GatewayError, UpstreamError
from proxy.exchange import Exchange
from proxy.health import Health
from proxy.policy import Answer, Choice, CompileContext, Config, Target
from proxy.price import Price
from proxy.reports import NAME as REPORTS
from proxy.reports import Reports
from proxy.units import Duration, Percent

MAX_KEPT = 1 << 20  # bytes of an answer; of a longer one no words are compared
ASPECTS: tuple[Aspect, ...] = ("status", "latency", "length", "stop", "json", "exact", "similarity", "tools")
_PATIENCE = 5.0  # seconds beyond the caller's deadline, in which the caller's own answer must have ended


class MirrorConfig(Config, frozen=True):
    """``target`` answers; ``to`` gets a copy of a ``sample`` of requests, at most ``max_in_flight`` at once."""

    target: Any
    to: Any
    sample: Percent = Percent(0.01)
    compare: tuple[Aspect, ...] = ASPECTS
    max_in_flight: int = 10
    timeout: Duration = Duration(60)


class Mirror(Target):
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
        "main",
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
        self.main = main
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
        if self._draw() >= self._sample:
            return await self.main.send(x)
        began = time.monotonic()
        try:
            answer = await self.main.send(x)
        except UpstreamError as error:
            side = Side()
            side.status, side.code, side.target = error.http_status, error.error_code, ", ".join(self.main.leaves())
            if not error.skipped:
                self._copy(x, _Kept(side, began).over())
            raise
        self._copy(x, _keep(answer, began))
        return answer

    def _copy(self, x: Exchange, kept: _Kept) -> None:
        """Begin the other one, if it may be done, and there is room."""
        twin = x.beside()
        if not self._background.start(self._shadow(twin, kept), "mirror"):
            kept.forget()
            self._count("dropped")

    async def _shadow(self, x: Exchange, kept: _Kept) -> None:
        """The whole life of a copy."""
        try:
            if await asyncio.to_thread(lasting, x) is not None:
                self._count("left_out")
                return
            patience = x.deadline + _PATIENCE
            shadow = await self._ask(x)
            try:
                async with asyncio.timeout(max(0.0, patience - time.monotonic())):
                    await kept.ended.wait()
            except TimeoutError:
                kept.is_cut = True
            if kept.is_cut:
                self._count("unfinished")
            else:
                await self._compare(x, kept.side, shadow)
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
        side.target = self._name
        answer: Answer | None = None
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self.to.send(x)
                kept = _keep(answer, began)
                side = kept.side
                if answer.body is None and answer.chunks is not None:
                    async for _ in answer.chunks:
                        if not side.is_whole:
                            break
        except TimeoutError:
            side.code = "upstream_timeout"
        except GatewayError as error:
            side.code = error.error_code
            side.status = side.status or error.http_status
        finally:
            if answer is not None and answer.close is not None:
                answer.close()
            for attempt in x.attempts:
                if attempt.ends is not None:
                    attempt.end(*(("cancelled", None) if side.code is None and not side.is_whole else _end(side.code)))
        side.status = side.status or 504
        if side.total is None:
            side.total = time.monotonic() - began
        return side

    async def _compare(self, x: Exchange, main: Side, shadow: Side) -> None:
        found = await asyncio.to_thread(self._look, x, main, shadow)
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
        main = self.main.explain(x)
        share = f"{self._sample:.1%} of requests are copied here, and compared"
        shadow = replace(self.to.explain(x), chosen=False)
        shadow = replace(shadow, why=f"{share}; answers nobody; {shadow.why}")
        return Choice("mirror", main.chosen, f"answers from {', '.join(self.main.leaves())}", (main, shadow))

    def leaves(self) -> tuple[str, ...]:
        """Of who answers."""
        return self.main.leaves()

    def healths(self) -> tuple[Health, ...]:
        """Of who answers."""
        return self.main.healths()

    def reaches(self) -> frozenset[Reach]:
        """Of who answers."""
        return self.main.reaches()

    def prices(self) -> frozenset[Price]:
        """Of who answers."""
        return self.main.prices()

    def lacks(self, needs: Needs) -> str | None:
        """What who answers cannot do."""
        return self.main.lacks(needs)


class _Kept:
    """The caller's answer as it goes by. ``ended`` when it is over; ``is_cut``: before its time."""

    __slots__ = ("_began", "_chunks", "_close", "_parts", "_size", "ended", "is_cut", "side")

    def __init__(self, side: Side, began: float) -> None:
        self.side = side
        self.ended = asyncio.Event()
        self.is_cut = False
        self._began = began
        self._parts: list[bytes] | None = []
        self._size = 0
        self._chunks: AsyncIterator[bytes] | None = None
        self._close: Callable[[], None] | None = None

    def over(self) -> _Kept:
        """It has ended well."""
        if not self.ended.is_set():
            self.side.total = time.monotonic() - self._began
            self.side.body = b"".join(self._parts or ())
            self._parts = None
            self.ended.set()
        return self

    def forget(self) -> None:
        """Nobody wants it any more; what still goes by is not kept."""
        self._parts = None
        self.side.body = b""

    def watch(self, answer: Answer) -> None:
        """See what flows, and where it ends."""
        self._chunks, self._close = cast("AsyncIterator[bytes]", answer.chunks), answer.close
        answer.chunks, answer.close = self, self.close

    def close(self) -> None:
        """Whoever reads it has had enough, or all."""
        if not self.ended.is_set():
            self.is_cut = True
            self._parts = None
            self.ended.set()
        if self._close is not None:
            self._close()

    def __aiter__(self) -> _Kept:
        return self

    async def __anext__(self) -> bytes:
        assert self._chunks is not None
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self.over()
            raise
        except GatewayError as error:
            self.side.code = error.error_code
            self.over()
            raise
        if self._parts is not None:
            self._size += len(chunk)
            self._parts.append(chunk)
            if self._size > MAX_KEPT:
                self._parts, self.side.is_whole = None, False
        return chunk


def _keep(answer: Answer, began: float) -> _Kept:
    """Have ``answer`` looked at as it passes."""
    side = Side()
    kept = _Kept(side, began)
    side.status, side.code, side.target, side.is_sse = answer.status, answer.code, answer.target, answer.is_sse
    side.first = time.monotonic() - began
    if answer.body is not None:
        kept.over()
        side.is_whole = len(answer.body) <= MAX_KEPT
        side.body = answer.body if side.is_whole else b""
    elif answer.chunks is not None:
        kept.watch(answer)
    else:  # a socket
        kept.over()
        side.is_whole = False
    return kept


def _end(code: str | None) -> tuple[str | None, str | None]:
    return (None, None) if code is None else ("error", code)
