"""The leaf of the target tree: one attempt at one model of one provider."""

from __future__ import annotations

import time
from functools import partial

import msgspec

from proxy.choosing.capability import Needs, Reach, reach_of
from proxy.choosing.health import Health, Rules, State
from proxy.errors import GatewayError, NoTarget, RateLimited, Unsupported, UpstreamError, UpstreamTimeout
from proxy.exchange import Attempt, Charge, Exchange
from proxy.ledger.charge import Charges
from proxy.policy import Answer, Choice, Target, Timeouts
from proxy.price import Price
from proxy.providers.provider import Provider
from proxy.providers.retentions import retention_of


class Leaf(Target):
    """``provider/model``, or ``provider/*`` for the model that the caller named (``model`` None).

    Before it asks, it looks at what is known of the target; what comes of the attempt is added to that. The limits of
    ``provider/*`` are those of models that only callers know, so there a limit of one does not stop the others.
    """

    __slots__ = (
        "_opens",
        "_reach",
        "_retention",
        "_rules",
        "_streamed",
        "_whole",
        "health",
        "model",
        "name",
        "provider",
    )

    def __init__(
        self,
        name: str,
        provider: Provider,
        model: str | None,
        timeouts: Timeouts,
        health: Health | None = None,
        rules: Rules | None = None,
        charges: Charges | None = None,
    ) -> None:
        self._opens = None if charges is None else partial(self._open, charges)
        self.name = name
        self.provider = provider
        self.model = model
        self.health = health or Health(name)
        self._rules = rules or Rules()
        self._reach = frozenset({Reach() if model is None else reach_of(provider.known.of(model))})
        self._retention = None if model is None else retention_of(provider.known, model)
        self._streamed = timeouts
        # An answer that is not streamed has its first token when it has its last: that has a limit of its own.
        self._whole = msgspec.structs.replace(timeouts, first_token=timeouts.attempt or timeouts.total, min_rate=0.0)

    async def send(self, x: Exchange) -> Answer:
        """One attempt, noted on the exchange whatever becomes of it; or none, if the target is known not to answer."""
        health, started = self.health, time.monotonic()
        if started >= x.deadline:
            raise UpstreamTimeout("The request's total time was used up before this attempt.")
        if self.name in x.excluded:
            x.skipped.append((self.name, "failed in this answer"))
            raise NoTarget(f"No target is available: {self.name} has broken off this answer.", retry_after=1.0)
        barred = health.admit(started, trial=x.trial)
        if barred is not None and (self._rules.enabled or barred == "drained"):
            x.skipped.append((self.name, barred))
            raise self._skip(barred, health.wait(started))
        attempt = Attempt(self.name, started)
        attempt.opens = self._opens
        attempt.retention = self._retention or retention_of(self.provider.known, x.model)
        x.attempts.append(attempt)
        health.begin()
        try:
            answer = await self.provider.send(x, self.model, self._streamed if x.stream else self._whole)
            if attempt.charge is not None:
                await attempt.charge.take(answer)
        except GatewayError as error:
            self._failed(x, attempt, error)
            raise
        except BaseException:
            attempt.duration = time.monotonic() - started
            x.upstream_wait += attempt.duration
            attempt.outcome = "cancelled"
            if attempt.charge is not None:
                attempt.charge.settle("cancelled")
            health.released()
            health.end()
            raise
        now = time.monotonic()
        attempt.duration = attempt.first_byte = now - started
        x.upstream_wait += attempt.duration
        attempt.outcome, attempt.status, attempt.ends = "ok", answer.status, self._ended
        if answer.pace is not None:
            attempt.ends = partial(self._flowed, answer, attempt)
        health.answered(now, attempt.duration, self._rules)
        if answer.told:
            health.told, health.told_at = answer.told, now
        answer.attempt = attempt
        answer.target = self.name if self.model is not None else f"{self.name[:-1]}{x.model}"
        return answer

    def _failed(self, x: Exchange, attempt: Attempt, error: GatewayError) -> None:
        """An attempt that failed; or none, where the request could not even be said to this provider."""
        now = time.monotonic()
        attempt.duration = now - attempt.started
        x.upstream_wait += attempt.duration
        self.health.end()
        if not isinstance(error, UpstreamError) or isinstance(error, Unsupported):
            self.health.released()
            x.attempts.remove(attempt)
            x.skipped.append((self.name, error.error_code))
            return
        attempt.outcome, attempt.reason, attempt.status = "error", error.meaning, error.http_status
        if attempt.charge is not None:
            attempt.charge.settle("error", error.meaning)
        if self.model is None and isinstance(error, RateLimited):
            self.health.released()
        elif now >= x.deadline and attempt.duration < (self._streamed if x.stream else self._whole).first_token:
            self.health.released()  # the caller's patience, or what others had left of it, was too short to judge
        else:
            self.health.failed(now, error, self._rules)

    def _open(self, charges: Charges, x: Exchange) -> Charge:
        """The charge of the request that is about to be sent."""
        model, provider = self.model or x.model, self.provider
        return charges.open(x, provider.name, model, provider.prices.of(model), provider.known.of(model).max_output)

    def _flowed(self, answer: Answer, attempt: Attempt, failure: str | None) -> None:
        """The same for a stream, which tells how quickly its tokens came, and may tell itself that it failed."""
        seconds = None if answer.pace is None else answer.pace()
        if seconds is not None:
            self.health.per_token.observe(seconds, time.monotonic())
        if failure is None and answer.told_failure is not None and answer.told_failure():
            attempt.outcome, attempt.reason = "error", UpstreamError.code
            failure = UpstreamError.code
        self._ended(failure)

    def _ended(self, failure: str | None) -> None:
        """The body has been sent, or ``failure`` (a code) broke it off half-way."""
        self.health.end()
        if failure is not None and failure.startswith(("upstream_", "bad_upstream_")):
            self.health.last_failure = failure
            self.health.cut(time.monotonic(), self._rules)
        elif failure is None:
            self.health.completed()

    def _skip(self, barred: State, wait: float) -> UpstreamError:
        """Nothing is sent. What the caller is told if no other target answers."""
        error: UpstreamError
        if barred == "limited":
            error = RateLimited(f"The provider {self.provider.name!r} has asked to wait.", retry_after=wait)
            error.skipped = True
            return error
        why = "is out of service" if barred == "drained" else f"has failed lately ({self.health.last_failure})"
        return NoTarget(f"No target is available: {self.name} {why}.", retry_after=max(wait, 1.0))

    def explain(self, x: Exchange) -> Choice:
        """The leaf itself: it is willing, unless its health says no, or the request cannot be said to its provider."""
        model = self.model or x.model
        now = time.monotonic()
        state = self.health.state(now)
        if state not in ("closed", "half_open") and (self._rules.enabled or state == "drained"):
            return Choice(self.name, False, f"not asked: {state} for {self.health.wait(now):.0f} s")
        to = f"sends to {self.provider.describe()}" + (f" as {model}" if model else "")
        try:
            body, dropped = self.provider.preview(x, model)
            return Choice(self.name, True, to, body=body, dropped=dropped)
        except GatewayError as error:
            return Choice(self.name, False, f"cannot take this request: {error.message}")

    def leaves(self) -> tuple[str, ...]:
        """Its own name."""
        return (self.name,)

    def healths(self) -> tuple[Health, ...]:
        """Its own."""
        return (self.health,)

    def reaches(self) -> frozenset[Reach]:
        """Its own; whatever is asked for, where only the caller knows the model."""
        return self._reach

    def prices(self, model: str = "") -> frozenset[Price | None]:
        """Its own, or that of the caller's model."""
        return frozenset({self.provider.prices.of(self.model or model)})

    def lacks(self, needs: Needs) -> str | None:
        """Why the model cannot do it."""
        for reach in self._reach:
            return reach.lacks(needs)
        raise AssertionError("a leaf has one reach")
