"""What a provider was asked, in words of no dialect."""

from __future__ import annotations

from typing import Any

import msgspec


class Said(msgspec.Struct, frozen=True):
    """Text."""

    text: str


class Shown(msgspec.Struct, frozen=True):
    """A picture: its base64 data, or its address."""

    source: str
    media_type: str = ""


class Thought(msgspec.Struct, frozen=True):
    """An earlier thought, with what proves it."""

    text: str
    proof: str = ""


class Hidden(msgspec.Struct, frozen=True):
    """An earlier thought that only its maker can read."""

    data: str


class Did(msgspec.Struct, frozen=True):
    """An earlier call of a tool."""

    id: str
    name: str
    arguments: Any
    proof: str = ""


class Came(msgspec.Struct, frozen=True):
    """What came of a call."""

    id: str
    parts: list[Said | Shown]
    failed: bool = False
    name: str = ""


Part = Said | Shown | Thought | Hidden | Did | Came


class Turn(msgspec.Struct):
    """What one side said."""

    role: str
    parts: list[Part]

    def of(self, kind: type[Any]) -> list[Any]:
        """Its parts of a kind."""
        return [part for part in self.parts if isinstance(part, kind)]


class Request(msgspec.Struct, kw_only=True):
    """A request. ``system`` are the operator's texts at its head; ``choice`` a word or a tool's name."""

    model: str = ""
    stream: bool = False
    system: list[str] = []
    turns: list[Turn] = []
    tools: dict[str, Any] = {}  # name → schema
    descriptions: dict[str, str] = {}
    choice: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: list[str] = []
    schema: Any = None
    thinks: str | int | None = None

    def of(self, kind: type[Any]) -> list[Any]:
        """All parts of a kind, in order."""
        return [part for turn in self.turns for part in turn.of(kind)]


def turns(pairs: list[tuple[str, list[Part]]]) -> list[Turn]:
    """Neighbours of one role are one turn."""
    found: list[Turn] = []
    for role, parts in pairs:
        if found and found[-1].role == role:
            found[-1].parts += parts
        else:
            found.append(Turn(role, [*parts]))
    return found


def picture(url: str) -> Shown:
    """A picture by its address, which may hold it."""
    if url.startswith("data:"):
        head, _, data = url.partition(",")
        return Shown(data, head.removeprefix("data:").removesuffix(";base64"))
    return Shown(url)
