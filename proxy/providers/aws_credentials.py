"""Where credentials of AWS come from, and how they stay fresh without anybody waiting for them."""

from __future__ import annotations

import asyncio
import importlib.util
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from proxy.errors import BadCredential
from proxy.providers.sigv4 import Credentials

AHEAD = 900.0  # seconds before their end in which temporary credentials are renewed
LAST_CALL = 60.0  # seconds before their end in which they are not used any more
LOOK_AGAIN = 300.0  # seconds after which credentials without an end are read again: their file may have changed
PAUSE = 10.0  # seconds between two attempts to get credentials
_SESSION_NAME = "sluicegate"
NEEDS_EXTRA = (
    "`profile`, `role_arn` and AWS' usual places for credentials need the extra `aws`: pip install 'sluicegate[aws]'. "
    "Without it write `access_key_id` and `secret_access_key`, or `api_key` for Bedrock"
)


class Loaded(NamedTuple):
    """Credentials, and when they end, in seconds since the epoch; None if they do not."""

    credentials: Credentials
    ends: float | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says of credentials. ``static`` may itself assume the role; nothing at all is the usual chain."""

    static: Credentials | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    region: str | None = None

    @property
    def needs_extra(self) -> bool:
        """Whether botocore has to find them."""
        return self.static is None or self.role_arn is not None


class Source(Protocol):
    """Gives the credentials to sign with."""

    async def current(self) -> Credentials:
        """Those of now.

        Raises:
            BadCredential: there are none.
        """

    def doubt(self) -> None:
        """AWS did not accept them."""


class Fixed:
    """Credentials that stand in the file."""

    __slots__ = ("_credentials",)

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def current(self) -> Credentials:
        """Always the same."""
        return self._credentials

    def doubt(self) -> None:
        """Nothing else is known."""


class Renewed:
    """Credentials that ``load`` gets, which may take its time: it runs in a thread, once at a time, ahead of need."""

    __slots__ = ("_clock", "_doubted", "_failure", "_held", "_load", "_looked", "_next", "_running", "_until")

    def __init__(self, load: Callable[[], Loaded], clock: Callable[[], float] = time.time) -> None:
        self._load = load
        self._clock = clock
        self._held: Credentials | None = None
        self._until = 0.0  # they may be used until then
        self._next = 0.0  # when to look for newer ones
        self._looked = float("-inf")  # when that was done last
        self._doubted = False
        self._failure: Exception | None = None
        self._running: asyncio.Future[None] | None = None

    async def current(self) -> Credentials:
        """Those held; a request waits only while there are none, or none that AWS accepts."""
        now = self._clock()
        if now >= self._next:
            self._renew()
        if self._running is not None and (self._held is None or self._doubted or now >= self._until):
            await asyncio.shield(self._running)
        if self._held is None or self._clock() >= self._until:
            raise BadCredential("The gateway has no credentials of AWS that are valid now.") from self._failure
        return self._held

    def doubt(self) -> None:
        """Look for newer ones before the next request, unless that was done just now."""
        self._next = min(self._next, max(self._looked + PAUSE, self._clock()))
        self._doubted = True

    def _renew(self) -> None:
        if self._running is None or self._running.get_loop() is not asyncio.get_running_loop():
            self._running = asyncio.ensure_future(self._get())

    async def _get(self) -> None:
        try:
            loaded = await asyncio.get_running_loop().run_in_executor(None, self._load)
        except Exception as error:  # of botocore, the network, the user's files: told to whoever needs credentials
            self._failure = error.with_traceback(None)
            self._looked = self._clock()
            self._next = self._looked + PAUSE
        else:
            now = self._looked = self._clock()
            self._held, self._failure = loaded.credentials, None
            self._until = float("inf") if loaded.ends is None else loaded.ends - LAST_CALL
            self._next = now + LOOK_AGAIN if loaded.ends is None else max(loaded.ends - AHEAD, now + PAUSE)
        finally:
            self._doubted = False
            self._running = None


def has_extra() -> bool:
    """Whether botocore is installed."""
    return importlib.util.find_spec("botocore") is not None


def load(origin: Origin) -> Loaded:
    """Credentials of ``origin`` by botocore: environment, shared files, SSO, web identity, container, instance.

    Blocks. Raises whatever botocore raises, and ``LookupError`` if there are none.
    """
    import botocore.session  # type: ignore[import-untyped]  # the extra

    session = botocore.session.Session(profile=origin.profile)
    if origin.static is not None:
        session.set_credentials(*origin.static)
    if origin.role_arn is not None:
        return _assume(session, origin)
    found = session.get_credentials()
    if found is None:
        raise LookupError("none in the environment, the shared files, the container or the instance")
    frozen = found.get_frozen_credentials()
    return Loaded(Credentials(frozen.access_key, frozen.secret_key, frozen.token), _end_of(found))


def _end_of(found: Any) -> float | None:
    """When refreshable credentials end. botocore tells only whether that is within so many seconds."""
    if not hasattr(found, "refresh_needed"):
        return None
    low, high = 0, 1 << 18  # three days: longer than any of them lasts
    if not found.refresh_needed(refresh_in=high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if found.refresh_needed(refresh_in=middle):
            high = middle
        else:
            low = middle
    return time.time() + low


def _assume(session: Any, origin: Origin) -> Loaded:
    client = session.create_client("sts", region_name=origin.region)
    try:
        asked = {"RoleArn": origin.role_arn, "RoleSessionName": _SESSION_NAME}
        if origin.external_id is not None:
            asked["ExternalId"] = origin.external_id
        given = client.assume_role(**asked)["Credentials"]
    finally:
        client.close()
    ends: datetime = given["Expiration"]
    found = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return Loaded(found, ends.timestamp())
