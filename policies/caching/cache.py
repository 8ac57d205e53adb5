"""Equal requests are answered from memory, or from a store that replicas share: at once, and at no cost.

An answer is kept if it is whole and would be the same again, and is found by everything that could change it. A hit
stands in the place of the target, so that the other policies see it like any other answer.
"""

from __future__ import annotations

import time
from typing import Literal, Self

from policies.caching._asked import ALONE, Asked, Whole
from policies.caching._refresh import Refresh
from policies.caching._replay import HEADER, OK, Followed, Followers, Pace, Replayed
from policies.caching._saving import Saving
from policies.caching._times import Times, TtlRule, mixed
from proxy.caching.broadcast import Broadcast
from proxy.caching.control import HEADER as CONTROL
from proxy.caching.control import Control, read_control
from proxy.caching.entry import Entry
from proxy.caching.key import Keys, NotComparable, Scope, read_body, shown
from proxy.caching.room import Room
from proxy.caching.rules import Rules
from proxy.caching.savings import Kind
from proxy.caching.tags import tags_of
from proxy.exchange import Exchange, Reply
from proxy.kept import aside
from proxy.policy import Answer, CompileContext, Config, Policy
from proxy.reports import NAME as REPORTS
from proxy.reports import Reports
from proxy.units import Duration, Size

_ASIDE = 256 << 10  # bytes of a body from which on reading it would hold up others
_STALE = (b"warning", b'110 - "Response is Stale"')
_FAILED = (b"warning", b'111 - "Revalidation Failed"')
_RATE_LIMITED, _FIRST_FAILURE = 429, 500
_PATIENCE = b"x-deadline-ms"  # in which a caller says how long it waits
Result = Literal["hit", "stale", "shared", "miss", "bypass"]
_TOLD: dict[Result, bytes] = {"hit": b"hit", "stale": b"stale", "shared": b"hit", "miss": b"miss", "bypass": b"bypass"}


class CacheConfig(Config, frozen=True):
    """See ``schemas/policies/cache.json``."""

    ttl: Duration = Duration(600)
    ttl_rules: tuple[TtlRule, ...] = ()
    template: str | None = None
    scope: Scope = "key"
    personalised: bool = False
    ignore: tuple[str, ...] = ()
    temperature: Literal["zero", "any"] = "zero"
    tool_calls: bool = False
    stale_if_error: Duration = Duration(0)
    stale_while_revalidate: Duration = Duration(0)
    replay: Pace = "at_once"
    single_flight: bool = True
    max_size: Size = Size(64 << 20)
    max_entries: int = 10_000
    max_body: Size = Size(1 << 20)
    when_store_fails: Literal["miss", "memory"] = "miss"


class Cache(Policy):
    """Stands behind `authenticate`, as an answer is its caller's own, and behind what changes the request."""

    __slots__ = (
        "_config",
        "_context",
        "_followers",
        "_keys",
        "_refresh",
        "_reports",
        "_room",
        "_rules",
        "_saving",
        "_savings",
        "_slot",
        "_template",
        "_times",
    )

    Config = CacheConfig

    def __init__(self, config: CacheConfig, context: CompileContext, room: Room) -> None:
        self._config = config
        self._context = context
        self._room = room
        self._template = config.template or ""
        self._times = Times.compile(float(config.ttl), config.ttl_rules, context)
        self._keys = Keys(
            config.scope,
            mixed(context.fingerprint(), config.ttl_rules, config.template),
            routing=context.routing(),
            personalised=config.personalised,
            ignore=config.ignore,
        )
        self._rules = Rules(tool_calls=config.tool_calls, any_temperature=config.temperature == "any")
        self._reports = context.shared(REPORTS, Reports)
        stale = max(config.stale_if_error, config.stale_while_revalidate)
        self._savings = context.savings()
        self._followers = Followers(self._savings, room.stats, self._reports)
        self._saving = Saving(room, context, self._rules, self._reports, float(stale), self._template)
        self._refresh = Refresh(room, context, self._saving, config.max_body)
        self._slot = context.slot()

    @classmethod
    def compile(cls, config: CacheConfig, context: CompileContext) -> Self:
        return cls(config, context, context.room(config.max_size, config.max_entries))

    # What is asked

    async def on_request(self, x: Exchange) -> Reply | None:
        try:
            control = read_control(x)
        except ValueError as error:
            return x.refuse(400, "invalid_cache_control", str(error), param=CONTROL.decode())
        try:
            body = await aside(read_body, x.body) if len(x.body) > _ASIDE else read_body(x.body)
            reason = self._rules.of_request(x, body, self._context.conversation)
        except NotComparable as error:
            reason = str(error)
        if reason is not None:
            self._told(x, "bypass", reason)
            return None
        ttl, rule = self._times.of(x, body)
        if ttl <= 0:
            x.unkept = f"not for a moment, says the rule `{rule}`"
            self._told(x, "bypass", x.unkept)
            return None
        wants_usage = _wants_usage(body)
        # What has no neutral form is given again only in the form in which it was kept.
        purpose = b"exact" if x.endpoint.dialect is not None else b"exact %d%d" % (x.stream, wants_usage)
        key = self._keys.of(x, body, purpose=purpose)
        asked = x.state[self._slot] = Asked(key, control, wants_usage=wants_usage, ttl=ttl)
        try:
            await self._look(x, asked)
        except BaseException:  # the caller has left: a policy that is not through is not closed
            self.on_close(x)
            raise
        return None

    async def _look(self, x: Exchange, asked: Asked) -> None:
        """An answer that is kept, or that somebody is waiting for; else this request goes on to ask for one."""
        room, control = self._room, asked.control
        if control.no_cache:
            await self._found(x, asked)
            self._told(x, "bypass", "the caller wants it anew", asked)
            return
        if room.is_local:
            found = room.look(asked.key)
            asked.moment = found.moment
            if found.entry is not None and self._answered(x, asked, found.entry):
                return
        if self._may_fly(x, control) and not await self._lead(x, asked):
            return
        if not room.is_local:
            entry = await self._found(x, asked)
            if entry is not None and self._answered(x, asked, entry):
                return
        self._told(x, "miss", "", asked)

    def _may_fly(self, x: Exchange, control: Control) -> bool:
        """Whether this request may be one with others: not if its answer is to be nobody's, or would be broken off
        before those of others."""
        # As it was added, or rounding looks hurried. What `limits` leaves of the route's time is the same for all.
        is_hurried = x.header(_PATIENCE) is not None and x.deadline < x.received + self._context.timeouts.total
        return self._config.single_flight and not control.no_store and not is_hurried

    async def _found(self, x: Exchange, asked: Asked) -> Entry | None:
        """In the store that replicas share."""
        otherwise_here = self._config.when_store_fails == "memory"
        tags = tags_of(x, asked.key, self._template)
        found = await self._room.find(asked.key, tags, otherwise_here=otherwise_here)
        asked.moment = found.moment
        return found.entry

    async def _lead(self, x: Exchange, asked: Asked) -> bool:
        """Whether this request is to be sent. If not, it gets what an equal one gets that is in flight."""
        room, key = self._room, asked.flight_key(x)
        flight = room.flights.find(key)
        if flight is None:
            asked.flight, asked.leads = room.flights.begin(key), True
            return True
        since = time.monotonic()
        try:
            got = await flight.board(x.deadline - since)
        except TimeoutError:
            return True
        finally:
            x.upstream_wait += time.monotonic() - since  # no time of the gateway's own
        if got is None:
            asked.flight, asked.leads = flight, True
        elif isinstance(got, Entry):
            return not self._answered(x, asked, got)
        elif isinstance(got, Whole):
            if got.status != OK and not room.is_local:  # what is kept may be better
                found = await self._found(x, asked)
                if found is not None and self._answered(x, asked, found):
                    return False
            x.detour = Followed(got, None, self._context, self._followers)
            self._told(x, "shared", "", asked)
        elif isinstance(got, Broadcast) and got.takes_readers:
            asked.reader = got.reader()
            x.detour = Followed(got.head, asked.reader, self._context, self._followers)
            self._told(x, "shared", "", asked)
        else:  # nothing that several can have
            return True
        return got is None

    def _answered(self, x: Exchange, asked: Asked, entry: Entry) -> bool:
        """Whether ``entry`` answers. One that is too old is remembered, in case that nobody else does."""
        config, age = self._config, max(0.0, self._context.now() - entry.stored)
        most = asked.control.max_age
        if most is not None and age > most:
            return False
        assert asked.ttl is not None
        late = age - min(entry.ttl, asked.ttl)
        if late > 0:
            if late <= config.stale_if_error:
                asked.found = entry
            if late > config.stale_while_revalidate:
                return False
        replayed = self._replayed(entry, asked, "exact" if late <= 0 else "stale")
        x.detour = replayed
        if late > 0:
            x.reply_headers.append(_STALE)
            x.detour = self._refresh.behind(replayed, asked)
        if asked.leads and asked.flight is not None:
            asked.flight.share(entry)
        self._told(x, "hit" if late <= 0 else "stale", "", asked, entry, age)
        return True

    def _replayed(self, entry: Entry, asked: Asked, kind: Kind) -> Replayed:
        return Replayed(
            entry, self._context, self._savings, self._config.replay, wants_usage=asked.wants_usage, kind=kind
        )

    # What is answered

    def on_response(self, x: Exchange, answer: Answer) -> None:
        asked: Asked | None = x.state[self._slot]
        if asked is None:
            return
        if not asked.is_answered:
            is_good = answer.status == OK and bool(x.attempts) and answer.socket is None
            if is_good and (answer.body is not None or answer.is_sse):
                asked.take(x, answer, self._config.max_body)
            if asked.leads:
                self._share(x, asked, answer)
        if asked.found is not None and _is_failure(x, answer):
            self._instead(x, asked, answer, asked.found)

    @staticmethod
    def _share(x: Exchange, asked: Asked, answer: Answer) -> None:
        """With those who wait: what has come, a failure, or the word that each has to ask alone."""
        flight = asked.flight
        assert flight is not None
        if asked.head is not None:
            flight.share(asked.head if asked.flow is None else asked.flow)
            return
        asked.leads = False
        if answer.body is None:
            flight.share(ALONE)
            flight.land()
        elif x.attempts and "refused_by" not in x.notes:
            flight.fail(Whole(answer, x.attempts))
        else:
            flight.leave()

    def _instead(self, x: Exchange, asked: Asked, answer: Answer, entry: Entry) -> None:
        """What is kept takes the place of a failure."""
        x.notes["cache_instead_of"] = f"{answer.status} {answer.code or ''}".rstrip()
        answer.discard()
        other = self._replayed(entry, asked, "stale").answer(x)
        answer.status, answer.headers, answer.code = other.status, other.headers, None
        answer.body, answer.chunks, answer.is_sse, answer.target = other.body, other.chunks, other.is_sse, other.target
        answer.close, answer.attempt, answer.dropped = None, None, other.dropped
        x.reply_headers[:] = [header for header in x.reply_headers if header[0] != HEADER]
        x.reply_headers += (_STALE, _FAILED)
        self._told(x, "stale", "", asked, entry, max(0.0, self._context.now() - entry.stored))

    def on_close(self, x: Exchange) -> None:
        asked: Asked | None = x.state[self._slot]
        if asked is None:
            return
        if asked.reader is not None and asked.flow is None:
            asked.reader.close()
        flight = asked.flight if asked.leads else None
        if asked.head is not None and not asked.is_left:
            self._saving.save(x, asked)
        elif flight is not None and not asked.is_left:
            flight.land() if asked.is_answered else flight.leave()

    # What is told

    def _told(
        self,
        x: Exchange,
        result: Result,
        why: str,
        asked: Asked | None = None,
        entry: Entry | None = None,
        age: float = 0,
    ) -> None:
        note = result if asked is None else f"{result} {shown(asked.key)}"
        stats = self._room.stats
        stats.requests[result] += 1
        x.reply_headers.append((HEADER, _TOLD[result]))
        saved = 0
        if asked is not None and result in ("hit", "stale", "shared"):
            asked.is_answered = True
        if entry is not None:
            saved = entry.cost
            stats.saved_cost += saved
            stats.saved_seconds += entry.seconds
            stats.saved_tokens += entry.input_tokens + entry.output_tokens
            x.reply_headers.append((b"age", b"%d" % age))
            note += f", {age:.0f} s old, saves ${saved / 1e9:.6f}"
        x.notes["cache"] = f"{note}: {why}" if why else note
        self._reports.tell("cache.request", route=x.route, result=result, saved=saved)

    def explain(self, x: Exchange) -> str:
        asked: Asked | None = x.state[self._slot]
        note = x.notes.get("cache", "passes")
        if asked is None:
            return note
        shared = f"looked up by {asked.key.hex()}, shared by each {self._config.scope}"
        return f"{note}; {shared}, fresh for {asked.ttl:g} s"


def _wants_usage(body: dict[str, object]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _is_failure(x: Exchange, answer: Answer) -> bool:
    """Whether those failed who should have answered: not one that the caller has brought about."""
    if "refused_by" in x.notes or "replaced_by" in x.notes:
        return False
    return answer.status >= _FIRST_FAILURE or answer.status == _RATE_LIMITED
