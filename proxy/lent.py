"""What policies are lent: the keys of callers and of issuers, and the pieces of a stream. Part of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from proxy.chat import Event
from proxy.exchange import Identity


class KeySource(Protocol):
    """Public keys that change. On the loop only; nothing here waits."""

    def keys(self) -> Mapping[str, Mapping[str, str]] | None:
        """JWK (RFC 7517, public members only) by id, the same object until one changes; None while none are known."""

    def missed(self) -> None:
        """A key was asked for that is not there: have a look soon."""

    def retry_after(self) -> int:
        """Whole seconds until keys may be there, at least one."""


class Keys(Protocol):
    """All keys that are good: those of the file, and those that were issued."""

    def __bool__(self) -> bool:
        """Whether there may be any."""

    def get(self, digest: bytes) -> Identity | None:
        """Whose key has this SHA-256 (32 bytes)."""

    def values(self) -> Iterable[Identity]:
        """All that the file knows."""

    def detours(self) -> Iterable[str]:
        """Routes to which their limits may lead, also those of keys that are issued later."""


class Pieces(Protocol):
    """A stream of events in its caller's dialect: one object per answer."""

    def split(self, chunk: bytes) -> list[bytes]:
        """Whole events, as the bytes that came."""

    def read(self, event: bytes) -> list[Event]:
        """What it says; nothing if it cannot be read.

        Raises:
            UpstreamError: the provider says that it has failed.
        """

    def write(self, events: list[Event]) -> bytes:
        """Events in the caller's dialect: from the first on, or not at all."""
