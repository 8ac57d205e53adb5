"""Access tokens for Google Cloud: got in a thread, ahead of their end, one request for one at a time.

Needs the extra ``gcp`` (google-auth), but for tokens that the file gives.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC
from typing import Any, NamedTuple

import msgspec

from proxy.errors import BadCredential, Header

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
AHEAD = 300.0  # seconds before its end in which a token is replaced while it still serves
LEAST = 20.0  # seconds; one that ends sooner is not used any more
_PAUSE = 10.0  # seconds after a failure in which a token that still serves is not asked for again
_USUAL = 3600.0  # seconds, for a token that does not say
MISSING_EXTRA = "needs the extra `gcp`, which is not installed: pip install 'sluicegate[gcp]'"


class Grant(NamedTuple):
    """What proves who we are until ``expires`` (seconds since the epoch)."""

    headers: tuple[Header, ...]
    expires: float


Fetch = Callable[[], Grant]


class UnusableCredentials(Exception):
    """Credentials of the file that cannot be used; the text says why."""


class Tokens:
    """The current token of one identity. ``fetch`` blocks, and runs in a thread."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._clock = clock
        self._grant: Grant | None = None
        self._again = 0.0  # when to ask for the next one
        self._task: asyncio.Task[Grant] | None = None

    async def headers(self) -> tuple[Header, ...]:
        """Headers that hold for this request.

        Raises:
            BadCredential: Google gives no token.
        """
        now, grant = self._clock(), self._grant
        if grant is not None and now < grant.expires - LEAST:
            if now >= self._again:
                self._start()
            return grant.headers
        task = self._start()
        # Whoever goes away while waiting does not take the token from the others.
        return (await asyncio.shield(task)).headers

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """What must not be repeated to anybody."""
        return () if self._grant is None else tuple(value for _, value in self._grant.headers)

    def _start(self) -> asyncio.Task[Grant]:
        if self._task is None:
            self._task = asyncio.create_task(self._renew())
            self._task.add_done_callback(self._done)
        return self._task

    def _done(self, task: asyncio.Task[Grant]) -> None:
        self._task = None
        if not task.cancelled() and task.exception() is not None:
            self._again = self._clock() + _PAUSE

    async def _renew(self) -> Grant:
        try:
            grant = await asyncio.to_thread(self._fetch)
        except Exception as error:
            raise BadCredential(f"The gateway gets no access token from Google: {_reason(error)}") from error
        self._grant = grant
        self._again = grant.expires - AHEAD
        return grant


def _reason(error: Exception) -> str:
    """The beginning of what an error says, on one line. google-auth puts no secret into it."""
    text = str(error.args[0]) if error.args else type(error).__name__
    return " ".join(text.split())[:200]


def from_key(text: str) -> tuple[Fetch, str | None]:
    """What gets tokens for the key of a service account in Google's JSON form, and the project that it belongs to.

    Raises:
        UnusableCredentials: it is not of that form, or the extra is missing.
    """
    library = _library()
    try:
        info: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise UnusableCredentials("is not the JSON of a key; write ${file:/path/of/key.json}") from None
    if not isinstance(info, dict) or info.get("type") != "service_account":
        raise UnusableCredentials(
            "is not the key of a service account; for other forms set GOOGLE_APPLICATION_CREDENTIALS and leave it out"
        )
    try:
        credentials = library.account.from_service_account_info(info, scopes=[SCOPE])
    except Exception as error:
        raise UnusableCredentials(f"cannot be used: {_reason(error)}") from None
    return _fetch(credentials, library.requests), credentials.project_id


def from_chain() -> Fetch:
    """What gets tokens by the default chain: environment, gcloud, or the machine's own account. It is looked up when
    the first token is needed, as that may ask the network.

    Raises:
        UnusableCredentials: the extra is missing.
    """
    library = _library()
    found: list[Fetch] = []

    def fetch() -> Grant:
        if not found:
            found.append(_fetch(library.default(scopes=[SCOPE])[0], library.requests))
        return found[0]()

    return fetch


class _Library(NamedTuple):
    """What is used of google-auth."""

    default: Any
    account: Any
    requests: Any


def _library() -> _Library:
    try:
        import google.auth
        import google.auth.transport.requests
        import google.oauth2.service_account
    except ImportError:
        raise UnusableCredentials(MISSING_EXTRA) from None
    account = google.oauth2.service_account.Credentials
    return _Library(google.auth.default, account, google.auth.transport.requests)


def _fetch(credentials: Any, requests: Any) -> Fetch:
    def fetch() -> Grant:
        credentials.refresh(requests.Request())
        headers: dict[str, str] = {}
        credentials.apply(headers)
        expiry = credentials.expiry
        expires = time.time() + _USUAL if expiry is None else expiry.replace(tzinfo=UTC).timestamp()
        proof = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())
        return Grant(proof, expires)

    return fetch
