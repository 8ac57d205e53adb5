"""Webhooks: where they may go, what they say, and when they are tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import msgspec
from yarl import URL

from proxy.errors import BadRequest, GatewayError, Header
from proxy.jobs.record import Job, Response, Webhooks
from proxy.jobs.signature import signed
from proxy.jobs.view import view
from proxy.policy import Timeouts
from proxy.upstream import Upstream

WEBHOOK_HEADER = b"x-sluicegate-webhook"
MAX_TRIES = 8
_FACTOR = 4.0  # 5 s, 20 s, 80 s, … 5.7 h: seven and a half hours in all
_JITTER = 0.2
_MAX_URL = 2048
_TIMEOUTS = Timeouts(connect=5.0, first_token=15.0, gap=15.0, total=15.0)
_JSON: list[Header] = [(b"content-type", b"application/json"), (b"user-agent", b"sluicegate")]


def allowed(asked: str, allow: tuple[str, ...]) -> str:
    """The address to which a result is sent, as it will be used.

    It must begin as one of the file does: same scheme, host and port, and a path at or below it.

    Raises:
        BadRequest: it may not be used.
    """
    url = _read(asked)
    if url is not None and any(_covers(URL(prefix), url) for prefix in allow):
        return str(url)
    message = "This webhook is not allowed here: it must begin with an address that `jobs.webhooks.allow` lists."
    raise BadRequest(message, code="webhook_not_allowed", param="webhook")


def _read(asked: str) -> URL | None:
    """None for what is no plain absolute address: nothing in it may be read in two ways."""
    if len(asked) > _MAX_URL or not asked.isascii() or not asked.isprintable() or any(sign in asked for sign in " \\#"):
        return None
    try:
        url = URL(asked)
        usable = url.scheme in ("http", "https") and bool(url.host) and url.user is None and url.password is None
    except ValueError:
        return None
    return url if usable and ".." not in url.path and "%" not in url.raw_path else None


def _covers(prefix: URL, url: URL) -> bool:
    if (prefix.scheme, prefix.host, prefix.port) != (url.scheme, url.host, url.port):
        return False
    path = prefix.raw_path
    return url.raw_path == path or url.raw_path.startswith(path if path.endswith("/") else f"{path}/")


def delay(tries: int, first: float, draw: Callable[[], float] = random.random) -> float | None:
    """Seconds until the next try after so many; None: that was the last."""
    if tries >= MAX_TRIES:
        return None
    spread = 1 - _JITTER + 2 * _JITTER * draw()
    return first * _FACTOR ** (tries - 1) * spread


def message(job: Job, response: Response | None) -> bytes:
    """What is sent: the job as it is told to its owner, in the envelope that receivers of webhooks know."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(job.finished or 0))
    return msgspec.json.encode({"type": f"{job.kind}.{job.status}", "timestamp": stamp, "data": view(job, response)})


class Sender:
    """Delivers signed messages. Redirects are not followed, and of the answer only its status counts."""

    def __init__(self) -> None:
        self._upstream = Upstream(max_connections=64)

    async def deliver(self, job: Job, response: Response | None, webhooks: Webhooks, now: float) -> int | str:
        """One try: the receiver's status, or why there is none."""
        assert job.webhook is not None
        try:
            url = URL(allowed(job.webhook, webhooks.allow))  # the file may have changed meanwhile
        except BadRequest:
            return "not_allowed"
        body = message(job, response)
        headers = [*_JSON, *signed(webhooks.secret, f"msg_{job.id}", int(now), body)]
        try:
            answer = await self._upstream.request(
                "POST",
                url,
                headers,
                body,
                timeouts=_TIMEOUTS,
                ends=(),
                expect_json=False,
                deadline=time.monotonic() + _TIMEOUTS.total,
            )
        except GatewayError as error:
            return error.error_code
        if answer.close is not None:
            answer.close()
        return answer.status

    async def aclose(self) -> None:
        """Close the connections."""
        await self._upstream.aclose()
