"""What a provider is: one upstream account, compiled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from proxy.chat import Losses
from proxy.dialects.dialect import Aim
from proxy.dialects.splice import insert_model, splice_form_model, splice_model
from proxy.dialects.spliced_cache import MARKED_DIALECTS, place_markers
from proxy.exchange import Exchange
from proxy.ledger.prices import Prices
from proxy.policy import Answer, Config, NoConfig, Timeouts
from proxy.providers.capabilities import Known
from proxy.translation.attempt import preview

T = TypeVar("T")


class ProviderContext(Protocol):
    """What compiling an account may use. Everything is handed in; nothing is global."""

    def file(self, name: str, at: str) -> Path:
        """The file that the value at ``at`` names, as seen from the file in which that stands."""

    def shared(self, key: str, factory: Callable[[], T]) -> T:
        """State that survives reloads, by name. The same key gives the same object as long as a generation uses it."""

    def fail(self, message: str, at: str = "") -> None:
        """Report a problem at the path ``at`` below this account. Compiling goes on."""


class Provider(ABC):
    """A compiled account: immutable, shared by all requests; what changes lives in the shared state."""

    __slots__ = ("known", "name", "prices", "quirks", "speaks")

    Config: ClassVar[type[Config]] = NoConfig
    is_judged: ClassVar[bool] = True  # whether its targets are left alone while they fail

    def __init__(self, name: str, speaks: tuple[str, ...] = ("openai_chat", "openai_responses")) -> None:
        self.name = name
        self.speaks = speaks  # dialects; a conversation in another one is translated into the first
        self.quirks: frozenset[str] = frozenset()
        self.known = Known("openai")  # replaced while compiling, for a kind or preset with models of its own
        self.prices = Prices()  # replaced likewise

    def aim(self, model: str) -> Aim:
        """What a request to ``model`` is written for."""
        return Aim(model=model, capabilities=self.known.of(model), quirks=self.quirks)

    def secrets(self) -> Sequence[bytes]:
        """What it sends and nobody may see."""
        return ()

    def passes(self, x: Exchange, model: str | None) -> bool:
        """Whether this account, which speaks the caller's dialect, can be sent the caller's bytes, more or less."""
        return True

    def native_body(self, x: Exchange, model: str | None, losses: Losses) -> bytes:
        """The caller's bytes for this account, which speaks the caller's dialect."""
        body = self.outbound_body(x, model)
        wanted, dialect = x.prompt_cache, x.endpoint.dialect
        if wanted is None or dialect not in MARKED_DIALECTS or self.known.of(model or x.model).prompt_cache != "marks":
            return body
        return place_markers(body, wanted, dialect)

    @classmethod
    @abstractmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> Provider | None:
        """Build the account; problems go to ``context.fail``. None when there is nothing to build."""

    @abstractmethod
    async def send(self, x: Exchange, model: str | None, timeouts: Timeouts) -> Answer:
        """One attempt at ``model`` (None: the caller's). An answer below 400, or an ``UpstreamError`` by meaning.

        A WebSocket comes as status 101 with ``Answer.socket``.
        """

    @abstractmethod
    def describe(self) -> str:
        """Where requests go, for people; no secret in it."""

    def outbound_body(self, x: Exchange, model: str | None) -> bytes:
        """The caller's bytes, with another model's name if it differs."""
        if model is None or model == x.model:
            return x.body
        where = x.endpoint.model_in
        if where == "json":
            return splice_model(x.body, model) if x.model else insert_model(x.body, model)
        if where == "multipart":
            return splice_form_model(x.body, x.header(b"content-type") or b"", model)
        return x.body

    def preview(self, x: Exchange, model: str | None) -> tuple[bytes, tuple[str, ...]]:
        """The body that would be sent now, for ``explain``, and the names of what it could not say."""
        return (self.outbound_body(x, model), ()) if x.endpoint.dialect is None else preview(x, model, self)
