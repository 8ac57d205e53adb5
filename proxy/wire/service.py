"""A service over HTTP that guards ask: signed, bounded, never followed elsewhere."""

from __future__ import annotations

import asyncio
import time

from yarl import URL

from proxy.errors import GatewayError, Header
from proxy.guarding.service import ServiceFailed
from proxy.jobs.signature import signed
from proxy.policy import Timeouts
from proxy.upstream import Upstream

MAX_ANSWER = 256 << 10  # bytes
_JSON: list[Header] = [
    (b"content-type", b"application/json"),
    (b"accept", b"application/json"),
    (b"user-agent", b"sluicegate"),
]


def address(text: str) -> URL:
    """Where a service is.

    Raises:
        ValueError: there it cannot be; with a sentence for the reader.
    """
    try:
        url = URL(text)
        usable = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"{text!r} is not an http or https URL; write it like https://guard.example.com/check")
    if url.user or url.password or url.fragment:
        raise ValueError("the address of a service has no user, no password and no fragment; use `secret`")
    return url


class HttpService:
    """One address. ``secret``: the key with which questions are signed (see ``proxy.jobs.signature``), None for none.
    ``patience``: seconds. It outlives generations by ``upstream``, its connections."""

    __slots__ = ("_patience", "_secret", "_timeouts", "_upstream", "_url")

    def __init__(self, url: URL, secret: bytes | None, patience: float, upstream: Upstream) -> None:
        self._url = url
        self._secret = secret
        self._patience = patience
        self._upstream = upstream
        self._timeouts = Timeouts(connect=patience, first_token=patience, gap=patience, total=patience)

    async def ask(self, identity: str, body: bytes) -> bytes:
        """See ``proxy.guarding.service.Service``."""
        headers = list(_JSON)
        if self._secret is not None:
            headers += signed(self._secret, identity, int(time.time()), body)
        try:
            async with asyncio.timeout(self._patience):
                return await self._ask(headers, body)
        except TimeoutError:
            raise ServiceFailed(f"no answer within {self._patience:g} s") from None
        except GatewayError as error:
            raise ServiceFailed(error.error_code) from error

    async def _ask(self, headers: list[Header], body: bytes) -> bytes:
        answer = await self._upstream.request(
            "POST",
            self._url,
            headers,
            body,
            timeouts=self._timeouts,
            ends=(),
            expect_json=True,
            deadline=time.monotonic() + self._patience,
        )
        try:
            if answer.status != 200:
                raise ServiceFailed(f"status {answer.status}")
            if answer.body is not None:
                found = answer.body
            else:
                found = b""
                async for chunk in answer.chunks or ():  # type: ignore[union-attr]
                    found += chunk
                    if len(found) > MAX_ANSWER:
                        break
            if len(found) > MAX_ANSWER:
                raise ServiceFailed(f"an answer of more than {MAX_ANSWER >> 10} KiB")
            return found
        finally:
            if answer.close is not None:
                answer.close()
