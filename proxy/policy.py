"""The contract: what a policy is, what a target is, and what they are given while compiling.

Two types per thing. A ``Config`` is frozen data (a ``msgspec.Struct``) that mirrors the schema; what ``compile``
returns is behaviour, immutable and shared by all requests of its routes. The request path never sees a ``Config``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

import msgspec

from proxy.caching.room import Room
from proxy.caching.savings import Savings
from proxy.canaries.release import Plan, Release
from proxy.chat import Adjustment, Chat, Completion, Pieces
from proxy.choosing.capability import AS_IT_IS, Growth, Needs, Reach
from proxy.choosing.health import Health
from proxy.editing import Editor
from proxy.errors import OPENAI, Header, Style, TargetOff
from proxy.exchange import Attempt, Exchange, Identity, Keys, KeySource, Reply
from proxy.experiments.plan import Enrolled
from proxy.filter import Filter as Filter  # noqa: PLC0414  # part of the contract
from proxy.filter import Halt as Halt  # noqa: PLC0414
from proxy.guarding.service import Service
from proxy.idempotency import Idempotency
from proxy.limits.limit import Counters, Rule
from proxy.price import Price

T = TypeVar("T")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every policy's and target's configuration. Field names and defaults equal those of its schema."""


class NoConfig(Config, frozen=True):
    """For a policy without settings."""


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds. ``first_token``: until the first content of the answer; ``gap``: between content events, where comments
    and keep-alives do not count; ``total``: the whole request, over all attempts. ``min_rate``: content events per
    second below which a stream is given up (0: none). ``attempt``: until an answer that is not streamed comes, in one
    attempt (0: as long as ``total``)."""

    connect: float = 5.0
    first_token: float = 60.0
    gap: float = 60.0
    total: float = 600.0
    min_rate: float = 0.0
    attempt: float = 0.0


class CompileContext(Protocol):
    """What compiling may use. Everything is handed in; nothing is global."""

    route: str  # name of the route being compiled
    timeouts: Timeouts  # of that route

    def slot(self) -> int:
        """A fresh index into ``Exchange.state`` for per-request data."""

    def shared(self, key: str, factory: Callable[[], T]) -> T:
        """State that survives reloads, by name. The same key gives the same object as long as a generation uses it."""

    def target(self, value: Any, at: str) -> Target | None:
        """Compile a child target found at the path ``at`` below this node. None if it was pruned or has a problem."""

    def fail(self, message: str, at: str = "") -> None:
        """Report a problem at the path ``at`` (``of[0].weight``) below this policy or node. Compiling goes on."""

    @property
    def refuses_unknown_price(self) -> bool:
        """Whether a request under a money limit is refused if nobody knows its price."""

    def counters(self) -> Counters:
        """Where limits are counted."""

    def idempotency(self) -> Idempotency:
        """Where it is known which requests were made already."""

    def room(self, max_size: int, max_entries: int, policy: str = "cache") -> Room:
        """Where answers of this route are kept: up to so many bytes and entries, where that is this process. Each
        ``policy`` has its own."""

    def savings(self) -> Savings:
        """The ledger, for answers that cost nothing."""

    def fingerprint(self) -> bytes:
        """32 bytes, another as soon as something of this route's configuration changes that could change a request or
        its answer: policies, the target tree, the accounts that it names."""

    def routing(self) -> str:
        """The conditions of this route's target tree as they stand in the file: to see what they look at."""

    def root(self) -> Target:
        """The tree of this route. Not while compiling: it comes after the policies."""

    def detour(self, route: str, at: str = "") -> Callable[[], Target] | None:
        """The tree of another route, once everything is compiled; None, and a problem at ``at``, if there is none."""

    async def count_input(self, x: Exchange) -> int:
        """Tokens of the request, counted. Slow: milliseconds for a long one, in a thread."""

    def bound(self, x: Exchange) -> tuple[int, int | None]:
        """Tokens of the request, at most, and of the answer, if the request says. Quick."""

    def grown(self, x: Exchange, size: tuple[int, int], growths: Collection[Growth]) -> tuple[int, int]:
        """Tokens of a request and of its answer, at most, at any of the targets to which it grows from ``size``."""

    def rules(self, limits: Sequence[Any], level: str, scope: str, at: str) -> tuple[Rule, ...]:
        """Entries of the file (``proxy.limits.limit.LimitConfig`` or texts) as rules; problems go below ``at``."""

    def tell(self, event: str, **fields: Any) -> None:
        """Something that operators should hear of: see ``proxy.reports``."""

    def enroll(self, experiment: Enrolled) -> float:
        """Make it known to whoever records what becomes of its requests. Returns where its piece of the subjects of
        its group begins, from 0 to 1. A problem if its name is taken, or nobody is left of the group."""

    def identities(self) -> Keys:
        """Every key, by the SHA-256 of it."""

    def tenant(self, organisation: str, team: str) -> Identity | None:
        """A team of the file, under no key's name; None if there is none. Not while compiling."""

    def key_set(self, issuer: str, source: str | None) -> KeySource:
        """The public keys of an issuer of tokens. ``source``: address of the set; without it, it is discovered."""

    def release(self, plan: Plan) -> Release:
        """How far a canary has come: survives reloads and restarts, by the name and identity of ``plan``."""

    def file(self, name: str, at: str) -> Path:
        """The file that the value at ``at`` names, as seen from the file in which that stands."""

    def secrets(self) -> Sequence[bytes]:
        """Keys of providers that nobody may see."""

    def now(self) -> float:
        """Wall clock, seconds since the epoch."""

    def needs(self, x: Exchange) -> Needs:
        """What ``x`` needs of a target; found out once per request. Reads the body: only for who decides by it."""

    def adjusted(self, x: Exchange, adjustment: Adjustment) -> tuple[Exchange, tuple[str, ...]]:
        """``x`` to be sent in its place with ``adjustment`` made, and the names of what its dialect has no word for.
        What is no conversation stays as it is. Slow for a long request: see ``proxy.translation.adjusting``.

        Raises:
            BadRequest: what is to be adjusted cannot be found without doubt.
        """

    def completion(self, x: Exchange, body: bytes, *, is_sse: bool) -> Completion | None:
        """The answer to ``x`` as its caller has it, read back; None if it is no conversation's, or unreadable. Slow:
        not for the request path."""

    def reply(self, x: Exchange, completion: Completion, *, stream: bool) -> Reply | None:
        """``completion`` as the answer to ``x``, in its caller's dialect; None if that is no conversation's."""

    def pieces(self, x: Exchange) -> Pieces | None:
        """The streamed answer to ``x``, taken apart; None if it is no conversation's."""

    def conversation(self, x: Exchange) -> Chat | None:
        """What the caller said, in the neutral form; None for what is no conversation, or too large to look into."""

    async def ask(self, target: Target, x: Exchange, prompt: str, patience: float, most: int = 16) -> str | None:
        """What ``target`` answers to a question of the gateway's own, for ``x``; None if nothing came in time."""

    async def embed(self, target: Target, x: Exchange, text: str, patience: float) -> list[float] | None:
        """The vector that ``target`` makes of ``text``, for ``x``; None if none came in time."""

    async def consult(self, target: Target, x: Exchange, path: str, body: bytes, patience: float) -> bytes | None:
        """What ``target`` answers to a request of the gateway's own, for ``x``; None if nothing good came in time."""

    def service(self, url: str, secret: str | None, patience: float) -> Service:
        """Somebody at ``url`` who is asked in JSON, for ``patience`` seconds; problems at ``url`` and ``secret``."""

    def editor(self) -> Editor:
        """What reads and changes requests before they are sent."""

    def provided_tags(self) -> frozenset[str] | None:
        """Tags that this route's ``tags`` policy may set; None if it accepts any; empty without that policy."""


class Policy:
    """A compiled policy. Override only the phases you need; a phase left alone is not in the pipeline.

    ``on_request`` and ``on_response`` may be ``async def``: that is looked at once, while compiling.
    """

    __slots__ = ()

    Config: ClassVar[type[Config]] = NoConfig
    # True for a policy that decides on method, path and headers alone: when every route that could answer a request
    # begins with an equal one, it runs before the body is read.
    at_door: ClassVar[bool] = False
    is_guard: ClassVar[bool] = False  # or it judges texts, and tells `Exchange.meter` what it finds

    @classmethod
    def compile(cls, config: Any, context: CompileContext) -> Self:
        """Build the compiled policy from ``config``. Problems go to ``context.fail``."""
        raise NotImplementedError

    def on_request(self, x: Exchange) -> Reply | Awaitable[Reply | None] | None:
        """Before going upstream. A Reply answers now."""

    def on_response(self, x: Exchange, answer: Answer) -> Reply | Awaitable[Reply | None] | None:
        """Status and headers known, body not yet sent. A Reply replaces it. Runs for local replies and errors too."""

    def open_stream(self, x: Exchange) -> Filter | None:
        """A fresh object per answer whose text must be seen, streamed or not; None if not this one's."""

    def on_close(self, x: Exchange) -> None:
        """Exactly once for each policy that was entered, whatever happened."""

    def admits_model(self, x: Exchange, model: str) -> bool:
        """Whether this caller may use ``model``: decides what ``/v1/models`` lists. That list guards nothing."""
        return True

    def explain(self, x: Exchange) -> str:
        """One line for ``sluicegate explain``: what this policy does with this request."""
        return x.notes.get(type(self).__module__.rsplit(".", 1)[-1], "passes")


class Answer:
    """An upstream's answer whose body is still flowing, or already whole.

    ``body`` is the whole body, or None when it flows: then ``chunks`` yields bytes as they arrive, ends cleanly only if
    the upstream ended its answer as its protocol says, and raises an ``UpstreamError`` otherwise. ``headers`` hold only
    what may reach the client. ``close`` releases the connection; it may be called at any time, more than once.
    """

    __slots__ = (
        "attempt",
        "body",
        "chunks",
        "close",
        "code",
        "dropped",
        "headers",
        "is_sse",
        "pace",
        "socket",
        "status",
        "style",
        "summary",
        "target",
        "told",
        "told_failure",
        "translated",
    )

    def __init__(
        self,
        status: int,
        headers: list[Header],
        *,
        body: bytes | None = None,
        chunks: AsyncIterator[bytes] | None = None,
        close: Callable[[], None] | None = None,
        is_sse: bool = False,
        target: str = "",
        code: str | None = None,
        socket: Any = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.chunks = chunks
        self.close = close
        self.is_sse = is_sse
        self.code = code  # stable reason of a refusal or failure, None for a success
        self.socket = socket  # an open proxy.wire.websocket.Socket when the status is 101
        self.target = target  # "provider/model" that answered; "" for a local reply
        self.dropped: tuple[str, ...] = ()  # what the target could not be told of the request
        self.style: Style = OPENAI  # how the stream says that it failed
        self.told: Sequence[Header] = ()  # headers about errors and limits, for nobody but the gateway
        self.attempt: Attempt | None = None  # that it came from
        self.translated: Any = None  # proxy.translation.translated.Translated, where ``chunks`` come out of it
        self.told_failure: Callable[[], bool] | None = None  # whether the stream tells of one, in the provider's words
        self.summary: Any = None  # proxy.tokens.told.Told: what a whole answer in JSON says of its usage
        self.pace: Callable[[], float | None] | None = None  # seconds for each event of a stream so far

    def discard(self) -> None:
        """Nobody wants it: break it off, and end its attempt."""
        if self.close is not None:
            self.close()
        if self.attempt is not None:
            self.attempt.end("cancelled")


class Line(Protocol):
    """Where requests wait while every target is limited. A policy puts it on the exchange."""

    async def send(self, x: Exchange, target: Target) -> Answer:
        """The answer of ``target``, which may be asked again after it raised; or another, if the wait is long."""


class Choice(msgspec.Struct, frozen=True):
    """What a target would do now. ``why`` is a sentence; ``children`` are the branches with theirs; ``body`` is what a
    leaf would send, ``dropped`` what it could not say."""

    target: str
    chosen: bool
    why: str
    children: tuple[Choice, ...] = ()
    body: bytes | None = None
    dropped: tuple[str, ...] = ()


class Target(ABC):
    """A node of the compiled tree: immutable, shared, ignorant of what its children are."""

    __slots__ = ()

    Config: ClassVar[type[Config]] = NoConfig

    @property
    def can_be_off(self) -> bool:
        """Whether ``off`` may ever give a reason. Constant."""
        return False

    def off(self, x: Exchange) -> str | None:
        """Why nothing here would be asked for ``x``, as it is switched off, for people; None if something would."""
        return None

    @classmethod
    def compile(cls, config: Any, context: CompileContext) -> Target | None:
        """Build the node; None when nothing is left of it (all children pruned)."""
        raise NotImplementedError

    @abstractmethod
    async def send(self, x: Exchange) -> Answer:
        """An answer, or an ``UpstreamError`` by meaning."""

    @abstractmethod
    def explain(self, x: Exchange) -> Choice:
        """What ``send`` would do now and why, without doing it."""

    @abstractmethod
    def leaves(self) -> tuple[str, ...]:
        """Names (``provider/model``) of all leaves below, in order."""

    @abstractmethod
    def healths(self) -> tuple[Health, ...]:
        """What is known of all leaves below, in order. Constant."""

    @abstractmethod
    def reaches(self) -> frozenset[Reach]:
        """What the leaves below can do. Constant."""

    def prices(self, model: str = "") -> frozenset[Price | None]:
        """What the leaves below cost now, None for one of which nobody knows. ``model``: as the caller named it, for
        leaves that pass it on."""
        return frozenset()

    def growths(self) -> frozenset[Growth]:
        """How requests grow on their way to the leaves below. Constant."""
        return frozenset({AS_IT_IS})

    def lacks(self, needs: Needs) -> str | None:
        """Why nothing below can do what is needed, for people; None if something can."""
        reason = None
        for reach in self.reaches():
            reason = reach.lacks(needs)
            if reason is None:
                return None
        return reason


class Node(Target):
    """A target that holds targets. ``children`` in the order of the file; at least one."""

    __slots__ = ("_differ", "_needs", "_switched", "children")

    def __init__(self, children: tuple[Target, ...], needs: Callable[[Exchange], Needs]) -> None:
        self.children = children
        self._needs = needs
        self._differ = len({child.reaches() for child in children}) > 1
        self._switched = any(child.can_be_off for child in children)

    @property
    def can_be_off(self) -> bool:
        """Whether all children may be."""
        return all(child.can_be_off for child in self.children)

    def off(self, x: Exchange) -> str | None:
        """The first one's reason, if all children are off."""
        found = self._off(x) if self.can_be_off else {}
        return found[0] if len(found) == len(self.children) else None

    def _off(self, x: Exchange) -> dict[int, str]:
        """Index of a child that is off → why."""
        if not self._switched:
            return {}
        return {at: reason for at, child in enumerate(self.children) if (reason := child.off(x)) is not None}

    def able(self, x: Exchange) -> tuple[Target, ...]:
        """The children that are on and can do what the request needs, the others noted as skipped.

        If none can, all that are on: what is lost then is the route's to decide (``on_loss``).

        Raises:
            TargetOff: none is on.
        """
        if not (self._differ or self._switched):
            return self.children
        lacking = self._left_out(x)
        for at, reason in lacking.items():
            x.skip(", ".join(self.children[at].leaves()), reason)
        if len(lacking) == len(self.children):
            raise TargetOff(x.route)
        return tuple(child for at, child in enumerate(self.children) if at not in lacking) if lacking else self.children

    def _left_out(self, x: Exchange) -> dict[int, str]:
        """Index of a child → why: those that are off, and of the others those that lack something, unless all do."""
        off = self._off(x)
        if not self._differ or len(off) == len(self.children):
            return off
        needs = self._needs(x)
        rest = [(at, child) for at, child in enumerate(self.children) if at not in off]
        lacking = {at: reason for at, child in rest if (reason := child.lacks(needs)) is not None}
        return off | lacking if len(lacking) < len(rest) else off

    def lacking(self, x: Exchange) -> dict[int, str]:
        """For ``explain``: index of a child that ``able`` leaves out → why."""
        return self._left_out(x) if self._differ or self._switched else {}

    def leaves(self) -> tuple[str, ...]:
        """Of all children."""
        return tuple(leaf for child in self.children for leaf in child.leaves())

    def healths(self) -> tuple[Health, ...]:
        """Of all children."""
        return tuple(health for child in self.children for health in child.healths())

    def reaches(self) -> frozenset[Reach]:
        """Of all children."""
        return frozenset(reach for child in self.children for reach in child.reaches())

    def prices(self, model: str = "") -> frozenset[Price | None]:
        """Of all children."""
        return frozenset(price for child in self.children for price in child.prices(model))

    def growths(self) -> frozenset[Growth]:
        """On the way to all children."""
        return frozenset(growth for child in self.children for growth in child.growths())
