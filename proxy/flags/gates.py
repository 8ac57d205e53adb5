"""What stands around a policy or a target that can be off: it decides, and lets through what is on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from msgspec.structs import replace

from proxy.around import Around
from proxy.errors import TargetOff
from proxy.exchange import Exchange, Reply
from proxy.flags.switch import Switch
from proxy.policy import Answer, Choice, Filter, Policy, Target

_ON = "on"  # in the state of a request; else why it is off, or None as long as nobody has decided


class _Gate(Policy):
    """Decides when the request comes by; the later phases do as it has decided then."""

    __slots__ = ("_inner", "_slot", "_switch")

    def __init__(self, inner: Any, switch: Switch, slot: int) -> None:
        self._inner = inner
        self._switch = switch
        self._slot = slot

    def _decide(self, x: Exchange) -> bool:
        reason = x.state[self._slot] = self._switch.off(x) or _ON
        return reason is _ON

    def on_request(self, x: Exchange) -> Any:
        self._decide(x)

    def explain(self, x: Exchange) -> str:
        reason: str = x.state[self._slot]
        found: str = self._inner.explain(x) if reason is _ON else reason
        return found


def _request(self: _Gate, x: Exchange) -> Reply | None:
    return self._inner.on_request(x) if self._decide(x) else None


async def _request_async(self: _Gate, x: Exchange) -> Reply | None:
    return await self._inner.on_request(x) if self._decide(x) else None


def _response(self: _Gate, x: Exchange, answer: Answer) -> Reply | None:
    return self._inner.on_response(x, answer) if x.state[self._slot] is _ON else None


async def _response_async(self: _Gate, x: Exchange, answer: Answer) -> Reply | None:
    return await self._inner.on_response(x, answer) if x.state[self._slot] is _ON else None


def _open(self: _Gate, x: Exchange) -> Filter | None:
    return self._inner.open_stream(x) if x.state[self._slot] is _ON else None


def _close(self: _Gate, x: Exchange) -> None:
    if x.state[self._slot] is _ON:
        self._inner.on_close(x)


def _admits(self: _Gate, x: Exchange, model: str) -> bool:
    """Where it may be on for some, the list of models is what it is for them."""
    return self._switch.is_off_for_all or self._inner.admits_model(x, model)


# By phase: the method, and the one for a policy whose phase must be awaited.
_PHASES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "on_request": (_request, _request_async),
    "on_response": (_response, _response_async),
    "open_stream": (_open, _open),
    "on_close": (_close, _close),
    "admits_model": (_admits, _admits),
}


@cache
def _kind(phases: tuple[tuple[str, bool], ...]) -> type[_Gate]:
    """A class with these phases and no others: a phase that nobody has is not in the pipeline."""
    methods = {name: _PHASES[name][is_async] for name, is_async in phases}
    return type("Gate", (_Gate,), {"__slots__": (), "__doc__": "One combination of phases.", **methods})


def gated(policy: Policy, switch: Switch, slot: int) -> Policy:
    """``policy``, for the requests for which ``switch`` is on. ``slot``: of ``Exchange.state``."""
    phases = tuple(
        (name, inspect.iscoroutinefunction(getattr(policy, name)))
        for name in _PHASES
        if getattr(type(policy), name) is not getattr(Policy, name)
    )
    return _kind(phases)(policy, switch, slot)


class TargetGate(Around):
    """``inner``, for the requests for which ``switch`` is on. Whoever holds it passes it over for the others."""

    __slots__ = ("_switch",)

    def __init__(self, inner: Target, switch: Switch) -> None:
        super().__init__(inner)
        self._switch = switch

    @property
    def can_be_off(self) -> bool:
        """That is what it is for."""
        return True

    def off(self, x: Exchange) -> str | None:
        """Its own reason, or that of all below."""
        return self._switch.off(x) or self.inner.off(x)

    async def send(self, x: Exchange) -> Answer:
        """What the other answers.

        Raises:
            TargetOff: it is off.
        """
        reason = self._switch.off(x)
        if reason is not None:
            x.skip(", ".join(self.leaves()), reason)
            raise TargetOff(x.route)
        return await self.inner.send(x)

    def explain(self, x: Exchange) -> Choice:
        """What the other would do, or why it would not be asked."""
        choice, reason = self.inner.explain(x), self._switch.off(x)
        return choice if reason is None else replace(choice, chosen=False, why=reason)
