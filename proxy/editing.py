"""How policies see a request that they change: its messages and parameters, whatever its dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from proxy.chat import Chat
from proxy.exchange import Exchange

# What to set instead of what is there, None where nothing is; None: leave it.
Change = Callable[[float | None], float | None]


class Step(Protocol):
    """Messages that can only go together."""

    @property
    def items(self) -> tuple[int, ...]:
        """Their indexes."""

    @property
    def tokens(self) -> int:
        """About how many they have."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of what is said in them."""


class History(Protocol):
    """The messages of a request as they stand in it. ``steps``: what may go, in the order in which it goes."""

    @property
    def steps(self) -> Sequence[Step]:
        """The oldest first."""

    def text(self, indexes: tuple[int, ...]) -> bytes:
        """These messages as they stand, without pictures and other data."""

    def without(self, indexes: tuple[int, ...], summary: str | None = None) -> bytes:
        """The body without these messages; in place of the first of them ``summary``, as a word of the user's."""

    def with_more(self, answer: str, complaint: str) -> bytes:
        """The body with two more messages: what the model has answered, and what is to be said to that.

        Raises:
            ValueError: there is nothing to which they could be added.
        """


class Offered(Protocol):
    """The tools that a request offers."""

    @property
    def names(self) -> Sequence[str]:
        """What they are called; what the provider runs itself by its type."""

    def chosen(self) -> list[str]:
        """Texts in what the request says of the tools that must be called: among them their names."""

    def without(self, is_denied: Callable[[str], bool]) -> bytes:
        """The request without tools of these names."""


class Editor(Protocol):
    """Changes requests in their callers' own bytes: what is not named stays as it came, to the byte."""

    async def read(self, x: Exchange) -> Chat | None:
        """What the caller said, however long it is; None for what is no conversation.

        Raises:
            BadRequest: what was sent makes no sense.
        """

    def adjust(self, x: Exchange, changes: Mapping[str, Change]) -> None:
        """Set parameters (members of ``Chat`` that are numbers) anew.

        Raises:
            BadRequest: the request is no JSON object.
        """

    async def history(self, x: Exchange) -> History | None:
        """The messages of a request; None for what is no conversation, or has none that can be told apart."""

    async def offered(self, x: Exchange) -> Offered | None:
        """The tools of a request; None for what is no conversation.

        Raises:
            BadRequest: what was sent makes no sense.
        """

    def rewrite(self, x: Exchange, body: bytes) -> None:
        """Let ``body`` be what the caller has sent. Policies before this one have seen another."""
