"""Where answers tell of their usage, in any dialect: what is read of an answer on its way through."""

from __future__ import annotations

from typing import Any

import msgspec


class _Inner(msgspec.Struct):
    usage: Any = None
    service_tier: Any = None


class Told(msgspec.Struct):
    """All places in which an answer, or a message of a stream, may tell of its usage; as it stands there."""

    usage: Any = None
    metadata: Any = msgspec.field(name="usageMetadata", default=None)
    service_tier: Any = None
    message: _Inner | None = None
    response: _Inner | None = None


_DECODER = msgspec.json.Decoder(Told, strict=False)
_JSON = msgspec.json.Decoder(msgspec.Raw)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_told(body: bytes) -> Told | None:
    """What JSON tells; None for what is no object, or has something else in these places.

    Raises:
        msgspec.DecodeError, RecursionError: it is no JSON.
    """
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError:
        _JSON.decode(body)  # the rest has not been looked at
        return None


def without_usage(body: bytes) -> bytes:
    """A whole answer that tells nothing of its usage; for one that tells what cannot be read.

    Raises:
        msgspec.DecodeError, RecursionError: it is no JSON, or no object.
    """
    members = _MEMBERS.decode(body)
    for name in ("usage", "usageMetadata"):
        members.pop(name, None)
    return msgspec.json.encode(members)
