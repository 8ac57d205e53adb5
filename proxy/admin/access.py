"""Who may operate the gateway: a key of the file's ``admin.keys``; without any, a program on this machine.

A request that comes from this machine is not always an operator's. A page in a browser can send one, also to a name
that it makes point here, and a proxy on this machine sends those of everybody. What such requests bear is refused.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping, Sequence

from proxy.admin.roles import Operator
from proxy.errors import GatewayError, Header

LOCAL = "(loopback)"  # who it was, where no key told; no key can be called so
_BEARER = b"bearer "
_MAX_CREDENTIAL = 512
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(?::\d{1,5})?", re.IGNORECASE)
# A browser sends the first for a page; whoever passes a request on sends one of the others.
_FOREIGN = frozenset({b"origin", b"forwarded", b"via", b"x-real-ip"})
_FORWARDED = b"x-forwarded-"
_SET_KEY = "add a key under `admin.keys` in the file (`sluicegate keys new` makes one) and send it as a Bearer token"


class Refused(GatewayError):
    """The request is not an operator's."""

    status = 403
    code = "admin_not_allowed"


def who(keys: Mapping[bytes, Operator | str], headers: Sequence[Header], peer: str, *, writes: bool) -> Operator:
    """Whoever asks. ``keys``: SHA-256 of a key → whose it is; a plain name is an owner's. ``peer``: the address of the
    connection.

    Raises:
        Refused: they may not; with a sentence that says what to do.
    """
    if keys:
        return _by_key(keys, headers)
    if any(name == b"authorization" for name, _ in headers):
        raise _wrong_key(f"No admin key is good here, as the file has none: {_SET_KEY}, or leave it out.")
    reason = _foreign(headers, peer)
    if reason is not None:
        raise Refused(f"{reason}; to allow it, {_SET_KEY}.")
    if writes and _media_type(headers) != b"application/json":
        raise Refused("Without an admin key, send the body with `Content-Type: application/json`.")
    return Operator(LOCAL)


def _by_key(keys: Mapping[bytes, Operator | str], headers: Sequence[Header]) -> Operator:
    """By hash table and as a whole, so that neither time nor answer tells how near a guess was."""
    found = [value for name, value in headers if name == b"authorization"]
    if len(found) == 1 and found[0][: len(_BEARER)].lower() == _BEARER:
        credential = found[0][len(_BEARER) :].strip()
        if credential and len(credential) <= _MAX_CREDENTIAL:
            operator = keys.get(hashlib.sha256(credential).digest())
            if operator is not None:
                return operator if isinstance(operator, Operator) else Operator(operator)
    raise _wrong_key("No valid admin key. Send one of the file's `admin.keys` as `Authorization: Bearer <key>`.")


def _wrong_key(message: str) -> Refused:
    error = Refused(message, status=401, code="invalid_admin_key")
    error.headers = ((b"www-authenticate", b"Bearer"),)
    return error


def _foreign(headers: Sequence[Header], peer: str) -> str | None:
    """Why this is not certainly a program on this machine."""
    if not _is_loopback(peer):
        return "Only programs on this machine are allowed without an admin key"
    for name, _ in headers:
        if name in _FOREIGN or name.startswith(_FORWARDED):
            return f"A request with the header `{name.decode('latin-1')[:40]}` is not allowed without an admin key"
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    if len(hosts) != 1 or not is_local_host(hosts[0]):
        return "The request must be sent to localhost, 127.0.0.1 or [::1] by that name, if it has no admin key"
    return None


def is_local_host(host: str) -> bool:
    """Whether a ``Host`` header names this machine by ``localhost`` or a loopback address, with any port."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].lower()
    return name == "localhost" or _is_loopback(name[1:-1] if name.startswith("[") else name)


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return found.is_loopback or (mapped is not None and bool(mapped.is_loopback))


def _media_type(headers: Sequence[Header]) -> bytes:
    found = [value for name, value in headers if name == b"content-type"]
    return found[0].partition(b";")[0].strip().lower() if len(found) == 1 else b""
