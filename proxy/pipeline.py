"""The compiled pipeline of one route: tuples per phase, and the loops that run them.

Nothing is decided here that could be decided while compiling: a phase that a policy does not have is not in the tuples,
and whether a hook must be awaited stands beside it.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from proxy.errors import ANTHROPIC, GatewayError, Header, UpstreamError
from proxy.exchange import Exchange, Reply
from proxy.filters.filtered import filtered
from proxy.policy import Answer, Choice, Policy, Target, Timeouts
from proxy.stream import AnswerCut, Outcome, Send, pump

Deliver = Callable[[Send, Answer, list[Header]], Awaitable[Outcome]]
# (name, on_request, policy): what runs before the body is read.
Step = tuple[str, Callable[[Exchange], Reply | None], Policy]
_NOT_LISTED = re.compile(rb"[^\x21-\x7e]")
_MAX_LISTED = 1024  # bytes
# (hook, whether it must be awaited, name of its policy).
_Hook = tuple[Callable[..., Any], bool, str]


def _has(policy: Policy, hook: str) -> bool:
    return getattr(type(policy), hook) is not getattr(Policy, hook)


def _hook(name: str, policy: Policy, hook: str, timed: bool) -> _Hook:
    bound = getattr(policy, hook)
    is_async = inspect.iscoroutinefunction(bound)
    return _timed(name, bound, is_async) if timed else bound, is_async, name


def _timed(name: str, hook: Callable[..., Any], is_async: bool) -> Callable[..., Any]:
    """The same hook, which notes how long it took. Where nobody asks for that the hook itself is in the loops."""

    def note(x: Exchange, began: int) -> None:
        if x.timings is None:
            x.timings = {}
        x.timings[name] = x.timings.get(name, 0) + time.perf_counter_ns() - began

    async def awaited(x: Exchange, *more: Any) -> Any:
        began = time.perf_counter_ns()
        try:
            return await hook(x, *more)
        finally:
            note(x, began)

    def called(x: Exchange, *more: Any) -> Any:
        began = time.perf_counter_ns()
        try:
            return hook(x, *more)
        finally:
            note(x, began)

    return awaited if is_async else called


class Pipeline:
    """Policies and target of one route, compiled.

    ``_unwind[k]`` and ``_close[k]`` hold the hooks of the first k policies, last first: when policy k answers early,
    exactly those that let the request pass see the answer.
    """

    __slots__ = (
        "_admits",
        "_close",
        "_request",
        "_unwind",
        "door",
        "names",
        "on_loss",
        "policies",
        "route",
        "slots",
        "target",
        "timeouts",
    )

    def __init__(
        self,
        route: str,
        policies: Sequence[tuple[str, Policy]],
        target: Target,
        *,
        slots: int,
        timeouts: Timeouts,
        on_loss: str = "report",
        timed: bool = False,
    ) -> None:
        self.route = route
        self.policies = tuple(policies)
        self.target = target
        self.slots = slots
        self.timeouts = timeouts
        self.on_loss = on_loss
        self.names = tuple(name for name, _ in policies)
        compiled = [policy for _, policy in policies]

        def hooks(hook: str) -> list[_Hook | None]:
            return [_hook(name, policy, hook, timed) if _has(policy, hook) else None for name, policy in policies]

        self._request = tuple((at, *hook[:2]) for at, hook in enumerate(hooks("on_request")) if hook is not None)
        self._unwind = _prefixes(hooks("on_response"), [_filtering(name, policy) for name, policy in policies])
        self._close = _prefixes(hooks("on_close"))
        self._admits = tuple(policy.admits_model for policy in compiled if _has(policy, "admits_model"))
        self.door = _door(policies, timed)

    async def run(self, x: Exchange, send: Send, deliver: Deliver = pump) -> Outcome:
        """Answer ``x``: request phases, target or early reply, response phases, body to the client, close phases."""
        answer: Answer | None = None
        outcome: Outcome | None = None
        end: str | None = None
        try:
            answer = await self._answer(x)
            for hook, is_async, name in self._unwind[x.entered]:
                replaced = await hook(x, answer) if is_async else hook(x, answer)
                if replaced is not None:
                    x.notes["replaced_by"] = name
                    answer.discard()
                    answer = local(replaced)
            answer.style = x.style
            if answer.dropped:
                x.notes["dropped"] = ", ".join(answer.dropped)
            outcome = await deliver(send, answer, standard_headers(x, answer))
            return outcome
        except BaseException as error:
            if answer is not None and answer.close is not None:
                answer.close()
            outcome = error.outcome if isinstance(error, AnswerCut) else None
            end = "cancelled" if isinstance(error, asyncio.CancelledError) else "crashed"
            if isinstance(error, asyncio.CancelledError) and error.args:
                end = error.args[0]
            raise
        finally:
            _end_attempts(x, outcome, end)
            _call_all(self._close[x.entered], x)

    async def _answer(self, x: Exchange) -> Answer:
        """The target's answer, or an early reply, or a failure as an answer."""
        try:
            for x.entered, step, is_async in self._request:
                reply = await step(x) if is_async else step(x)
                if reply is not None:
                    x.notes["refused_by"] = self.policies[x.entered][0]
                    return local(reply)
            x.entered = len(self.policies)
            target: Target = x.detour or self.target
            for put_around in x.around:
                target = put_around(target)
            if x.line is not None:
                return await x.line.send(x, target)  # type: ignore[no-any-return]
            return await target.send(x)
        except UpstreamError as error:
            if error.raw is not None:
                status, headers, body = error.raw
                return Answer(status, list(headers), body=body, code=error.error_code)
            return local(failure(x, error))
        except GatewayError as error:
            return local(failure(x, error))

    def admits_model(self, x: Exchange, model: str) -> bool:
        """Whether this caller may use ``model`` here, as far as headers alone can tell."""
        return all(step(x) is None for _, step, _ in self.door) and all(admits(x, model) for admits in self._admits)

    async def explain(self, x: Exchange) -> tuple[list[tuple[str, str]], Reply | None, Choice | None]:
        """Run the request phases and describe the rest, sending nothing: policy lines, early reply, target's choice."""
        lines: list[tuple[str, str]] = []
        entered = 0
        try:
            for name, policy in self.policies:
                if _has(policy, "on_request"):
                    found = policy.on_request(x)
                    reply = await found if inspect.isawaitable(found) else found
                    if reply is not None:
                        lines.append((name, f"refuses: {reply.status} {reply.code or ''}".rstrip()))
                        return lines, reply, None
                lines.append((name, policy.explain(x)))
                entered = len(lines)
            return lines, None, self.target.explain(x)
        finally:
            _call_all(self._close[entered], x)


def _end_attempts(x: Exchange, outcome: Outcome | None, end: str | None) -> None:
    """An attempt that began well ended with the body: say so where that did not end well."""
    if outcome is not None and outcome.complete:
        changed: tuple[str | None, str | None] = None, None
    elif outcome is None:
        changed = "cancelled", end
    else:
        changed = "error", "deadline" if time.monotonic() >= x.deadline else outcome.code
    for attempt in x.attempts:
        if attempt.ends is not None:
            attempt.end(*changed)


def _call_all(hooks: tuple[_Hook, ...], x: Exchange) -> None:
    """Call every hook, also those after one that fails; the first failure is raised in the end."""
    failed: Exception | None = None
    for hook, _, _ in hooks:
        try:
            hook(x)
        except Exception as error:
            failed = failed or error
    if failed is not None:
        raise failed


def _prefixes(*hooks: list[_Hook | None]) -> tuple[tuple[_Hook, ...], ...]:
    """For k = 0…n: the hooks of the first k policies, last first; of several of one policy in this order."""
    rows = list(zip(*hooks, strict=True))
    return tuple(
        tuple(hook for row in reversed(rows[:k]) for hook in row if hook is not None) for k in range(len(rows) + 1)
    )


def _filtering(name: str, policy: Policy) -> _Hook | None:
    """The answer through the policy's filter, as a hook: whoever stands further out sees what that has left of it."""
    if not _has(policy, "open_stream"):
        return None

    async def through(x: Exchange, answer: Answer) -> Reply | None:
        if answer.status >= 300 or (filter_ := policy.open_stream(x)) is None:
            return None
        return await filtered(x, answer, filter_)

    return through, True, name


def _door(policies: Sequence[tuple[str, Policy]], timed: bool) -> tuple[Step, ...]:
    """The leading policies that may run before the body is read."""
    steps: list[Step] = []
    for name, policy in policies:
        if not policy.at_door:
            break
        step, _, _ = _hook(name, policy, "on_request", timed)  # at_door policies are not async
        steps.append((name, step, policy))
    return tuple(steps)


def local(reply: Reply) -> Answer:
    """A reply of our own as an answer, so that the response phases see it like any other."""
    return Answer(reply.status, list(reply.headers), body=reply.body, code=reply.code)


def failure(x: Exchange, error: GatewayError) -> Reply:
    """A failure as a reply in the caller's dialect."""
    return x.refuse(error.http_status, error.error_code, error.message, param=error.param, headers=error.headers)


def _listed(names: tuple[str, ...]) -> bytes:
    """Names for a header. Some of them are the caller's own words: what cannot stand there is replaced."""
    return _NOT_LISTED.sub(b"_", ",".join(names).encode("ascii", "replace")[:_MAX_LISTED])


def _variants(x: Exchange) -> bytes:
    """Of each experiment that the request was in."""
    return ",".join(f"{experiment}/{variant}" for experiment, (variant, _) in x.exposures.items()).encode()


def _cost(x: Exchange) -> bytes | None:
    """In dollars, to the nano-dollar; None as long as it is not known, as for a stream that flows."""
    total = 0
    for attempt in x.attempts:
        if attempt.charge is not None:
            if not attempt.charge.is_settled:
                return None
            total += attempt.charge.cost
    return b"%d.%09d" % divmod(total, 1_000_000_000)


def standard_headers(x: Exchange, answer: Answer) -> list[Header]:
    """The answer's headers and those that every answer carries."""
    x.overhead = max(0.0, time.monotonic() - x.received - x.upstream_wait)
    headers = [
        *answer.headers,
        (b"x-request-id", x.request_id.encode()),
        (b"x-sluicegate-route", x.route.encode()),
        (b"x-sluicegate-attempts", b"%d" % len(x.attempts)),
        (b"x-sluicegate-generation", b"%d" % x.generation),
        (b"x-sluicegate-overhead-ms", b"%.2f" % (x.overhead * 1000)),
    ]
    if x.style is ANTHROPIC:  # where that client looks for it
        headers.append((b"request-id", x.request_id.encode()))
    if answer.dropped:
        headers.append((b"x-sluicegate-dropped", _listed(answer.dropped)))
    if answer.target:
        headers.append((b"x-sluicegate-target", answer.target.encode()))
        if (cost := _cost(x)) is not None:
            headers.append((b"x-sluicegate-cost", cost))
    if x.exposures:
        headers.append((b"x-sluicegate-variant", _variants(x)))
    if x.degraded:
        headers.append((b"x-sluicegate-degraded", x.degraded.encode()))
    if x.reply_headers:
        headers += x.reply_headers
    x.sent = headers
    return headers
