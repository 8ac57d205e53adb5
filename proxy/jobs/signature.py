"""Signatures of webhooks in the form of Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from proxy.errors import Header

_PREFIX = "whsec_"
_LEAST, _MOST = 24, 64


def read_secret(text: str) -> bytes:
    """The key in a secret: base64 of 24 to 64 bytes, with or without `whsec_` before it.

    Raises:
        ValueError: it is none; with a sentence for the reader, which does not repeat it.
    """
    try:
        found = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not _LEAST <= len(found) <= _MOST:
        raise ValueError(
            f"the secret must be base64 of {_LEAST} to {_MOST} random bytes; `openssl rand -base64 32` makes one"
        )
    return found


def signed(secret: bytes, identity: str, timestamp: int, body: bytes) -> list[Header]:
    """The headers that prove who has sent ``body``, and when."""
    content = b"%b.%d.%b" % (identity.encode(), timestamp, body)
    proof = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest())
    return [
        (b"webhook-id", identity.encode()),
        (b"webhook-timestamp", b"%d" % timestamp),
        (b"webhook-signature", b"v1," + proof),
    ]
