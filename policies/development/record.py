"""Writes what passes a route to a cassette, or answers from it: in the caller's own dialect, byte for byte.

It is a policy and no target, so that it sees what every target, translation and failure comes to in the end: what the
caller has asked, and what the caller got. A replay still flows: the exchange is led to a target that plays the take,
so that filters, limits and receipts see it as they see any other answer; as no provider is asked, it costs nothing.
"""

from __future__ import annotations

import re
from typing import Self

from proxy.cassettes.deck import MISSED, MISSED_STATUS, Deck, Mode, Settings
from proxy.cassettes.matching import Matching, rules
from proxy.cassettes.player import Player, head, headers, is_sse, pace
from proxy.cassettes.recorder import Pending, Stars
from proxy.cassettes.take import Take
from proxy.cassettes.taper import Taper, end_mark
from proxy.choosing.capability import Reach
from proxy.choosing.health import Health
from proxy.exchange import Exchange, Reply
from proxy.policy import Answer, Choice, CompileContext, Config, Policy, Target

HEADER = b"x-sluicegate-cassette"
_SOCKET = "A session over a WebSocket cannot be answered from a cassette."


class RecordConfig(Config, frozen=True):
    """See ``schemas/policies/record.json``."""

    cassette: str
    mode: Mode = "once"
    match: Matching = "lenient"
    speed: str = "instant"
    redact: tuple[str, ...] = ()


class Record(Policy):
    """Stands last, so that the other policies decide, and count, as they do without it."""

    __slots__ = ("_context", "_deck", "_pace", "_slot", "_stars")

    Config = RecordConfig

    def __init__(self, deck: Deck, pace: float, stars: Stars, context: CompileContext) -> None:
        self._deck = deck
        self._pace = pace
        self._stars = stars
        self._context = context
        self._slot = context.slot()

    @classmethod
    def compile(cls, config: RecordConfig, context: CompileContext) -> Self:
        patterns = [_pattern(text, f"redact[{at}]", context) for at, text in enumerate(config.redact)]
        stars = Stars(context.secrets(), [pattern for pattern in patterns if pattern is not None])
        settings = Settings(
            config.cassette, context.file(config.cassette, "cassette"), config.mode, rules(config.match)
        )

        def told(result: str, why: str) -> None:
            context.tell("cassette.lost", cassette=config.cassette, result=result, why=why)

        deck = context.shared(settings.key, lambda: Deck(settings, told))
        for flaw in deck.flaws:
            context.fail(flaw, "cassette")
        return cls(deck, pace(config.speed), stars, context)

    async def on_request(self, x: Exchange) -> Reply | None:
        if x.method == "WEBSOCKET":
            return None if self._deck.records else self._refuse(x, _SOCKET)
        if self._deck.replays:
            sent = self._stars.request(x)
            take = await self._deck.find(sent)
            if take is not None:
                x.detour = Played(take, self._pace)
                self._note(x, "replayed")
                return None
            if not self._deck.records:
                return self._refuse(x, await self._deck.missed(sent))
        x.state[self._slot] = Pending(x, self._stars)
        return None

    def on_response(self, x: Exchange, answer: Answer) -> None:
        pending: Pending | None = x.state[self._slot]
        if pending is None or answer.socket is not None or not _is_of_target(x, answer):
            return
        pending.head(answer.status, answer.headers, answer.code, answer.target)
        if answer.body is not None:
            pending.whole(answer.body)
            self._over(pending)
        elif answer.chunks is not None:
            ends = x.endpoint.ends if answer.is_sse else ()
            x.state[self._slot] = answer.chunks = Taper(pending, answer.chunks, self._over, end_mark(ends))
            self._note(x, "recording")

    def on_close(self, x: Exchange) -> None:
        taper = x.state[self._slot]
        if isinstance(taper, Taper):
            taper.close()

    def explain(self, x: Exchange) -> str:
        if "record" in x.notes:
            return f"answers from {self._deck.name}"
        return f"records to {self._deck.name} ({len(self._deck)} takes on it)"

    def _over(self, pending: Pending) -> None:
        """All that there will be has come."""
        self._note(pending.x, "recorded" if self._deck.record(pending) else "dropped")

    def _refuse(self, x: Exchange, message: str) -> Reply:
        self._note(x, "missed")
        return x.refuse(MISSED_STATUS, MISSED, message)

    def _note(self, x: Exchange, result: str) -> None:
        x.notes["record"] = f"{result}: {self._deck.name}"
        if result == "recording":
            return
        self._context.tell("cassette.request", route=x.route, result=result)
        if result == "replayed":
            x.reply_headers.append((HEADER, b"replayed"))


class Played(Target):
    """A take, in the place of the route's own target. Nobody is asked."""

    __slots__ = ("_pace", "_take")

    def __init__(self, take: Take, pace: float) -> None:
        self._take = take
        self._pace = pace

    async def send(self, x: Exchange) -> Answer:
        """The recorded answer, also if it is an error."""
        said = self._take.response
        await head(self._take, self._pace, x.deadline)
        answer = Answer(said.status, headers(said), is_sse=is_sse(said), code=said.code, target=self._take.target)
        if said.events is None:
            answer.body = said.content()
        else:
            answer.chunks = Player(self._take, self._pace, x.deadline)
        return answer

    def explain(self, x: Exchange) -> Choice:
        """It answers."""
        return Choice(self._take.target or "cassette", True, "answers from a cassette")

    def leaves(self) -> tuple[str, ...]:
        """None."""
        return ()

    def healths(self) -> tuple[Health, ...]:
        """None."""
        return ()

    def reaches(self) -> frozenset[Reach]:
        """Whatever was asked."""
        return frozenset({Reach()})


def _is_of_target(x: Exchange, answer: Answer) -> bool:
    """Whether this is what the target came to. What only the moment explains (no target was free, the caller's time was
    up before anybody was asked) is no answer to keep, and what another policy said is not the target's."""
    if "refused_by" in x.notes:
        return False
    return bool(x.attempts) or (answer.status < 500 and answer.status != 429)


def _pattern(text: str, at: str, context: CompileContext) -> re.Pattern[bytes] | None:
    try:
        return re.compile(text.encode())
    except re.error as error:
        context.fail(f"no regular expression: {error}", at)
        return None
