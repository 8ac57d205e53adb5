"""Past traffic through another file: who would have been asked, what it would have cost, and who would be refused.

Requests of the ledger run through the real policies and targets of the file, one after the other on their own clock.
Nothing is sent: a target that failed then fails again, any other answers with the tokens that were used then. What a
request said is not in the ledger, so what depends on that cannot be judged, and is counted by its name.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from proxy.around import Around
from proxy.chat import Usage
from proxy.errors import GatewayError, Header, UpstreamError
from proxy.exchange import Exchange, Reply
from proxy.inbound import admit
from proxy.ledger.row import PriceTerms, Row
from proxy.pipeline import Pipeline, failure
from proxy.policy import Answer, Node, Target, Timeouts
from proxy.providers.provider import Provider
from proxy.rehearsal.differences import Differences, Told, is_beside
from proxy.rehearsal.play import Clock, Compile, fresh_state, until_the_end
from proxy.rehearsal.quick_loop import QuickLoop
from proxy.rehearsal.stand_in import FAILURES, Script, StandIn
from proxy.runtime import Runtime
from proxy.stream import Outcome, Send
from proxy.tags import MAX_VALUE

_OPEN_REQUESTS = 10_000  # whose attempts may still come
_MICRO = 10**6
_PATH = "/v1/chat/completions"
_WORD = " the"  # four bytes, as most tokens of English
_LONGEST = 50_000  # tokens that a request is made of
_FILL = _WORD * _LONGEST
# What is in the ledger was asked then, as nothing was kept; bodies are alike here that were not.
_HEADERS: list[Header] = [(b"content-type", b"application/json"), (b"x-cache-control", b"no-cache, no-store")]
# Policies that decide by who asks for what and when, or that change nothing of that.
_JUDGED = frozenset({"authenticate", "allow_models", "quota", "tags", "headers", "prompt_cache"})
_BY_CONTENT = frozenset({"when", "classify"})
_BY_MOMENT = frozenset({"balance", "canary", "race", "priority"})


def by_request(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The attempts of each request together, in the order in which requests began."""
    waiting: OrderedDict[str, list[Row]] = OrderedDict()
    for row in rows:
        waiting.setdefault(row.request, []).append(row)
        if len(waiting) > _OPEN_REQUESTS:
            yield waiting.popitem(last=False)[1]
    yield from waiting.values()


def backtest(compile: Compile, rows: Iterable[Row], differences: Differences) -> None:
    """Run the requests of ``rows`` through what ``compile`` gives, and tell ``differences`` of each."""
    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, QuickLoop)
        clock, memory = Clock(loop), Memory()
        shared = fresh_state(clock)
        runtime = compile(shared, clock, memory)
        runtime.charges.ledger = Collected(differences)
        judge = _Judge(runtime, memory)

        async def run() -> None:
            for attempts in by_request(rows):
                asked = [row for row in attempts if not is_beside(row)]
                for row in attempts:
                    differences.was(row)
                if asked:
                    clock.set(asked[0].opened / _MICRO)
                    differences.add(asked, await judge.ask(asked))

        runner.run(until_the_end(loop, runtime, shared, run()))


class Memory(Script):
    """What the providers did with one request of the past."""

    __slots__ = ("_failures", "usage")

    def __init__(self) -> None:
        super().__init__()
        self.usage = Usage()
        self._failures: dict[str, list[str]] = {}

    def recall(self, attempts: list[Row]) -> None:
        """These were its attempts."""
        best = next((row for row in attempts if row.status == "ok"), attempts[-1])
        self.usage = Usage(**{name: getattr(best, name) for name in Usage.__struct_fields__})
        self._failures = {}
        for row in attempts:
            if row.status == "error":
                self._failures.setdefault(f"{row.provider}/{row.model}", []).append(row.reason)

    def failure(self, target: str) -> str | None:
        """Why that target failed then, once for each time that it did."""
        left = self._failures.get(target)
        return left.pop(0) if left else None

    def stand_in(self, provider: Provider) -> Provider:
        """See ``Script``."""
        return Recalled(provider, self)


class Recalled(StandIn):
    """Answers as it did, or as whoever answered then."""

    __slots__ = ("_memory",)

    def __init__(self, inner: Provider, memory: Memory) -> None:
        super().__init__(inner, memory)
        self._memory = memory

    async def send(self, x: Exchange, model: str | None, timeouts: Timeouts) -> Answer:
        """At once."""
        charge: Any = None  # proxy.ledger.charge.OpenCharge
        if x.attempts:
            x.attempts[-1].dispatch(x)
            charge = x.attempts[-1].charge
        reason = self._memory.failure(f"{self.name}/{model or x.model}")
        if reason is not None:
            raise FAILURES.get(reason, UpstreamError)("It failed then.")
        if charge is not None:
            charge.usage = msgspec.structs.replace(self._memory.usage)
        return Answer(200, [], body=b"{}")


class Collected:
    """The ledger of a backtest: rows go to the report, and nowhere else."""

    def __init__(self, differences: Differences) -> None:
        self._differences = differences
        self.rows: list[Row] = []

    def open(self, row: Row) -> None:
        """Not settled yet."""

    def settle(self, row: Row) -> None:
        """It is known what it would have cost."""
        self.rows.append(row)
        self._differences.would_be(row)

    def add(self, row: Row) -> bool:
        """It would have cost nothing."""
        return True

    def price(self, terms: PriceTerms) -> None:
        """The rows say enough."""


class _Judge:
    """Asks a runtime about one request after the other."""

    def __init__(self, runtime: Runtime, memory: Memory) -> None:
        self._runtime = runtime
        self._memory = memory
        self._keys = {} if runtime.identities is None else runtime.identities.names()
        self._unjudged = {entry.rule.name: _unjudged(entry) for entry in runtime.router.entries}
        ledger = runtime.charges.ledger
        assert isinstance(ledger, Collected)
        self._rows = ledger.rows

    async def ask(self, attempts: list[Row]) -> Told:
        """What the request of these attempts would meet."""
        self._memory.recall(attempts)
        x = self._exchange(attempts[0], body := _body(attempts[0], self._memory.usage))
        caught = _Caught()
        self._rows.clear()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        try:
            found = await admit(self._runtime, x, receive)
            if isinstance(found, Pipeline):
                await found.run(x, _nowhere, caught.deliver)
            else:
                caught.refused(found)
        except GatewayError as error:
            caught.refused(failure(x, error))
        if len(x.attempts) > 1 or caught.code:
            now = time.monotonic()
            for health in self._runtime.healths.values():
                health.restore(now)  # how long a failure counts would be told by the wrong clock
        await asyncio.sleep(0)  # what goes on beside gets its turn
        return self._told(x, caught)

    def _exchange(self, row: Row, body: bytes) -> Exchange:
        runtime = self._runtime
        x = Exchange(row.request, "POST", _PATH, b"", _headers(row), time.monotonic(), 0)
        x.generation = runtime.generation
        x.proof = self._keys.get(f"{row.organisation}/{row.team}/{row.key}")
        if x.proof is None and row.organisation:  # a key that was issued, a token, or a key that is gone
            x.identity = runtime.tenant(row.organisation, row.team, row.key)
        x.bound = (row.bound_input, row.bound_output) if row.bound_input else None
        return x

    def _told(self, x: Exchange, caught: _Caught) -> Told:
        rows = [row for row in self._rows if row.request == x.request_id and not is_beside(row)]
        refused_by = x.notes.get("refused_by", "")
        return Told(
            x.route,
            caught.target,
            caught.code,
            refused_by,
            x.notes.get(refused_by, "") if refused_by else "",
            sum(row.cost for row in rows),
            any("unpriced" in row.flags.split() for row in rows),
            self._unjudged.get(x.route, ()),
        )


class _Caught:
    """What the caller would have got."""

    def __init__(self) -> None:
        self.target = ""
        self.code = ""

    async def deliver(self, send: Send, answer: Answer, headers: list[Header]) -> Outcome:
        """Nobody waits for the body."""
        self.target, self.code = answer.target, answer.code or ("" if answer.status < 400 else "upstream_rejected")
        outcome = Outcome(answer.status, answer.code)
        outcome.complete = True
        return outcome

    def refused(self, reply: Reply) -> None:
        """Before any route."""
        self.code = reply.code or ""


async def _nowhere(message: dict[str, Any]) -> None:
    """Nothing is sent."""


def _headers(row: Row) -> list[Header]:
    """The caller's, as far as the ledger tells them: tags."""
    tags = {name: getattr(row, name) for name in ("user", "session", "project", "feature")}
    sayable = [f"{name}={value}" for name, value in tags.items() if _is_sayable(value)]
    return [*_HEADERS, (b"x-sluicegate-tags", ",".join(sayable).encode())] if sayable else _HEADERS


def _is_sayable(value: str) -> bool:
    return bool(value) and value == value.strip() and "," not in value and len(value) <= MAX_VALUE


def _body(row: Row, usage: Usage) -> bytes:
    """A request of about as many tokens."""
    text = _FILL[: len(_WORD) * min(usage.input_total, _LONGEST)]
    asked = {"model": row.asked or row.model, "stream": row.stream, "messages": [{"role": "user", "content": text}]}
    return msgspec.json.encode(asked)


def _unjudged(entry: Any) -> tuple[str, ...]:
    """What of a route depends on more than the ledger knows."""
    rule = entry.rule
    found = [f"`match.{what}`" for what, has in (("path", rule.paths), ("header", rule.headers)) if has]
    found += [f"policy `{name}`" for name, _ in rule.pipeline.policies if name not in _JUDGED]
    for name in dict.fromkeys(_nodes(rule.pipeline.target)):
        if name in _BY_CONTENT:
            found.append(f"target `{name}`: what was said")
        elif name in _BY_MOMENT:
            found.append(f"target `{name}`: what was known of its targets at that moment")
    return tuple(found)


def _nodes(target: Target) -> Iterator[str]:
    """Names of the nodes of a tree."""
    if isinstance(target, Around):
        yield from _nodes(target.inner)
    elif isinstance(target, Node):
        yield type(target).__module__.rpartition(".")[2]
        for child in target.children:
            yield from _nodes(child)
