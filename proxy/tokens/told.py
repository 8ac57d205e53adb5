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
