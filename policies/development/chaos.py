"""Faults on purpose: what providers and networks do to applications, as often as somebody wants. Seeded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal, Self

import msgspec

from policies.development._damage import Damaged, Garbled, garble, half
from policies.development._helpers import Conditions, Counter, chance
from proxy.chat import Choice, Completion, Part, Refusal, Usage
from proxy.exchange import RESET, Exchange, Reply
from proxy.kept import pause
from proxy.policy import Answer, CompileContext, Config, Policy
from proxy.units import Duration, Percent

ID = b"x-request-id"  # a request that has one meets the same faults whenever it comes
REFUSAL = "I'm sorry, but I can't help with that."
CODE = "connection_reset"
Name = Literal[
    "latency",
    "rate_limited",
    "status",
    "reset",
    "empty",
    "refusal",
    "slow_tokens",
    "cut",
    "malformed_tool_arguments",
]
# Which fault a setting belongs to, and what it is where the file does not say.
_OWN = {"delay": "latency", "retry_after": "rate_limited", "status": "status", "every": "slow_tokens", "after": "cut"}
_DELAY, _RETRY_AFTER, _STATUS, _EVERY, _AFTER = "2s", Duration(20), 503, Duration(0.3), "20 tokens"
_OF_THE_ANSWER = frozenset({"slow_tokens", "cut", "malformed_tool_arguments"})
_OF_SOCKETS = frozenset({"latency", "rate_limited", "status"})
_LONGEST = 600.0  # seconds


class ScheduleConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"for_": "for"}):
    """The first ``for`` of each ``every``, counted from the epoch."""

    every: Duration
    for_: Duration


class FaultConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fault. All conditions must hold; the settings after them belong to one fault each."""

    fault: Name
    probability: Percent = Percent(1.0)
    header: dict[str, str] = {}
    keys: tuple[str, ...] = ()
    schedule: ScheduleConfig | None = None
    delay: str | None = None
    retry_after: Duration | None = None
    status: int | None = None
    every: Duration | None = None
    after: str | None = None


class ChaosConfig(Config, frozen=True):
    """``seed`` decides which requests are met. ``allow``: also where other machines can reach the gateway; that is
    looked at by the check of the file."""

    faults: tuple[FaultConfig, ...]
    seed: int = 0
    allow: bool = False


class Fault:
    """One fault, compiled. ``delay``: seconds, at least and at most; ``after``: tokens."""

    __slots__ = ("after", "at", "conditions", "delay", "every", "name", "retry_after", "status")

    def __init__(self, at: int, config: FaultConfig, delay: tuple[float, float]) -> None:
        schedule = config.schedule
        self.at = at
        self.name = config.fault
        self.delay = delay
        self.retry_after = float(config.retry_after or _RETRY_AFTER)
        self.status = config.status or _STATUS
        self.every = float(config.every or _EVERY)
        self.after = int((config.after or _AFTER).split()[0])
        self.conditions = Conditions(
            float(config.probability),
            tuple((name.lower().encode(), value.encode()) for name, value in config.header.items()),
            config.keys,
            None if schedule is None else (float(schedule.every), float(schedule.for_)),
        )


class Chaos(Policy):
    """Decides for each request which faults it meets. First it waits, then the first fault that answers does; without
    any it goes its way, and its answer is damaged."""

    __slots__ = ("_answers", "_context", "_counter", "_faults", "_seed", "_slot")

    Config = ChaosConfig

    def __init__(self, faults: tuple[Fault, ...], seed: int, context: CompileContext) -> None:
        self._faults = faults
        self._seed = seed
        self._context = context
        self._slot = context.slot()
        self._counter = context.shared(f"chaos {context.route} {seed}", Counter)
        self._answers: dict[str, Callable[[Exchange, Fault], Reply | None]] = {
            "rate_limited": _rate_limited,
            "status": _failed,
            "reset": _reset,
            "empty": partial(self._said, ()),
            "refusal": partial(self._said, (Refusal(REFUSAL),)),
        }

    @classmethod
    def compile(cls, config: ChaosConfig, context: CompileContext) -> Self:
        faults = tuple(_compiled(at, fault, context) for at, fault in enumerate(config.faults))
        return cls(faults, config.seed, context)

    async def on_request(self, x: Exchange) -> Reply | None:
        which = (x.header(ID) or b"").decode("latin-1") or self._counter.next()
        met = [fault for fault in self._faults if self._meets(fault, x, which)]
        for fault in met:
            if fault.name == "latency":
                await self._wait(x, fault, which)
        for fault in met:
            make = self._answers.get(fault.name)
            reply = None if make is None else make(x, fault)
            if reply is not None:
                self._tell(x, fault.name)
                return reply
        x.state[self._slot] = [fault for fault in met if fault.name in _OF_THE_ANSWER]
        return None

    def _meets(self, fault: Fault, x: Exchange, which: str) -> bool:
        if x.method == "WEBSOCKET" and fault.name not in _OF_SOCKETS:
            return False
        drawn = chance(self._seed, which, str(fault.at))
        return fault.conditions.hold(x, drawn, self._context.now())

    async def _wait(self, x: Exchange, fault: Fault, which: str) -> None:
        """Not beyond the deadline: what is late then is refused as such."""
        least, most = fault.delay
        seconds = least + (most - least) * chance(self._seed, which, f"{fault.at} delay")
        began = time.monotonic()
        self._tell(x, fault.name)
        await pause(max(0.0, min(seconds, x.deadline - began)))
        x.upstream_wait += time.monotonic() - began  # no time of the gateway's own

    def _said(self, parts: Iterable[Part], x: Exchange, _: Fault) -> Reply | None:
        """As if the model had said that; None for what is no conversation."""
        parts = list(parts)
        choice = Choice(parts=parts, stop="refusal" if parts else "stop")
        return self._context.reply(x, Completion(id="", model="", choices=[choice], usage=Usage()), stream=x.stream)

    async def on_response(self, x: Exchange, answer: Answer) -> None:
        faults: list[Fault] | None = x.state[self._slot]
        if not faults or answer.code is not None or answer.status != 200 or answer.socket is not None:
            return
        if any(fault.name == "malformed_tool_arguments" for fault in faults):
            self._garble(x, answer)
        every = next((fault.every for fault in faults if fault.name == "slow_tokens"), None)
        after = next((fault.after for fault in faults if fault.name == "cut"), None)
        hang_up = partial(self._hang_up, x, answer)
        if answer.chunks is not None and (every is not None or after is not None):
            pieces = self._context.pieces(x) if answer.is_sse else None
            slow = partial(self._tell, x, "slow_tokens")
            answer.chunks = Damaged(answer.chunks, pieces, every, after, slow, hang_up)
        elif answer.body is not None and after is not None:
            answer.chunks, answer.body = half(answer.body, hang_up), None

    def _garble(self, x: Exchange, answer: Answer) -> None:
        """Break the arguments of tools, where the answer has any."""
        tell = partial(self._tell, x, "malformed_tool_arguments")
        if answer.chunks is not None:
            pieces = self._context.pieces(x) if answer.is_sse else None
            if pieces is not None:
                answer.chunks = Garbled(answer.chunks, pieces, tell)
        elif answer.body is not None:
            completion = self._context.completion(x, answer.body, is_sse=x.stream)
            if completion is not None and garble(completion):
                reply = self._context.reply(x, completion, stream=x.stream)
                answer.body = answer.body if reply is None else reply.body
                tell()

    def _hang_up(self, x: Exchange, answer: Answer) -> None:
        """The provider did nothing wrong: it is paid for what it said, and not thought less of."""
        self._tell(x, "cut")
        if answer.close is not None:
            answer.close()
        for attempt in x.attempts:
            if attempt.ends is not None:
                attempt.end("cancelled", "chaos")

    def _tell(self, x: Exchange, fault: str) -> None:
        """A fault has happened, which counts once for a request."""
        known = x.notes.get("chaos")
        if known is None or fault not in known.split(", "):
            x.notes["chaos"] = fault if known is None else f"{known}, {fault}"
            self._context.tell("chaos.fault", route=self._context.route, fault=fault)

    def explain(self, x: Exchange) -> str:
        return "; ".join(f"{fault.name} for {fault.conditions}" for fault in self._faults)


def _compiled(at: int, config: FaultConfig, context: CompileContext) -> Fault:
    """One fault, and what is wrong with it."""
    place = f"faults[{at}]"
    for setting, name in _OWN.items():
        if getattr(config, setting) is not None and config.fault != name:
            context.fail(
                f"`{setting}` belongs to `fault: {name}`; a `{config.fault}` has no such setting", f"{place}.{setting}"
            )
    schedule = config.schedule
    if schedule is not None and schedule.for_ >= schedule.every:
        context.fail("`for` must be shorter than `every`; without a `schedule` it is always", f"{place}.schedule.for")
    delay = (0.0, 0.0)
    try:
        least, _, most = (config.delay or _DELAY).partition("..")
        delay = (float(Duration.parse(least)), float(Duration.parse(most or least)))
    except ValueError as error:
        context.fail(str(error), f"{place}.delay")
    if not delay[0] <= delay[1] <= _LONGEST:
        context.fail("a delay is at most 10m, and goes from a shorter to a longer: 2s..5s", f"{place}.delay")
    return Fault(at, config, delay)


def _rate_limited(x: Exchange, fault: Fault) -> Reply:
    seconds = max(1, round(fault.retry_after))
    message = f"Rate limited, on purpose (chaos). Try again in {seconds} seconds."
    return x.refuse(429, "rate_limited", message, headers=((b"retry-after", b"%d" % seconds),))


def _failed(x: Exchange, fault: Fault) -> Reply:
    return x.refuse(fault.status, "upstream_error", f"Failed with status {fault.status}, on purpose (chaos).")


def _reset(x: Exchange, _: Fault) -> Reply:
    return Reply(RESET, b"", (), CODE)
