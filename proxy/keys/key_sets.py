"""Public keys of an issuer of tokens: fetched in the background, kept while the issuer is away.

Nobody waits for them: who needs a key takes what is there. Discovery as in OpenID Connect Discovery 1.0 (4), sets as in
RFC 7517. Addresses are https, or of the loopback; redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import random
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from yarl import URL

from proxy.errors import BadAnswer, Header, UpstreamError
from proxy.policy import Timeouts
from proxy.reports import Reports
from proxy.upstream import Upstream

DISCOVERY = "/.well-known/openid-configuration"
MAX_SIZE = 256 << 10  # bytes of a document
MAX_KEYS = 100
MAX_ID = 256  # characters of a key's id
USUAL = 600.0  # seconds between fetches where the issuer does not say
LEAST, MOST = 60.0, 86_400.0  # seconds; what the issuer says is kept within
AHEAD_OF_TIME = 30.0  # seconds between fetches because of unknown keys
KEPT = 86_400.0  # seconds that keys serve while they cannot be fetched
MAX_PAUSE = 60.0  # seconds between tries that fail; it begins with one second
_JITTER = 0.1
_PUBLIC = ("kty", "alg", "n", "e", "crv", "x", "y")
_KINDS = ("RSA", "EC", "OKP")
# Characters of an RSA modulus in base64: 2048 to 8192 bits. Fewer are no proof, more take milliseconds.
_MODULUS = range(342, 1367)
_MAX_AGE = re.compile(rb"(?:^|[,\s])max-age=([0-9]{1,9})(?=$|[,\s])", re.IGNORECASE)
_ASKS: list[Header] = [(b"accept", b"application/json"), (b"user-agent", b"sluicegate")]
_TIMEOUTS = Timeouts(connect=5.0, first_token=10.0, gap=10.0, total=10.0)

Key = Mapping[str, str]  # the public members of a JWK


class KeySet:
    """The keys of one issuer, by their ids. It outlives generations; made anywhere, used on one event loop."""

    __slots__ = (
        "_changed",
        "_clock",
        "_due",
        "_extra_from",
        "_fetched",
        "_keys",
        "_random",
        "_reports",
        "_source",
        "_task",
        "_tries",
        "_upstream",
        "issuer",
    )

    def __init__(
        self,
        issuer: str,
        source: str | None,
        reports: Reports,
        *,
        clock: Callable[[], float] = time.monotonic,
        seed: int | None = None,
    ) -> None:
        """``source``: address of the set; without it, it is discovered."""
        self.issuer = issuer
        self._source = source
        self._reports = reports
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - jitter
        self._upstream = _Documents(max_connections=1)
        self._keys: dict[str, Key] = {}
        self._fetched = -math.inf
        self._tries = 0  # that have failed in a row
        self._due = -math.inf
        self._extra_from = -math.inf
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def keys(self) -> Mapping[str, Key] | None:
        """Key by id, the same object until they change; None while none are known. Never waits."""
        if self._task is None:
            self.start()
        return self._keys if self._clock() - self._fetched < KEPT else None

    def missed(self) -> None:
        """A key is asked for that is not in the set: fetch it soon, though not for everybody who says so."""
        at = max(self._clock(), self._extra_from)
        if at < self._due:
            self._due, self._extra_from = at, at + AHEAD_OF_TIME
            self._changed.set()

    def retry_after(self) -> int:
        """Whole seconds until the next try, at least one."""
        left = self._due - self._clock()
        return max(1, math.ceil(left)) if math.isfinite(left) else 1

    def start(self) -> None:
        """Begin, on the running loop; nothing happens if it has begun."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"keys of {self.issuer}")

    async def aclose(self) -> None:
        """No generation wants it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._upstream.aclose()

    async def _run(self) -> None:
        while True:
            await self.round()
            while (left := self._due - self._clock()) > 0:
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._changed.wait()

    async def round(self) -> float:
        """Fetch once; seconds until the next time."""
        try:
            async with asyncio.timeout(2 * _TIMEOUTS.total):
                keys, pause = await self._fetch()
        except TimeoutError:
            pause = self._failed("timeout")
        except UpstreamError as error:
            pause = self._failed(error.message)
        except Exception as error:  # whatever an issuer sends, the next try comes
            pause = self._failed(type(error).__name__)
        else:
            self._fetched, tries, self._tries = self._clock(), self._tries, 0
            if keys != self._keys:
                self._keys = keys
            if tries:
                self._reports.tell("key_set.recovered", issuer=self.issuer)
        pause *= self._random.uniform(1 - _JITTER, 1)
        self._due = self._clock() + pause
        return pause

    def _failed(self, reason: str) -> float:
        self._tries += 1
        if self._tries == 1:
            self._reports.tell("key_set.failing", issuer=self.issuer, reason=reason)
        return min(MAX_PAUSE, 2.0 ** min(self._tries - 1, 10))

    async def _fetch(self) -> tuple[dict[str, Key], float]:
        """The keys, and seconds for which the issuer wants them to be kept."""
        source = self._source
        if source is None:
            document, _ = await self._upstream.get(_usable(self.issuer.rstrip("/") + DISCOVERY))
            source = source_of(document, self.issuer)
        document, age = await self._upstream.get(_usable(source))
        return keys_of(document), USUAL if age is None else min(max(float(age), LEAST), MOST)


class _Documents(Upstream):
    """A client that reads whole JSON objects, and tells how long they may be kept."""

    __slots__ = ()

    async def get(self, url: URL) -> tuple[dict[str, Any], int | None]:
        """The object at ``url``, and its ``max-age`` in seconds if it has one.

        Raises:
            UpstreamError: there is none, or it is too large.
        """
        flow, message = await self._exchange("GET", url, _ASKS, b"", _TIMEOUTS, time.monotonic() + _TIMEOUTS.total)
        try:
            if message.code != 200:
                raise BadAnswer(f"status {message.code}")
            body = flow.body_at_once()
            if body is None:
                body = await flow.collect(MAX_SIZE)
            if body is None:
                raise BadAnswer(f"the document is larger than {MAX_SIZE >> 10} KiB")
            found = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            raise BadAnswer("the document is no JSON object") from None
        finally:
            flow.close()
        told = b",".join(value for name, value in message.raw_headers if name.lower() == b"cache-control")
        age = _MAX_AGE.search(told)
        return found, None if age is None else int(age[1])


def source_of(document: Mapping[str, Any], issuer: str) -> str:
    """Where the keys of ``issuer`` are, by its discovery document.

    Raises:
        BadAnswer: it is another's, or leads from https to something else.
    """
    if document.get("issuer") != issuer:
        raise BadAnswer("the discovery document is another issuer's")
    source = document.get("jwks_uri")
    if not isinstance(source, str):
        raise BadAnswer("the discovery document names no `jwks_uri`")
    if issuer.startswith("https:") and not source.startswith("https:"):
        raise BadAnswer("the discovery document names a `jwks_uri` that is not https")
    return source


def keys_of(document: Mapping[str, Any]) -> dict[str, Key]:
    """The keys of a set that can verify, by id; one without an id under the empty one. Of two with one id the first.

    Only public members are kept, and no symmetric key: whoever knows it could sign.

    Raises:
        BadAnswer: it is no set, or too large.
    """
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise BadAnswer(f"the document holds no `keys`, or more than {MAX_KEYS}")
    found: dict[str, Key] = {}
    for entry in listed:
        if isinstance(entry, dict) and _verifies(entry):
            name = entry.get("kid", "")
            if isinstance(name, str) and len(name) <= MAX_ID:
                found.setdefault(name, {member: entry[member] for member in _PUBLIC if member in entry})
    return found


def _verifies(entry: dict[str, Any]) -> bool:
    if entry.get("kty") not in _KINDS or entry.get("use", "sig") != "sig":
        return False
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return False
    if not all(isinstance(entry[member], str) for member in _PUBLIC if member in entry):
        return False
    return entry["kty"] != "RSA" or len(entry.get("n", "")) in _MODULUS


def _usable(address: str) -> URL:
    """The address, if keys may be fetched there.

    Raises:
        BadAnswer: they may not.
    """
    try:
        url = URL(address)
        host = url.host
    except ValueError:
        host = None
    if not host or url.user is not None or url.password is not None:
        raise BadAnswer("the address of the keys cannot be used")
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
        raise BadAnswer("the address of the keys is neither https nor of the loopback")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
