"""What policies are compiled and called with here: a context and an exchange, both plain objects."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from proxy.canaries.release import Plan, Release
from proxy.chat import Adjustment, Chat, Completion, Text
from proxy.chat import Choice as ChatChoice
from proxy.choosing.capability import NOTHING_NEEDED, Needs, Reach
from proxy.choosing.health import Health
from proxy.dialects.paths import EXACT
from proxy.errors import Header, UpstreamError
from proxy.exchange import Exchange, Identity
from proxy.experiments.plan import Enrolled
from proxy.policy import Answer, Choice, Target, Timeouts
from proxy.tokens.request import bound, counted
from proxy.translation.adjusting import adjusted
from proxy.translation.draft import Draft

T = TypeVar("T")


class Known(dict[bytes, Identity]):
    """Keys by their SHA-256."""

    def detours(self) -> list[str]:
        """Where their limits lead."""
        return [rule.detour for identity in self.values() for rule in identity.rules if rule.detour]


class Context:
    """A CompileContext over plain values; problems are collected in ``problems``."""

    def __init__(self) -> None:
        self.route = "chat"
        self.timeouts = Timeouts()
        self.problems: list[tuple[str, str]] = []
        self.known: dict[bytes, Identity] = {}
        self.targets: dict[str, Target | None] = {}
        self.tags: frozenset[str] | None = frozenset()
        self.clock = 1_700_000_000.0
        self.enrolled: list[Enrolled] = []
        self.reported: list[tuple[str, dict[str, Any]]] = []
        self._slots = 0

    def slot(self) -> int:
        """The next slot."""
        self._slots += 1
        return self._slots - 1

    def shared(self, key: str, factory: Callable[[], T]) -> T:
        """Nothing outlives a test."""
        return factory()

    def target(self, value: Any, at: str) -> Target | None:
        """A target by its name in ``targets``."""
        return self.targets[value]

    def fail(self, message: str, at: str = "") -> None:
        """Collect."""
        self.problems.append((at, message))

    def enroll(self, experiment: Enrolled) -> float:
        """Collect; the first of its group."""
        self.enrolled.append(experiment)
        return 0.0

    def tell(self, event: str, **fields: Any) -> None:
        """Collect."""
        self.reported.append((event, fields))

    def identities(self) -> Known:
        """The keys known here."""
        return Known(self.known)

    def release(self, plan: Plan) -> Release:
        """At its beginning."""
        return Release(plan, now=self.now)

    def now(self) -> float:
        """A clock that the test moves."""
        return self.clock

    def needs(self, x: Exchange) -> Needs:
        """As told on the exchange."""
        return x.needs or NOTHING_NEEDED

    def conversation(self, x: Exchange) -> Chat | None:
        """As told on the exchange."""
        return x.chat

    def editor(self) -> Draft:
        """A real one."""
        return Draft()

    def bound(self, x: Exchange) -> tuple[int, int | None]:
        """Tokens at most."""
        return bound(x)

    async def count_input(self, x: Exchange) -> int:
        """Tokens of the request."""
        return await counted(x)

    async def ask(self, target: Target, x: Exchange, prompt: str, patience: float, most: int = 16) -> str | None:
        """What is sent is the prompt itself."""
        x.notes["asked"] = prompt
        return ((await target.send(x)).body or b"").decode()

    def adjusted(self, x: Exchange, adjustment: Adjustment) -> tuple[Exchange, tuple[str, ...]]:
        """As the gateway does it."""
        return adjusted(x, adjustment)

    def completion(self, x: Exchange, body: bytes, *, is_sse: bool) -> Completion | None:
        """The body as text, at once."""
        return Completion(id="", model="", choices=[ChatChoice(parts=[Text(body.decode())])])

    def provided_tags(self) -> frozenset[str] | None:
        """Tags of the route."""
        return self.tags


class Scripted(Target):
    """A target that answers or fails as told, and counts."""

    def __init__(self, name: str, failure: UpstreamError | None = None) -> None:
        self.name = name
        self.failure = failure
        self.sent = 0
        self.health = Health(name)
        self.reach = Reach()

    async def send(self, x: Exchange) -> Answer:
        """Answer 200, or raise the failure."""
        self.sent += 1
        if self.failure is not None:
            raise self.failure
        return Answer(200, [], body=self.name.encode(), target=self.name)

    def explain(self, x: Exchange) -> Choice:
        """Always chosen."""
        return Choice(self.name, True, "scripted")

    def leaves(self) -> tuple[str, ...]:
        """Itself."""
        return (self.name,)

    def healths(self) -> tuple[Health, ...]:
        """Its own, which a test may spoil."""
        return (self.health,)

    def reaches(self) -> frozenset[Reach]:
        """Everything, unless a test says otherwise."""
        return frozenset({self.reach})


@pytest.fixture
def context() -> Context:
    """A fresh compile context."""
    return Context()


@pytest.fixture
def scripted() -> type[Scripted]:
    """The class of targets that do as they are told."""
    return Scripted


@pytest.fixture
def exchange() -> Callable[..., Exchange]:
    """Make an exchange: ``exchange(headers, body=…, model=…)``."""

    def make(headers: list[Header] | None = None, *, body: bytes = b"{}", model: str = "gpt-4o") -> Exchange:
        x = Exchange("req_test", "POST", "/v1/chat/completions", b"", headers or [], time.monotonic(), 0)
        x.endpoint = EXACT["POST", "/v1/chat/completions"]
        x.body, x.model = body, model
        x.deadline = x.received + 60
        return x

    return make
