"""What a client heard, in words of no dialect: what the answers of all clients are compared in."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tests.upstream.say import Tokens


class Called(msgspec.Struct, frozen=True):
    """A call of a tool."""

    id: str
    name: str
    arguments: str  # JSON text

    @property
    def given(self) -> Any:
        """Its arguments, decoded."""
        return json.loads(self.arguments or "{}")


class Heard(msgspec.Struct, kw_only=True):
    """One answer as its client understands it. ``proofs`` are signatures, ``hidden`` redacted thoughts."""

    model: str
    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    proofs: list[str] = []
    hidden: list[str] = []
    calls: list[Called] = []
    stop: str = ""
    sequence: str | None = None
    usage: Tokens | None = None
    sources: list[tuple[str, str]] = []  # url, title

    @property
    def words(self) -> str:
        """Text and refusal: some formats have one word for both."""
        return self.text + self.refusal


class Grammar(AssertionError):
    """A stream that breaks the rules of its format."""


def demand(holds: bool, what: str, *more: object) -> None:
    """Raise ``Grammar`` if something does not hold."""
    if not holds:
        raise Grammar(f"{what} {' '.join(map(str, more))}")
