"""What policies, targets and providers are handed while they are compiled."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path as File
from typing import Any, TypeVar

from proxy.asking import MOST_TOKENS, ask, consult, embed
from proxy.caching.memory import Memory
from proxy.caching.room import NAME as CACHE
from proxy.caching.room import Caches, Room
from proxy.caching.savings import Savings
from proxy.canaries.release import Plan, Release
from proxy.chat import Adjustment, Chat, Completion
from proxy.choosing.capability import Growth, Needs
from proxy.config.document import Report
from proxy.config.fingerprint import Shape
from proxy.config.limits import rules_of
from proxy.config.lists import Entry
from proxy.config.problem import Path, nearest, quote
from proxy.editing import Editor
from proxy.exchange import Exchange, Identity, Keys, KeySource, Reply
from proxy.experiments.plan import Enrolled
from proxy.idempotency import NAME as IDEMPOTENCY
from proxy.idempotency import Idempotency
from proxy.jobs.signature import read_secret
from proxy.keys.key_sets import KeySet
from proxy.ledger.charge import NAME as CHARGES
from proxy.ledger.charge import Charges
from proxy.limits.limit import Counters, LimitConfig, Rule
from proxy.limits.switch import NAME as LIMITS
from proxy.limits.switch import Switch
from proxy.policy import Target, Timeouts
from proxy.reports import NAME as REPORTS
from proxy.reports import Reports
from proxy.runtime import Lease
from proxy.targets.needs import conversation_of, needs_of
from proxy.tokens.request import bound, counted, grown
from proxy.translation.adjusting import adjusted
from proxy.translation.answers import Taken, completion_of, is_conversation, reply_of
from proxy.translation.draft import Draft
from proxy.upstream import Upstream
from proxy.wire.service import HttpService, address

T = TypeVar("T")
_ROUNDING = 1e-9


class Place:
    """Where a compiled thing stands in the file, and a way to say what is wrong below it.

    ``shorthand``: the settings are written as a plain list, which stands for this one key.
    """

    def __init__(self, report: Report, path: Path, settings: Any, shorthand: str | None = None) -> None:
        self._report = report
        self._path = path
        self._settings = settings
        self._shorthand = shorthand

    def fail(self, message: str, at: str = "") -> None:
        """Report a problem at ``at`` below this place."""
        self._report.problem(self.path_of(at), message)

    def file(self, name: str, at: str) -> File:
        """A file, as seen from the one in which the value at ``at`` stands."""
        return File(self._report.mark(self.path_of(at)).file).parent / name

    def path_of(self, at: str) -> Path:
        """The path of ``at`` (``of[0].weight``) from the top of the file."""
        if self._shorthand is not None and (at == self._shorthand or at.startswith(f"{self._shorthand}[")):
            return self._path + steps(self._settings, at[len(self._shorthand) :])
        return self._path + steps(self._settings, at)


def steps(value: Any, at: str) -> Path:
    """The keys and indices of ``at``, read along ``value``: a key of the file may hold dots itself."""
    found: Path = ()
    while at:
        at = at.removeprefix(".")
        index = re.match(r"\[(\d+)\]", at)
        if index is not None:
            number = int(index[1])
            at = at[index.end() :]
            value = value[number] if isinstance(value, (list, tuple)) and number < len(value) else None
            found += (number,)
            continue
        names = value if isinstance(value, dict) else {}
        known = [key for key in names if at == key or at.startswith((f"{key}.", f"{key}["))]
        name = max(known, key=len) if known else re.split(r"[.\[]", at, maxsplit=1)[0]
        if not name:
            break
        at = at[len(name) :]
        value = names.get(name)
        found += (name,)
    return found


class AccountContext(Place):
    """For providers (``proxy.providers.provider.ProviderContext``)."""

    def __init__(self, report: Report, path: Path, settings: Any, lease: Lease) -> None:
        super().__init__(report, path, settings)
        self._lease = lease

    def shared(self, key: str, factory: Callable[[], T]) -> T:
        """State that survives reloads."""
        return self._lease.get(key, factory)


class RouteState:
    """What all policies and targets of one route share while it is compiled."""

    def __init__(
        self,
        name: str,
        timeouts: Timeouts,
        lease: Lease,
        identities: Keys,
        tags: frozenset[str],
        now: Callable[[], float],
        trees: Mapping[str, Target | None],
        zone: str = "UTC",
        unknown_price: str | None = None,
        tenants: Mapping[tuple[str, str, str], Identity] | None = None,
        key_sets: list[KeySet] | None = None,
        canaries: dict[str, tuple[Release, Plan]] | None = None,
        secrets: Sequence[bytes] = (),
        experiments: dict[str, Enrolled] | None = None,
    ) -> None:
        self.secrets = secrets
        self.experiments = {} if experiments is None else experiments  # of all routes, by name
        self.tenants = tenants or {}  # by organisation, team, and key or nothing
        self.key_sets = [] if key_sets is None else key_sets  # that policies have asked for, of all routes
        self.canaries = {} if canaries is None else canaries  # likewise, by name
        self.trees = trees  # by route: all routes of the file, their trees as soon as they are compiled
        self.zone = zone
        self.unknown_price = unknown_price
        self.name = name
        self.timeouts = timeouts
        self.lease = lease
        self.identities = identities
        self.tags = tags
        self.now = now
        self.slots = 0
        self.entries: list[Entry] = []  # the policies, in order
        self.shape = Shape()
        self.rooms: dict[str, Room] = {}  # of all routes: where answers are kept


class RouteContext(Place):
    """For policies and targets (``proxy.policy.CompileContext``)."""

    def __init__(
        self,
        state: RouteState,
        report: Report,
        path: Path,
        settings: Any,
        compile_target: Callable[[Any, Path], Target | None],
        shorthand: str | None = None,
    ) -> None:
        super().__init__(report, path, settings, shorthand)
        self._state = state
        self._compile_target = compile_target
        self.route = state.name
        self.timeouts = state.timeouts

    def slot(self) -> int:
        """A fresh index into ``Exchange.state``."""
        self._state.slots += 1
        return self._state.slots - 1

    def shared(self, key: str, factory: Callable[[], T]) -> T:
        """State that survives reloads."""
        return self._state.lease.get(key, factory)

    def target(self, value: Any, at: str) -> Target | None:
        """Compile a child."""
        return self._compile_target(value, self.path_of(at))

    def enroll(self, experiment: Enrolled) -> float:
        """Make an experiment known."""
        plan, known = experiment.plan, self._state.experiments
        if plan.name in known:
            route = known[plan.name].plan.route
            self.fail(f"an experiment of the route {route!r} has this name already; each has its own", "name")
            return 0.0
        before = sum(other.plan.share for other in known.values() if plan.group and other.plan.group == plan.group)
        known[plan.name] = experiment
        if before + plan.share > 1 + _ROUNDING:
            others = ", ".join(name for name, other in known.items() if other.plan.group == plan.group)
            message = f"the experiments of the group {plan.group!r} ({others}) would need {before + plan.share:.6g}"
            self.fail(f"{message} times the subjects that there are; give each a smaller `share`", "group")
        return before

    def identities(self) -> Keys:
        """Every key."""
        return self._state.identities

    @property
    def refuses_unknown_price(self) -> bool:
        """Whether a request under a money limit is refused if nobody knows its price."""
        return self._state.unknown_price != "zero"

    def counters(self) -> Counters:
        """Where limits are counted."""
        return self._state.lease.get(LIMITS, Switch)

    def idempotency(self) -> Idempotency:
        """Which requests were made already."""
        return self._state.lease.get(IDEMPOTENCY, Idempotency)

    def room(self, max_size: int, max_entries: int, policy: str = "cache") -> Room:
        """Where answers of this route are kept."""
        name, lease = self._state.name, self._state.lease
        caches = lease.get(CACHE, Caches)
        reports = lease.get(REPORTS, Reports)

        def told(event: str, reason: str) -> None:
            reports.tell(f"cache.{event}", route=name, reason=reason)

        def made() -> Room:
            return Room(name, caches, Memory(max_size, max_entries, self._state.now), told, self._state.now)

        found = lease.get(f"{policy} {name} {max_size} {max_entries}", made)
        self._state.rooms[name if policy == "cache" else f"{name} {policy}"] = found
        return found

    def savings(self) -> Savings:
        """The ledger, for answers that cost nothing."""
        return self._state.lease.get(CHARGES, Charges)

    def fingerprint(self) -> bytes:
        """Of what changes requests or answers."""
        return self._state.shape.fingerprint

    def routing(self) -> str:
        """The conditions of the target tree."""
        return self._state.shape.routing

    def root(self) -> Target:
        """The tree of this route."""
        return self._tree(self._state.name)

    def detour(self, route: str, at: str = "") -> Callable[[], Target] | None:
        """The tree of another route."""
        if route == self._state.name:
            self.fail("a route cannot take the place of itself", at)
        elif route in self._state.trees:
            return lambda: self._tree(route)
        else:
            suggestion = nearest(route, self._state.trees)
            self._report.problem(self.path_of(at), f"there is no route {quote(route)}", suggestion)
        return None

    def _tree(self, route: str) -> Target:
        found = self._state.trees[route]
        assert found is not None  # no request comes before everything is compiled
        return found

    def bound(self, x: Exchange) -> tuple[int, int | None]:
        """Tokens at most."""
        if x.bound is None:
            x.bound = bound(x)
        return x.bound

    def grown(self, x: Exchange, size: tuple[int, int], growths: Collection[Growth]) -> tuple[int, int]:
        """Tokens at most, where requests grow."""
        return grown(x, size, growths)

    async def count_input(self, x: Exchange) -> int:
        """Tokens of the request."""
        return await counted(x)

    def rules(self, limits: Sequence[str | LimitConfig], level: str, scope: str, at: str) -> tuple[Rule, ...]:
        """Entries of the file as rules."""
        return rules_of(limits, level, scope, self._state.zone, lambda message, below: self.fail(message, at + below))

    def tell(self, event: str, **fields: Any) -> None:
        """For operators."""
        self._state.lease.get(REPORTS, Reports).tell(event, **fields)

    def tenant(self, organisation: str, team: str) -> Identity | None:
        """A team of the file."""
        return self._state.tenants.get((organisation, team, ""))

    def key_set(self, issuer: str, source: str | None) -> KeySource:
        """The public keys of an issuer."""
        reports = self._state.lease.get(REPORTS, Reports)
        found = self._state.lease.get(f"keys {issuer} {source}", lambda: KeySet(issuer, source, reports))
        if found not in self._state.key_sets:
            self._state.key_sets.append(found)
        return found

    def release(self, plan: Plan) -> Release:
        """How far a canary has come."""
        if plan.name in self._state.canaries:
            other = self._state.canaries[plan.name][1].route
            self.fail(f"the route {quote(other)} has a canary {quote(plan.name)} already; give one a `name`", "name")
        reports = self._state.lease.get(REPORTS, Reports)
        found = self._state.lease.get(
            f"canary {plan.name} {plan.identity}", lambda: Release(plan, reports, self._state.now)
        )
        self._state.canaries.setdefault(plan.name, (found, plan))
        return found

    def secrets(self) -> Sequence[bytes]:
        """Keys of providers."""
        return self._state.secrets

    def now(self) -> float:
        """Wall clock."""
        return self._state.now()

    def needs(self, x: Exchange) -> Needs:
        """What a request needs of a target."""
        return needs_of(x)

    def adjusted(self, x: Exchange, adjustment: Adjustment) -> tuple[Exchange, tuple[str, ...]]:
        """A request with other parameters, or another system prompt."""
        return adjusted(x, adjustment)

    def completion(self, x: Exchange, body: bytes, *, is_sse: bool) -> Completion | None:
        """An answer, read back."""
        return completion_of(x, body, is_sse=is_sse)

    def reply(self, x: Exchange, completion: Completion, *, stream: bool) -> Reply | None:
        """An answer of the gateway's own."""
        return reply_of(x, completion, stream=stream)

    def pieces(self, x: Exchange) -> Taken | None:
        """A stream, taken apart."""
        return Taken(x) if is_conversation(x) else None

    def conversation(self, x: Exchange) -> Chat | None:
        """What the caller said."""
        return conversation_of(x)

    async def ask(
        self, target: Target, x: Exchange, prompt: str, patience: float, most: int = MOST_TOKENS
    ) -> str | None:
        """A question of the gateway's own."""
        return await ask(target, x, prompt, patience, most)

    async def consult(self, target: Target, x: Exchange, path: str, body: bytes, patience: float) -> bytes | None:
        """A request of the gateway's own."""
        return await consult(target, x, path, body, patience)

    def service(self, url: str, secret: str | None, patience: float) -> HttpService:
        """Somebody who is asked in JSON."""
        where, key = None, None
        try:
            where = address(url)
        except ValueError as error:
            self.fail(str(error), "url")
        try:
            key = None if secret is None else read_secret(secret)
        except ValueError as error:
            self.fail(str(error), "secret")
        upstream = self._state.lease.get(f"service {url}", lambda: Upstream(max_connections=64))
        return HttpService(where or address("http://127.0.0.1/"), key, patience, upstream)

    def editor(self) -> Editor:
        """What changes requests."""
        return Draft()

    async def embed(self, target: Target, x: Exchange, text: str, patience: float) -> list[float] | None:
        """The vector of a text."""
        return await embed(target, x, text, patience)

    def provided_tags(self) -> frozenset[str] | None:
        """Tags that this route's ``tags`` policies may set."""
        return self._state.tags
