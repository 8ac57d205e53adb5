"""AWS Signature Version 4 in headers: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import NamedTuple
from urllib.parse import quote

from yarl import URL

from proxy.errors import Header

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNSIGNED = frozenset({"connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"})
_KEPT_SECRETS = 16  # whose signing keys are remembered


class Credentials(NamedTuple):
    """Of an IAM user, or temporary ones, which have a token."""

    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key[:4]}…)"


class Signer:
    """Signs requests to one service in one region. A key is derived once a day for each secret."""

    __slots__ = ("_keys", "_region", "_service")

    def __init__(self, service: str, region: str) -> None:
        self._service = service
        self._region = region
        self._keys: dict[tuple[str, str], bytes] = {}

    def sign(
        self,
        method: str,
        url: URL,
        headers: list[Header],
        body: bytes,
        credentials: Credentials,
        *,
        now: float | None = None,
    ) -> list[Header]:
        """The headers to add, so that AWS believes us. All of ``headers`` are signed but those that may change on the
        way; the host is signed with them. ``now`` is in seconds since the epoch.
        """
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        added = [(b"x-amz-date", stamp.encode())]
        if credentials.token:
            added.append((b"x-amz-security-token", credentials.token.encode()))
        names, block = _canonical_headers(url, [*headers, *added])
        request = "\n".join(
            (
                method,
                quote(url.raw_path or "/", safe="/-_.~"),
                _canonical_query(url.raw_query_string),
                block,
                names,
                hashlib.sha256(body).hexdigest(),
            )
        )
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        digest = hashlib.sha256(request.encode("latin-1")).hexdigest()
        text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}"
        signature = hmac.new(self._key(credentials.secret_key, stamp[:8]), text.encode(), hashlib.sha256).hexdigest()
        proof = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        added.append((b"authorization", proof.encode()))
        return added

    def _key(self, secret: str, day: str) -> bytes:
        found = self._keys.get((secret, day))
        if found is None:
            found = ("AWS4" + secret).encode()
            for step in (day, self._region, self._service, "aws4_request"):
                found = hmac.new(found, step.encode(), hashlib.sha256).digest()
            if len(self._keys) >= _KEPT_SECRETS:
                self._keys.clear()
            self._keys[secret, day] = found
        return found


def _canonical_headers(url: URL, headers: list[Header]) -> tuple[str, str]:
    """The names that are signed, and name and value of each, a line for each."""
    values: dict[str, list[str]] = {"host": [url.host_port_subcomponent or ""]}
    for raw, value in headers:
        name = raw.decode("latin-1").lower()
        if name not in _UNSIGNED and name != "host":
            values.setdefault(name, []).append(" ".join(value.decode("latin-1").split()))
    names = sorted(values)
    return ";".join(names), "".join(f"{name}:{','.join(values[name])}\n" for name in names)


def _canonical_query(query: str) -> str:
    """The pairs in order. They are percent-encoded already, as they travel."""
    if not query:
        return ""
    pairs = [pair.partition("=") for pair in query.split("&")]
    return "&".join(f"{name}={value}" for name, _, value in sorted(pairs))
