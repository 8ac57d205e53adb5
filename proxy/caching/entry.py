"""An answer as it is kept, and the bytes in which it lies in a store.

The bytes say which form they have and carry a digest that is made with the key under which they are looked up: what was
cut, changed, moved to another key or written by another version is found out, and is no answer.
"""

from __future__ import annotations

import zlib
from hashlib import blake2b

import msgspec

VERSION = 1
MAX_ENTRY = 32 << 20  # bytes, written out
COMPRESS_FROM = 4096  # bytes; for less it takes longer than it saves
_MARK = b"sgc"
_PLAIN, _PACKED = 0, 1
_DIGEST = 16  # bytes
_HEAD = len(_MARK) + 2 + _DIGEST


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """An answer with status 200, in the dialect of its caller.

    ``stored``: seconds since the epoch; ``ttl``: seconds for which it is fresh. ``id`` and ``created``: what stands in
    ``body``, "" and 0 for nothing. ``target`` and ``model``: who answered, and what was asked for; ``version``: of the
    model, as the answer tells it. ``cost`` (nano-dollars), ``seconds`` and tokens: what that took. ``tells_usage``: a
    stream that ends with its usage. ``marks``: the moment of the look-up before it was asked for, see
    ``proxy.caching.room``.
    """

    stored: float
    ttl: float
    content_type: bytes
    body: bytes
    is_sse: bool = False
    id: str = ""
    created: int = 0
    target: str = ""
    model: str = ""
    cost: int = 0
    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    tells_usage: bool = False
    dropped: tuple[str, ...] = ()
    marks: tuple[int, ...] = ()
    version: str = ""


class Damaged(Exception):
    """These bytes are no entry: ``version``, ``truncated``, ``checksum`` or ``content``."""


_pack = msgspec.msgpack.encode
_unpack = msgspec.msgpack.Decoder(Entry).decode


def seal(key: bytes, entry: Entry, compress_from: int = COMPRESS_FROM) -> bytes:
    """``entry`` as bytes that are good under ``key`` only."""
    payload = _pack(entry)
    form = _PLAIN
    if len(payload) >= compress_from:
        packed = zlib.compress(payload, 1)
        if len(packed) < len(payload):
            payload, form = packed, _PACKED
    head = _MARK + bytes((VERSION, form))
    return head + _digest(key, head, payload) + payload


def unseal(key: bytes, data: bytes) -> Entry:
    """The entry again.

    Raises:
        Damaged: there is none, or not for this key.
    """
    if len(data) < _HEAD:
        raise Damaged("truncated")
    head, digest, payload = data[: _HEAD - _DIGEST], data[_HEAD - _DIGEST : _HEAD], data[_HEAD:]
    if head[:-1] != _MARK + bytes((VERSION,)):
        raise Damaged("version")
    if _digest(key, head, payload) != digest:
        raise Damaged("checksum")
    try:
        return _unpack(_inflated(payload) if head[-1] == _PACKED else payload)
    except (msgspec.DecodeError, zlib.error) as error:
        raise Damaged("content") from error


def _digest(key: bytes, head: bytes, payload: bytes) -> bytes:
    found = blake2b(head, digest_size=_DIGEST, key=key)
    found.update(payload)
    return found.digest()


def _inflated(payload: bytes) -> bytes:
    inflate = zlib.decompressobj()
    found = inflate.decompress(payload, MAX_ENTRY)
    if not inflate.eof:
        raise Damaged("content")
    return found
