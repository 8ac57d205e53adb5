"""The one object that accompanies a request through the gateway, and the value that answers it early."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network
from itertools import count
from typing import Any, Protocol

from proxy.chat import Chat, PromptCache
from proxy.choosing.capability import Needs
from proxy.errors import OPENAI, Header, Style
from proxy.limits.limit import Held, Rule
from proxy.prefixes.retention import Retention

Network = IPv4Network | IPv6Network
RESET = 0  # the status of a reply that says nothing: the caller's connection is reset
JSON_HEADERS: tuple[Header, ...] = ((b"content-type", b"application/json"),)


class Reply:
    """A complete answer made by the gateway itself: status (or ``RESET``), headers (lower-case names), body bytes.

    ``code`` is the stable snake_case reason when the reply is a refusal, else None.
    """

    __slots__ = ("body", "code", "headers", "status")

    def __init__(
        self, status: int, body: bytes, headers: tuple[Header, ...] = JSON_HEADERS, code: str | None = None
    ) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        self.code = code


class Identity:
    """Who is calling, as proved by a credential. All names come from the configuration, never from the client.

    ``models`` holds one tuple of globs per level (organisation, team, key) that restricts models; all must admit.
    ``tier`` is the class of service, "" where the file gives none. ``rules`` are the limits of all levels. ``routes``
    and ``addresses`` (networks) are those that the key is for, None for any.
    """

    __slots__ = ("addresses", "expires", "key", "models", "organisation", "routes", "rules", "tags", "team", "tier")

    def __init__(
        self,
        organisation: str,
        team: str,
        key: str,
        models: tuple[tuple[str, ...], ...] = (),
        expires: float | None = None,
        tier: str = "",
        rules: tuple[Rule, ...] = (),
    ) -> None:
        self.rules = rules
        self.routes: frozenset[str] | None = None
        self.addresses: tuple[Network, ...] | None = None
        self.tags: dict[str, str] = {}  # that go with the key
        self.organisation = organisation
        self.team = team
        self.key = key
        self.models = models
        self.expires = expires  # seconds since the epoch, or None
        self.tier = tier


class KeySource(Protocol):
    """Public keys that change. On the loop only; nothing here waits."""

    def keys(self) -> Mapping[str, Mapping[str, str]] | None:
        """JWK (RFC 7517, public members only) by id, the same object until one changes; None while none are known."""

    def missed(self) -> None:
        """A key was asked for that is not there: have a look soon."""

    def retry_after(self) -> int:
        """Whole seconds until keys may be there, at least one."""


class Keys(Protocol):
    """All keys that are good: those of the file, and those that were issued."""

    def __bool__(self) -> bool:
        """Whether there may be any."""

    def get(self, digest: bytes) -> Identity | None:
        """Whose key has this SHA-256 (32 bytes)."""

    def values(self) -> Iterable[Identity]:
        """All that the file knows."""

    def detours(self) -> Iterable[str]:
        """Routes to which their limits may lead, also those of keys that are issued later."""


class Charge(Protocol):
    """What one upstream request costs, in nano-dollars and tokens; final once ``is_settled``."""

    is_settled: bool
    row: Any  # proxy.ledger.row.Row: the same for the ledger

    @property
    def cost(self) -> int:
        """Nano-dollars."""

    @property
    def input_tokens(self) -> int:
        """Of all classes."""

    @property
    def output_tokens(self) -> int:
        """Of all classes."""

    def settle(self, status: str, reason: str = "") -> None:
        """It is over: ``ok``, ``error`` or ``cancelled``. Only the first call counts."""

    async def take(self, answer: Any) -> None:
        """The answer (``proxy.policy.Answer``) that the request brought."""

    def then(self, work: Callable[[], None]) -> None:
        """Call ``work`` when it is settled: now, if it is."""


class Attempt:
    """One upstream request: which target, how it ended, how long it took (seconds).

    ``ends`` is called once when the attempt is over, with its body, and is told the failure of a body that broke off.
    """

    __slots__ = (
        "charge",
        "duration",
        "ends",
        "first_byte",
        "opens",
        "outcome",
        "reason",
        "retention",
        "started",
        "status",
        "target",
    )

    def __init__(self, target: str, started: float = 0.0) -> None:
        self.target = target
        self.started = started  # time.monotonic()
        self.ends: Callable[[str | None], None] | None = None
        self.opens: Callable[[Exchange], Charge] | None = None  # opens its charge
        self.charge: Charge | None = None
        self.retention: Retention | None = None  # for how long the target keeps what it has read of a prompt
        self.outcome = "open"  # open | ok | error | cancelled
        self.reason: str | None = None  # a Meaning, or "client_gone"
        self.status: int | None = None
        self.duration = 0.0
        self.first_byte: float | None = None

    def dispatch(self, x: Exchange) -> None:
        """The request of ``x`` is about to be sent: from now on it may cost something.

        Raises:
            GatewayError: that cannot be written down, so it must not be sent.
        """
        if self.opens is not None:
            self.charge = self.opens(x)

    def end(self, outcome: str | None = None, reason: str | None = None) -> None:
        """It is over. ``outcome``: where that is not what it was when its body began."""
        if outcome is not None:
            self.outcome, self.reason = outcome, reason
        if self.charge is not None:
            self.charge.settle(self.outcome, self.reason or "")
        ends, self.ends = self.ends, None
        if ends is not None:
            ends(reason if outcome == "error" else None)


class Begun:
    """What the caller has of an answer that broke off: its text, and about how many tokens that is."""

    __slots__ = ("text", "tokens")

    def __init__(self, text: str, tokens: int) -> None:
        self.text = text
        self.tokens = tokens


class Meter:
    """Where a policy tells what cannot be read off an exchange when it is over. This one forgets it."""

    __slots__ = ()

    def waiting(self, route: str, change: int) -> None:
        """So many more requests wait in line."""

    def guarded(self, route: str, guard: str, direction: str, outcome: str) -> None:
        """A guard has looked at a request or an answer: an outcome of ``proxy.guarding.verdict``."""

    def fired(self, route: str, guard: str, direction: str, entity: str, action: str, count: int) -> None:
        """A guard has found an entity that it knows by name, so often."""

    def waited(self, route: str, outcome: str, seconds: float) -> None:
        """A request has waited in line: sent, accepted, refused_full, refused_wait, failed or left."""


NOBODY = Meter()


class Exchange:
    """State of one request. Slots only; policies keep their own state in ``state[slot]``.

    ``headers`` are the client's, names lower-case, as received; ``forward`` is what goes upstream (already filtered by
    the allow-list, no credentials); ``reply_headers`` are added to whatever answer leaves.
    """

    __slots__ = (
        "around",
        "attempts",
        "begun",
        "body",
        "bound",
        "budget_left",
        "carriers",
        "chat",
        "client",
        "conversations",
        "copy",
        "deadline",
        "degraded",
        "detour",
        "endpoint",
        "entered",
        "excluded",
        "explained",
        "exposures",
        "forward",
        "generation",
        "headers",
        "held",
        "identity",
        "jobs",
        "keeps_events",
        "line",
        "maxima",
        "meter",
        "method",
        "model",
        "needs",
        "notes",
        "numbers",
        "on_loss",
        "overhead",
        "path",
        "policies",
        "prompt_cache",
        "proof",
        "query",
        "read",
        "received",
        "releases",
        "reply_headers",
        "request_id",
        "route",
        "secrets",
        "sent",
        "skipped",
        "state",
        "stream",
        "tags",
        "timings",
        "trial",
        "unkept",
        "upstream_wait",
        "variant",
        "verdicts",
    )

    def __init__(
        self, request_id: str, method: str, path: str, query: bytes, headers: list[Header], received: float, slots: int
    ) -> None:
        self.request_id = request_id
        self.method = method
        self.path, self.query = path, query
        self.headers = headers
        self.received = received  # time.monotonic() when the request line was read
        self.client = ""  # address of the peer
        self.endpoint: Any = None  # proxy.dialects.endpoint.Endpoint
        self.explained = False  # or nothing may be sent, by nobody: it is told what would be done
        self.entered = 0  # how many policies of the pipeline have let the request pass
        self.body = b""
        self.chat: Chat | None = None  # the body in the neutral form, once somebody has needed it
        self.carriers: Any = None  # the body, and the places of its text (proxy.guarding.carriers), once asked for
        self.read: Chat | None = None  # the same as the caller sent it, without what earlier requests left behind
        self.needs: Needs | None = None  # what a target must be able to do, once somebody has asked
        self.conversations: Any = None  # proxy.conversations.earlier.Conversations: what earlier requests left behind
        self.on_loss = "report"  # or "refuse": what to do about what a target cannot be told
        self.prompt_cache: PromptCache | None = None  # markers to place, by a policy
        self.model = ""  # as the client asked for it; "" where the request names none
        self.stream = False
        self.identity: Identity | None = None
        self.proof: bytes | None = None  # SHA-256 of the caller's key; on a job that of whoever made it
        self.tags: dict[str, str] = {}
        self.route, self.generation = "", 0
        self.deadline = 0.0  # time.monotonic() at which the whole request must have ended
        self.forward: list[Header] = []
        self.secrets: tuple[bytes, ...] = ()  # of the file, sent with this request: no answer may repeat them
        self.reply_headers: list[Header] = []
        self.attempts: list[Attempt] = []
        self.skipped: list[tuple[str, str]] = []  # targets that were not asked, and why
        self.excluded: frozenset[str] = frozenset()  # targets that have failed in the middle of this answer
        self.numbers: Iterator[int] = count(1)  # of attempts, also of those made beside
        self.bound: tuple[int, int | None] | None = None  # tokens, at most: of the request; of the answer, if it says
        self.budget_left = 100.0  # percent of the caller's budget that has the least left, this request reserved
        self.maxima: Any = None  # proxy.dialects.splice.Maxima: what the request says of its answer's length
        self.variant = ""  # of an experiment, or "mirror"
        self.exposures: dict[str, tuple[str, str]] = {}  # experiment → variant, and the subject that has it
        self.releases: dict[str, tuple[str, str]] = {}  # canary that hears of the answer → side, and mark of its era
        self.begun: Begun | None = None  # only the rest of the answer is asked for
        self.keeps_events = False  # the answer is to be taken apart even if its bytes could pass: it may have to go on
        self.trial = False  # nothing else is left: a target that is ejected may be tried
        self.around: tuple[Any, ...] = ()  # Target → Target: what is put around the tree, by policies
        self.detour: Any = None  # proxy.policy.Target: that is asked instead of the route's own
        self.degraded = ""  # why another than the first choice answered: a meaning of failure
        self.jobs: Any = None  # proxy.jobs: takes an exchange over, to be answered later; None within a job
        self.meter: Meter = NOBODY
        self.unkept, self.verdicts = "", list[Any]()  # why nobody else may get the answer; what guards say of it
        self.line: Any = None  # proxy.policy.Line: where to wait while everything is limited, set by a policy
        self.notes: dict[str, str] = {}  # policy or node name → what it decided, for the receipt
        self.policies: tuple[str, ...] = ()  # names of the route's policies, in order
        self.timings: dict[str, int] | None = None  # nanoseconds by policy, where they are measured
        self.held: Held | None = None  # what is reserved for it, by a policy
        self.sent: list[Header] = []  # headers of the answer, once it has begun
        self.copy: Any = None  # proxy.telemetry.bodies.Copy: the answer's beginning, where that is kept
        self.state: list[Any] = [None] * slots
        self.overhead = 0.0  # seconds of the gateway's own work until the head of the answer was ready
        self.upstream_wait = 0.0  # seconds spent waiting for providers, to tell the gateway's own share

    def header(self, name: bytes) -> bytes | None:
        """First value of the client's header ``name`` (lower-case), or None."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def skip(self, target: str, reason: str) -> None:
        """A target is not asked, for this reason; noted once, however often it is passed over."""
        if (target, reason) not in self.skipped:
            self.skipped.append((target, reason))

    def beside(self) -> Exchange:
        """The same request, to be sent beside this one: what comes of that is kept apart until somebody joins it."""
        twin = object.__new__(Exchange)
        for name in Exchange.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.attempts, twin.skipped, twin.notes, twin.degraded = [], [], {}, ""
        twin.verdicts = []
        twin.upstream_wait = 0.0
        return twin

    def instead(self) -> Exchange:
        """The same request, to be sent changed in place of this one, which hears of it by ``heed``."""
        twin = self.beside()
        twin.attempts, twin.skipped, twin.notes, twin.degraded = self.attempts, self.skipped, self.notes, self.degraded
        twin.upstream_wait = self.upstream_wait
        return twin

    def heed(self, twin: Exchange) -> None:
        """What has become of the one that was sent instead."""
        self.attempts, self.skipped, self.notes, self.degraded = twin.attempts, twin.skipped, twin.notes, twin.degraded
        self.variant, self.upstream_wait = twin.variant, twin.upstream_wait

    def refuse(
        self, status: int, code: str, message: str, *, param: str | None = None, headers: tuple[Header, ...] = ()
    ) -> Reply:
        """A refusal in the caller's dialect, which may have a status of its own for it."""
        status, body = self.style.body(status, code, message, param)
        return Reply(status, body, JSON_HEADERS + headers, code)

    @property
    def style(self) -> Style:
        """How errors look to this caller."""
        style: Style = OPENAI if self.endpoint is None else self.endpoint.style
        return style
