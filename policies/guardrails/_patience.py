"""How long a request may take, over all that is tried for it: until its first token, and altogether."""

from __future__ import annotations

import time
from functools import partial

import msgspec

from proxy.around import Around
from proxy.errors import UpstreamTimeout
from proxy.exchange import Exchange
from proxy.kept import within
from proxy.policy import Answer, Target
from proxy.units import Duration


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Both from the moment at which the request came. ``first_token``: of an answer that is streamed."""

    total: Duration | None = None
    first_token: Duration | None = None


class Patience:
    """Lowers the deadline of requests, which everything that is waited for keeps."""

    __slots__ = ("_first_token", "_total")

    def __init__(self, times: Times) -> None:
        self._total = None if times.total is None else float(times.total)
        self._first_token = None if times.first_token is None else float(times.first_token)

    def bound(self, x: Exchange) -> None:
        """From now on."""
        if self._total is not None:
            x.deadline = min(x.deadline, x.received + self._total)
        if self._first_token is not None and x.stream:
            # Next to the target: whoever stands further out may hold an answer back that has begun.
            x.around = (partial(FirstToken, self._first_token), *x.around)

    def ended(self, x: Exchange, code: str | None) -> str:
        """The time that has ended a request whose answer failed with ``code``, or whose body broke off; or ""."""
        now = time.monotonic()
        if self._total is not None and now >= x.received + self._total:
            late = any(attempt.reason in ("timeout", "deadline") for attempt in x.attempts)
            return f"total {self._total:g} s" if late or code == UpstreamTimeout.code else ""
        late = self._first_token is not None and x.stream and now >= x.received + self._first_token
        return f"first_token {self._first_token:g} s" if late and code == UpstreamTimeout.code else ""


class FirstToken(Around):
    """Gives up what has not begun to answer ``seconds`` after the request came."""

    __slots__ = ("_seconds",)

    def __init__(self, seconds: float, inner: Target) -> None:
        super().__init__(inner)
        self._seconds = seconds

    async def send(self, x: Exchange) -> Answer:
        """The answer, which has begun.

        Raises:
            UpstreamTimeout: it has not.
        """
        left = x.received + self._seconds - time.monotonic()
        if left <= 0:
            raise UpstreamTimeout(self._late)
        try:
            return await within(left, self.inner.send(x))
        except TimeoutError as error:
            raise UpstreamTimeout(self._late) from error

    @property
    def _late(self) -> str:
        return f"No answer began within {self._seconds:g} s after the request came."
