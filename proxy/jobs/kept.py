"""What is kept of a request that is answered later: its line, its body, and the headers of a short list."""

from __future__ import annotations

import hashlib

from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.inbound import DEADLINE_HEADER, FORWARDED
from proxy.jobs.record import Request
from proxy.runtime import Runtime
from proxy.tags import TAGS_HEADER

IDEMPOTENCY = b"idempotency-key"
# Besides what reaches providers: what the gateway itself reads, and says nothing of who the caller is.
_READ = FORWARDED | {TAGS_HEADER, b"x-cache-control", DEADLINE_HEADER}
# Never kept, whatever the file says: the digest of the key stands in their place.
CREDENTIALS = frozenset(
    {b"authorization", b"proxy-authorization", b"x-api-key", b"x-goog-api-key", b"api-key", b"cookie", b"set-cookie"}
)


def names_kept(runtime: Runtime, more: tuple[str, ...]) -> frozenset[bytes]:
    """The headers that are kept: also those by which routes of this generation are told apart."""
    matched = {name for entry in runtime.router.entries for name, _ in entry.headers}
    return (_READ | matched | {name.lower().encode() for name in more}) - CREDENTIALS


def keep(x: Exchange, names: frozenset[bytes]) -> Request:
    """The request of ``x``, whose body has been read"""
    headers: list[Header] = [header for header in x.headers if header[0] in names]
    return Request(x.method, x.path, x.query, headers, x.body)


def digest_of(request: Request) -> bytes:
    """What tells two requests with one idempotency key apart."""
    found = hashlib.blake2b(digest_size=16)
    for part in (request.method.encode(), request.path.encode(), request.query, request.body):
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.digest()
