"""A conversation of one official client with the gateway, in words that are the same for all clients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import msgspec

from tests.support.heard.answer import Called, Heard

OUT = "x-pair"  # the header that chooses the provider


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A picture: base64 data of a type, or an address."""

    data: str = ""
    media_type: str = "image/png"
    url: str = ""


class Tool(msgspec.Struct, frozen=True):
    """A function that the model may call."""

    name: str
    description: str
    schema: dict[str, Any]


class Result(msgspec.Struct, frozen=True):
    """What came of a call."""

    call: Called
    text: str
    image: Image | None = None
    failed: bool = False


class Wishes(msgspec.Struct, kw_only=True):
    """Parameters of a request. ``choice``: a tool's name, or one of the words. ``thinks``: tokens to think with."""

    max_tokens: int | None = 500
    temperature: float | None = None
    top_p: float | None = None
    stop: list[str] = []
    tools: list[Tool] = []
    choice: str | Literal["auto", "none", "required"] | None = None
    schema: dict[str, Any] | None = None
    thinks: int | None = None


class Talk(ABC):
    """One conversation; answers are put into it as the client's own documentation says."""

    def __init__(self, model: str, wishes: Wishes) -> None:
        self.model = model
        self.wishes = wishes

    @abstractmethod
    def system(self, text: str) -> None:
        """What the operator says."""

    @abstractmethod
    def user(self, *parts: str | Image) -> None:
        """What the user says."""

    @abstractmethod
    def results(self, *results: Result) -> None:
        """What came of the calls."""

    @abstractmethod
    async def ask(self, *, stream: bool) -> Heard:
        """The answer, which is part of the conversation from then on."""

    async def count(self) -> int | None:
        """Tokens of the conversation, as the provider counts them; None if this client has no such question."""
        return None

    @abstractmethod
    async def close(self) -> None:
        """Close its connections."""


def given(**values: Any) -> dict[str, Any]:
    """Those that are set."""
    return {name: value for name, value in values.items() if value is not None and value != []}


def data_url(image: Image) -> str:
    """As a browser writes it."""
    return image.url or f"data:{image.media_type};base64,{image.data}"
