"""Shares of callers: ``10% by user`` takes the same users every time, on every replica and after a restart."""

from __future__ import annotations

from hashlib import blake2b
from typing import Self

import msgspec

from proxy.choosing.sticky import unit
from proxy.exchange import Exchange
from proxy.tags import is_tag_name
from proxy.units import Percent

# What the credential proves. Everything else is a tag.
OF_CALLER = ("key", "team", "organisation")


class Rollout(msgspec.Struct, frozen=True):
    """``share``: from 0 to 1; ``by``: what decides who is among it, "" for each request by itself."""

    share: float = 1.0
    by: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``10%`` or ``10% by user``.

        Raises:
            ValueError: it is neither, or more than all.
        """
        share, *rest = text.split() or [""]
        if rest and (len(rest) != 2 or rest[0] != "by" or not (rest[1] in OF_CALLER or is_tag_name(rest[1]))):
            raise ValueError(f"{text!r} is not a rollout; write it like `10%` or `10% by user`")
        try:
            return cls(float(Percent.parse(share)), rest[1] if rest else "")
        except ValueError as error:
            if "more than" in str(error):
                raise
            raise ValueError(f"{text!r} is not a rollout; write it like `10%` or `10% by user`") from None

    def __str__(self) -> str:
        return f"{self.share * 100:g}%{f' by {self.by}' if self.by else ' of requests'}"


def subject_of(x: Exchange, by: str) -> str | None:
    """Who or what stays on one side; None where the request does not tell."""
    if not by:
        return x.request_id
    if by not in OF_CALLER:
        return x.tags.get(by)
    identity = x.identity
    if identity is None:
        return None
    parts = (identity.organisation, identity.team, identity.key)
    return "/".join(parts[: len(OF_CALLER) - OF_CALLER.index(by)])


def is_within(salt: bytes, subject: str, share: float) -> bool:
    """Whether ``subject`` is among a share. A larger share has all of a smaller one; other salts, other subjects.

    ``salt``: at most 64 bytes.
    """
    return unit(subject.encode("utf-8", "surrogatepass"), salt) <= share


def salt_of(name: str) -> bytes:
    """A key of the hash: what has one name takes the same subjects."""
    return blake2b(name.encode(), digest_size=16).digest()
