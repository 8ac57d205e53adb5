"""`POST /v1/feedback`: what became of an answer, by the request's id or by the subject; also hours later.

Who may ask may say something of the answers of its own team. For everybody else there is no such answer.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import msgspec

from proxy.dialects.endpoint import Endpoint
from proxy.errors import BadRequest, GatewayError
from proxy.exchange import Exchange, Reply
from proxy.experiments.feedback import Feedback, Joined, UnknownRequest, read
from proxy.experiments.recorder import scope_of_team
from proxy.experiments.service import Experiments, FeedbackUnavailable
from proxy.inbound import Receive, identify, read_body
from proxy.runtime import Runtime
from proxy.telemetry.metrics import Metrics

PATH = "/v1/feedback"
MAX_BODY = 16 << 10
RATE, BURST = 500.0, 1000.0  # requests a second of one team, and at once
_MOST_TEAMS = 10_000
_ENDPOINT = Endpoint("feedback", "feedback", "none", "none")
Heard = Callable[[Feedback, str], Awaitable[bool]]  # who else may know of it: what was said, and by which team
_UNKNOWN = "There is no such request of this key's team that feedback is kept for"


class Rate:
    """A token bucket for each team."""

    __slots__ = ("_clock", "_left")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # tokens, and when that was

    def admits(self, scope: str) -> bool:
        """Whether there is one more for ``scope``."""
        now = self._clock()
        left, since = self._left.pop(scope, (BURST, now))
        left = min(BURST, left + (now - since) * RATE)
        if len(self._left) >= _MOST_TEAMS:
            self._left.pop(next(iter(self._left)))
        self._left[scope] = (max(left - 1.0, 0.0) if left >= 1.0 else left, now)
        return left >= 1.0


class FeedbackDesk:
    """Answers what applications send."""

    def __init__(self, experiments: Experiments, metrics: Metrics, heard: Heard | None = None) -> None:
        self.experiments = experiments
        self._heard = heard
        self._counts = metrics.experiments
        self._rate = Rate()

    async def answer(self, runtime: Runtime, x: Exchange, receive: Receive) -> Reply:
        """The answer to a request for ``PATH``.

        Raises:
            GatewayError: what was sent makes no sense, or cannot be kept now.
        """
        x.endpoint = _ENDPOINT
        if x.method != "POST":
            return x.refuse(405, "method_not_allowed", f"{PATH} does not take {x.method}.")
        refused = identify(runtime, x)
        if refused is not None:
            return refused
        scope = scope_of_team(x)
        if not self._rate.admits(scope):
            self._counts.said("limited")
            message = f"A team may send feedback {RATE:.0f} times a second."
            return x.refuse(429, "rate_limited", message, headers=((b"retry-after", b"1"),))
        return await self._keep(x, scope, await read_body(receive))

    async def _keep(self, x: Exchange, scope: str, body: bytes) -> Reply:
        try:
            if len(body) > MAX_BODY:
                message = f"The body is longer than {MAX_BODY} bytes."
                raise BadRequest(message, status=413, code="body_too_large")
            said = read(body)
            is_heard = self._heard is not None and await self._heard(said, scope)
            joined = await self._joined(said, scope, is_heard=is_heard)
        except UnknownRequest:
            self._counts.said("unknown")
            return self._unknown(x)
        except GatewayError as error:
            self._counts.said("failed" if isinstance(error, FeedbackUnavailable) else "invalid")
            raise
        self._counts.said("joined" if is_heard or any(one.declared for one in joined) else "undeclared")
        told = {"object": "feedback", "name": said.name, "value": said.value, "experiments": _told(joined)}
        return Reply(200, msgspec.json.encode(_of(said) | told))

    async def _joined(self, said: Feedback, scope: str, *, is_heard: bool) -> list[Joined]:
        """Experiments in which it counts: there may be none of a request that somebody else knows."""
        try:
            return await self.experiments.say(said, scope)
        except UnknownRequest:
            if not is_heard:
                raise
            return []

    def _unknown(self, x: Exchange) -> Reply:
        more = (
            "." if self.experiments.settings.of == "all" else " (`feedback: {of: all}` keeps more than experiments')."
        )
        return x.refuse(404, "feedback_unknown_request", f"{_UNKNOWN}{more}")


def _told(joined: list[Joined]) -> list[dict[str, object]]:
    return [{"experiment": one.experiment, "variant": one.variant, "declared": one.declared} for one in joined]


def _of(said: Feedback) -> dict[str, object]:
    if said.request:
        return {"request_id": said.request}
    return {"subject": said.subject, "experiment": said.experiment}
