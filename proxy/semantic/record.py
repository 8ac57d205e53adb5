"""A question as it lies in a store that replicas share.

The bytes say which form they have and who made the vector, and carry a digest that is made with the place at which they
are looked up: what was cut, changed, moved, written by another version or measured by another model is found out.
"""

from __future__ import annotations

import sys
from array import array
from hashlib import blake2b, sha256
from math import sqrt
from operator import mul

import msgspec

from proxy.caching.entry import Damaged
from proxy.semantic.guard import Question
from proxy.semantic.memory import Kept

VERSION = 1
_MARK = b"sgq" + bytes((VERSION,))
_MODEL = 16  # bytes of what tells models apart
_DIGEST = 16  # bytes
_HEAD = len(_MARK) + _MODEL + _DIGEST
_OFF = 1e-3  # from length one, by rounding


class _Content(msgspec.Struct, frozen=True, array_like=True):
    key: bytes
    text: str
    until: float
    tags: tuple[str, ...]
    vector: bytes  # floats of 4 bytes, the lowest first


_unpack = msgspec.msgpack.Decoder(_Content).decode


def place_of(partition: bytes, question: Question) -> bytes:
    """32 bytes: where all lie that could share an answer."""
    parts = [partition, *[word.encode("utf-8", "surrogatepass") for part in question.form for word in ("", *part)]]
    return sha256(b"semantic" + b"".join([b"%d:%b" % (len(part), part) for part in parts])).digest()


def model_of(name: str, content: bytes = b"") -> bytes:
    """What tells one embedder from another: its name, or what its files contain."""
    return blake2b(content or name.encode("utf-8", "replace"), digest_size=_MODEL, person=b"embedder").digest()


def name_of(model: bytes, key: bytes) -> bytes:
    """Under which it lies at its place: one for each text and each model."""
    return blake2b(model + key, digest_size=_DIGEST, person=b"name").digest()


def seal(place: bytes, model: bytes, kept: Kept) -> bytes:
    """``kept`` as bytes that are good at ``place`` only."""
    vector = array("f", kept.vector)
    text = kept.question.text.encode("utf-8", "replace").decode()
    payload = msgspec.msgpack.encode(_Content(kept.key, text, kept.until, kept.tags, _turned(vector).tobytes()))
    head = _MARK + model
    return head + _digest(place, head, payload) + payload


def unseal(place: bytes, model: bytes, data: bytes, partition: bytes, question: Question) -> Kept:
    """It again. ``question``: one of the same form.

    Raises:
        Damaged: it is none, or none for this place, or by another ``model``.
    """
    if len(data) < _HEAD:
        raise Damaged("truncated")
    head, digest, payload = data[: _HEAD - _DIGEST], data[_HEAD - _DIGEST : _HEAD], data[_HEAD:]
    if not head.startswith(_MARK):
        raise Damaged("version")
    if _digest(place, head, payload) != digest:
        raise Damaged("checksum")
    if head[len(_MARK) :] != model:
        raise Damaged("model")
    try:
        content = _unpack(payload)
    except msgspec.DecodeError as error:
        raise Damaged("content") from error
    vector = array("f")
    if len(content.vector) % vector.itemsize:
        raise Damaged("content")
    vector.frombytes(content.vector)
    vector = _turned(vector)
    if not abs(sqrt(sum(map(mul, vector, vector))) - 1) < _OFF:  # nor is one that is no number
        raise Damaged("content")
    said = msgspec.structs.replace(question, text=content.text)
    return Kept(content.key, partition, said, vector, content.until, content.tags)


def _turned(vector: array[float]) -> array[float]:
    """In the order of bytes of the store, or back."""
    if sys.byteorder == "big":
        vector.byteswap()
    return vector


def _digest(place: bytes, head: bytes, payload: bytes) -> bytes:
    found = blake2b(head, digest_size=_DIGEST, key=place)
    found.update(payload)
    return found.digest()
