"""``kind: replay``: a provider that is a cassette. It answers what is recorded, byte for byte, and asks nobody.

What was recorded is the end of a story: what the caller got after all that was tried. So a recorded error is handed to
the caller as it is, and neither tried again nor held against this target; a request that is not on the cassette is one
that this target cannot answer, and another may. Nothing is charged, as nothing is sent.
"""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from proxy.cassettes.deck import MISSED, MISSED_STATUS, Deck, Settings
from proxy.cassettes.matching import Matching, rules
from proxy.cassettes.player import Player, head, headers, is_sse, pace
from proxy.cassettes.recorder import Stars
from proxy.errors import Rejected, Unsupported
from proxy.exchange import Exchange
from proxy.policy import Answer, Config, Timeouts
from proxy.providers.provider import Provider, ProviderContext


class ReplayConfig(Config, frozen=True):
    """See ``schemas/providers/replay.json``."""

    cassette: str
    kind: Literal["replay"] = "replay"
    match: Matching = "lenient"
    speed: str = "instant"


class Replay(Provider):
    """Answers from a cassette."""

    __slots__ = ("_deck", "_pace", "_stars")

    Config = ReplayConfig
    is_judged = False

    @classmethod
    def compile(cls, name: str, config: ReplayConfig, context: ProviderContext) -> Replay | None:
        """Read the cassette."""
        path = context.file(config.cassette, "cassette")
        settings = Settings(config.cassette, path, "none", rules(config.match))
        deck = context.shared(settings.key, lambda: Deck(settings, lambda result, why: None))
        for flaw in deck.flaws:
            context.fail(flaw, "cassette")
        return cls(name, deck, pace(config.speed))

    def __init__(self, name: str, deck: Deck, pace: float) -> None:
        super().__init__(name)
        self._deck = deck
        self._pace = pace
        self._stars = Stars()

    async def send(self, x: Exchange, model: str | None, timeouts: Timeouts) -> Answer:
        """The recorded answer.

        Raises:
            Unsupported: there is none.
            Rejected: it is an error, which the caller gets as it is.
        """
        sent = self._stars.request(x, self.outbound_body(x, model))
        if model is not None and x.endpoint.model_in == "path":
            sent = replace(sent, path=x.path.replace(f"/{x.model}:", f"/{model}:"))
        take = await self._deck.find(sent)
        if take is None:
            message = await self._deck.missed(sent)
            raise Unsupported(message, status=MISSED_STATUS, code=MISSED)
        said = take.response
        await head(take, self._pace, x.deadline)
        if said.events is not None:
            player = Player(take, self._pace, x.deadline)
            return Answer(said.status, headers(said), chunks=player, is_sse=is_sse(said))
        body = said.content()
        if said.status >= 400:
            raise Rejected(
                f"A recorded error ({said.status}).",
                raw=(said.status, tuple(headers(said)), body),
                status=said.status,
                code=said.code or Rejected.code,
            )
        return Answer(said.status, headers(said), body=body)

    def preview(self, x: Exchange, model: str | None) -> tuple[bytes, tuple[str, ...]]:
        """What is looked for."""
        return self.outbound_body(x, model), ()

    def describe(self) -> str:
        """Where answers come from."""
        return f"the cassette {self._deck.name}"
