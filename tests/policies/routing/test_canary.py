"""A canary node: which side answers, what counts for which, and what of it callers see."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from policies.routing.canary import Canary, CanaryConfig, Cost, ErrorRate, GuardConfig, Slowness
from proxy.canaries.guard import Guard, Limit, Outcome
from proxy.canaries.release import Plan, Release
from proxy.choosing.capability import NOTHING_NEEDED, TOOLS, Needs, Reach
from proxy.errors import (
    BadRequest,
    ContextTooLong,
    NoTarget,
    Overloaded,
    RateLimited,
    Rejected,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from proxy.exchange import Attempt, Begun
from proxy.policy import Answer
from proxy.units import Duration, Money, Percent


class Sides:
    """A node with two scripted targets, a draw, and its release."""

    def __init__(self, scripted: Any, exchange: Any, *, draw: float = 0.0, share: float = 0.5, **more: Any) -> None:
        self.stable, self.canary = scripted("stable"), scripted("canary")
        guard = Guard(worse_by=0.01)
        self.release = Release(Plan("next", "chat", "one", (share, 1.0), 600.0, 100, guard), now=lambda: 0.0)
        self.draw = draw
        self.node = Canary(
            self.stable, self.canary, self.release, lambda x: NOTHING_NEEDED, draw=lambda: self.draw, **more
        )
        self._exchange = exchange

    def made(self) -> Any:
        return self._exchange()

    async def send(self, x: Any = None) -> Answer:
        return await self.node.send(self.made() if x is None else x)

    @property
    def counted(self) -> tuple[int, int, int, int]:
        """Requests and failures of the stable side, and of the canary."""
        stable, canary = self.release.progress.stable, self.release.progress.canary
        return stable.requests, stable.failures, canary.requests, canary.failures


@pytest.fixture
def sides(scripted: Any, exchange: Any) -> Any:
    """``sides(draw=…, share=…)``."""
    return lambda **settings: Sides(scripted, exchange, **settings)


@pytest.mark.parametrize(("draw", "side"), [(0.0, "canary"), (0.499, "canary"), (0.5, "stable"), (0.999, "stable")])
async def test_requests_are_drawn_by_the_share(draw: float, side: str, sides: Any) -> None:
    """Whoever answered is named for the receipt and the ledger."""
    both = sides(draw=draw)
    x = both.made()
    assert (await both.send(x)).target == side
    assert (x.variant, x.notes["canary"]) == (f"next/{side}", f"next/{side}, 50% to the canary")
    assert both.counted == ((0, 0, 1, 0) if side == "canary" else (1, 0, 0, 0))


async def test_another_variant_stays(sides: Any) -> None:
    """Somebody else has named it."""
    both = sides()
    x = both.made()
    x.variant = "mirror"
    await both.send(x)
    assert x.variant == "mirror"


async def test_callers_keep_their_side(sides: Any) -> None:
    """By a tag; with a larger share some change over, and none back."""
    before: set[str] = set()
    for share in (0.1, 0.3, 0.6):
        both = sides(share=share, sticky="user", draw=0.999)
        now = set()
        for number in range(300):
            x = both.made()
            x.tags = {"user": f"user {number}"}
            if (await both.send(x)).target == "canary":
                now.add(x.tags["user"])
        assert before <= now
        assert abs(len(now) / 300 - share) < 0.08
        before = now
    assert (await both.send()).target == "stable"  # without the tag it is drawn


@pytest.mark.parametrize(
    "error", [Unavailable("down"), RateLimited("wait"), UpstreamTimeout("late"), Rejected("no"), ContextTooLong("long")]
)
async def test_callers_do_not_fail_with_it(error: UpstreamError, sides: Any) -> None:
    """The stable side answers, which is noted; it counts against the canary alone."""
    both = sides()
    both.canary.failure = error
    x = both.made()
    assert (await both.send(x)).target == "stable"
    assert both.counted == (0, 0, 1, 1)
    assert both.release.progress.canary.reasons == {error.meaning: 1}
    assert x.variant == "next/stable"
    assert x.notes["canary"] == f"next/stable after the canary: {error.meaning}, 50% to the canary"
    assert x.degraded == ("" if error.meaning == "context_too_long" else error.meaning)


@pytest.mark.parametrize(
    ("first", "second", "counted"),
    [
        (Unavailable("down"), Unavailable("down"), (0, 0, 1, 1)),
        (Rejected("no"), Rejected("no"), (0, 0, 0, 0)),
        (ContextTooLong("long"), Overloaded("busy"), (0, 0, 0, 0)),
        (NoTarget("ejected", retry_after=1), Overloaded("busy"), (0, 0, 0, 0)),
    ],
)
async def test_both_fail(first: Any, second: Any, counted: tuple[int, ...], sides: Any) -> None:
    """What both refuse is the request's own; and no failures in a row that the stable side shares."""
    both = sides()
    both.canary.failure, both.stable.failure = first, second
    with pytest.raises(UpstreamError) as raised:
        await both.send()
    assert raised.value is second
    assert both.counted == counted
    assert both.release.progress.in_a_row == 0


async def test_one_that_was_not_asked_has_not_failed(sides: Any) -> None:
    """The other side answers, with or without `fallback`."""
    both = sides(fallback=False)
    both.canary.failure = NoTarget("ejected", retry_after=1)
    assert (await both.send()).target == "stable"
    assert both.counted == (0, 0, 0, 0)


async def test_without_fallback_callers_see_it(sides: Any) -> None:
    """What may be the request's own counts, but makes no row."""
    both = sides(fallback=False)
    for error, in_a_row in ((Unavailable("down"), 1), (Rejected("no"), 1), (Overloaded("busy"), 2)):
        both.canary.failure = error
        with pytest.raises(type(error)):
            await both.send()
        assert both.release.progress.in_a_row == in_a_row
    assert both.counted == (0, 0, 3, 3)
    assert both.stable.sent == 0


async def test_the_stable_side_fails(sides: Any) -> None:
    """The canary does not answer for it. What the canary might have refused as well is not counted."""
    both = sides(draw=0.9)
    for error in (Unavailable("down"), Rejected("no")):
        both.stable.failure = error
        with pytest.raises(type(error)):
            await both.send()
    assert both.counted == (1, 1, 0, 0)
    assert both.canary.sent == 0


async def test_a_failure_of_the_gateway_says_nothing(sides: Any) -> None:
    """And nobody else is asked."""
    both = sides()
    both.canary.failure = BadRequest("not this")
    with pytest.raises(BadRequest):
        await both.send()
    assert (both.counted, both.stable.sent) == ((0, 0, 0, 0), 0)


async def test_the_callers_own_deadline_says_nothing_but_time(sides: Any) -> None:
    """Nobody is asked after it."""
    both = sides()
    both.canary.failure = UpstreamTimeout("late")
    x = both.made()
    x.deadline = x.received
    with pytest.raises(UpstreamTimeout):
        await both.send(x)
    assert both.counted == (0, 0, 0, 0)
    assert both.release.progress.canary.latency.count == 1


async def test_another_try_is_not_counted(sides: Any) -> None:
    """It goes to the stable side; of a promoted one, to the canary."""
    both = sides()
    x = both.made()
    assert (await both.send(x)).target == "canary"
    x.attempts.append(Attempt("canary"))
    assert (await both.send(x)).target == "stable"
    assert both.counted == (0, 0, 1, 0)
    both.stable.failure = NoTarget("broke off", retry_after=1)
    assert (await both.send(x)).target == "canary"
    both.release.act("promote", "", "ann")
    assert (await both.send(x)).target == "canary"
    both.release.act("rollback", "", "ann")
    with pytest.raises(NoTarget):
        await both.send(x)


async def test_the_rest_of_a_stream_is_not_counted(sides: Any) -> None:
    """The stable side goes on with it."""
    both = sides()
    x = both.made()
    x.begun = Begun("half", 1)
    assert (await both.send(x)).target == "stable"
    assert both.counted == (0, 0, 0, 0)


@pytest.mark.parametrize(("state", "target"), [("rollback", "stable"), ("promote", "canary")])
async def test_when_it_is_decided_nothing_is_counted(state: Any, target: str, sides: Any) -> None:
    """One side has everything."""
    for draw in (0.0, 0.999):
        both = sides(draw=draw)
        both.release.act(state, "", "ann")
        assert (await both.send()).target == target
        assert both.counted == (0, 0, 0, 0)


class _Paid:
    """A charge that is settled when the test says so."""

    cost = 2_000_000_000

    def __init__(self) -> None:
        self.works: list[Any] = []

    def settle(self, status: str, reason: str = "") -> None:
        """It is over."""

    def then(self, work: Any) -> None:
        """Later."""
        self.works.append(work)


def _flowing(both: Any, x: Any) -> Attempt:
    """The canary's answer is under way, and has an attempt."""
    attempt = Attempt("canary")
    attempt.outcome, attempt.charge = "ok", _Paid()  # type: ignore[assignment]
    attempt.ends = lambda failure: None

    async def send(x: Any) -> Answer:
        x.attempts.append(attempt)
        answer = Answer(200, [], target="canary")
        answer.attempt = attempt
        return answer

    both.canary.send = send
    return attempt


@pytest.mark.parametrize(
    ("end", "counted", "times"),
    [
        ((None, None), (0, 0, 1, 0), 1),
        (("error", "upstream_timeout"), (0, 0, 1, 1), 0),
        (("error", "bad_upstream_answer"), (0, 0, 1, 1), 0),
        (("error", "deadline"), (0, 0, 0, 0), 1),
        (("cancelled", "client_gone"), (0, 0, 0, 0), 1),
    ],
)
async def test_the_end_of_an_answer_counts(end: Any, counted: Any, times: int, sides: Any) -> None:
    """Not its beginning."""
    both = sides()
    x = both.made()
    x.stream = True
    attempt = _flowing(both, x)
    await both.send(x)
    assert both.counted == (0, 0, 0, 0)
    attempt.end(*end)
    attempt.end()
    assert both.counted == counted
    progress = both.release.progress
    assert (progress.canary.latency.count, progress.canary.first_token.count) == (times, int(end == (None, None)))


async def test_a_stream_may_tell_itself_that_it_failed(sides: Any) -> None:
    """Whoever ends the attempt finds it."""
    both = sides()
    x = both.made()
    attempt = _flowing(both, x)

    def found(failure: str | None) -> None:
        attempt.outcome, attempt.reason = "error", "upstream_error"

    attempt.ends = found
    await both.send(x)
    attempt.end()
    assert both.counted == (0, 0, 1, 1)


async def test_costs_count_when_they_are_known(sides: Any) -> None:
    """In dollars, with all attempts that it took."""
    both = sides()
    x = both.made()
    attempt = _flowing(both, x)
    await both.send(x)
    attempt.end()
    paid: Any = attempt.charge
    assert both.release.progress.canary.cost.count == 0
    for work in paid.works:
        work()
    assert (both.release.progress.canary.cost.count, both.release.progress.canary.cost.mean) == (1, 2.0)


@pytest.mark.parametrize(("cannot", "target"), [("canary", "stable"), ("stable", "canary")])
async def test_one_side_cannot_do_it(cannot: str, target: str, scripted: Any, exchange: Any) -> None:
    """The other answers, and nothing is counted. One that was rolled back is not asked for that."""
    both = Sides(scripted, exchange, draw=0.0 if cannot == "canary" else 0.9)
    getattr(both, cannot).reach = Reach(bits=0)
    needs = Needs(bits=TOOLS)
    both.node = Canary(both.stable, both.canary, both.release, lambda x: needs, draw=lambda: both.draw)
    x = both.made()
    assert (await both.send(x)).target == target
    assert both.counted == (0, 0, 0, 0)
    assert x.skipped[0][0] == cannot
    both.release.act("rollback", "", "ann")
    assert (await both.send()).target == "stable"


def test_explain_tells_the_shares(sides: Any) -> None:
    """And how far it has come."""
    both = sides(share=0.25)
    choice = both.node.explain(both.made())
    assert (choice.chosen, choice.why) == (True, "next is running, step 1 of 2")
    assert [(child.chosen, child.why) for child in choice.children] == [
        (True, "75% of requests; scripted"),
        (True, "25% of requests; scripted"),
    ]
    both.release.act("promote", "we are sure", "ann")
    choice = both.node.explain(both.made())
    assert choice.why == "next is promoted, step 1 of 2: we are sure"
    assert [(child.chosen, child.why) for child in choice.children] == [
        (False, "what the canary fails; scripted"),
        (True, "100% of requests; scripted"),
    ]


def test_explain_tells_where_a_caller_falls(sides: Any) -> None:
    """By the tag."""
    both = sides(sticky="user")
    x = both.made()
    x.tags = {"user": "ann"}
    found = both.node.explain(x).children
    assert sorted(child.chosen for child in found) == [False, True]
    assert all("50% of requests; user='ann' falls " in child.why for child in found)


# Compiling


def _compiled(context: Any, scripted: Any, **config: Any) -> Any:
    context.targets = {"a": scripted("a"), "b": scripted("b"), "pruned": None}
    return Canary.compile(CanaryConfig(**({"stable": "a", "canary": "b"} | config)), context)


def test_the_file_becomes_a_plan(context: Any, scripted: Any) -> None:
    """Named as its route, unless it has a name."""
    guard = GuardConfig(
        error_rate=ErrorRate(at_most=Percent(0.02)),
        latency=Slowness(at_most="1.5x", quantile="p50"),
        first_token=Slowness(at_most="800ms"),
        cost=Cost(at_most="$0.01"),
        errors_in_a_row=0,
    )
    plan = _compiled(context, scripted, guard=guard, every=Duration(60)).release.plan
    assert (plan.name, plan.route, plan.steps, plan.every, plan.sample) == (
        "chat",
        "chat",
        (0.05, 0.25, 0.5, 1.0),
        60,
        100,
    )
    assert plan.guard == Guard(
        error_rate=0.02,
        latency=Limit(times=1.5, quantile=0.5),
        first_token=Limit(value=0.8, quantile=0.95),
        cost=Limit(value=Money.parse("$0.01") / 1e9),
    )
    assert _compiled(context, scripted, name="next").release.plan.name == "next"
    assert not context.problems


def test_what_makes_it_another_one(context: Any, scripted: Any) -> None:
    """Its targets and steps, and nothing else."""

    def identity(**config: Any) -> str:
        found: str = _compiled(context, scripted, **config).release.plan.identity
        return found

    same = identity()
    assert identity(every=Duration(1), sample=5, name="next", fallback=False, guard=GuardConfig()) == same
    assert len({same, identity(canary="a"), identity(stable="b"), identity(steps=(Percent(1.0),))}) == 4


@pytest.mark.parametrize(("config", "left"), [({"canary": "pruned"}, "a"), ({"stable": "pruned"}, "b")])
def test_what_is_left_of_it(config: Any, left: str, context: Any, scripted: Any) -> None:
    """With nobody to compare with."""
    assert _compiled(context, scripted, **config).leaves() == (left,)
    assert _compiled(context, scripted, stable="pruned", canary="pruned") is None


@pytest.mark.parametrize(
    ("config", "at"),
    [
        ({"steps": (Percent(0.5),)}, "steps[0]"),
        ({"steps": (Percent(0.5), Percent(0.5), Percent(1.0))}, "steps[1]"),
        ({"steps": (Percent(0.0), Percent(1.0))}, "steps[0]"),
        ({"sticky": "user"}, "sticky"),
        ({"guard": GuardConfig(error_rate=ErrorRate())}, "guard.error_rate"),
        ({"guard": GuardConfig(latency=Slowness(at_most="0.5x"))}, "guard.latency.at_most"),
        ({"guard": GuardConfig(first_token=Slowness(at_most="0s"))}, "guard.first_token.at_most"),
        ({"guard": GuardConfig(cost=Cost(at_most="cheap"))}, "guard.cost.at_most"),
    ],
)
def test_what_makes_no_sense_is_a_problem(config: Any, at: str, context: Any, scripted: Any) -> None:
    """With its place."""
    _compiled(context, scripted, **config)
    assert [place for place, _ in context.problems] == [at]


async def test_an_answer_is_found_again_where_its_outcome_counts(sides: Any) -> None:
    """By its side and era; not a copy, nor what no guard waits for, nor after it is decided."""
    both = sides(draw=0.0)
    x = both.made()
    await both.send(x)
    assert x.releases == {}
    both.release.plan = replace(both.release.plan, guard=Guard(outcome=Outcome("solved", 0.02)))
    await both.send(x)
    assert x.releases == {"next": ("canary", both.release.mark)}
    copy = both.made()
    copy.variant = "mirror"
    await both.send(copy)
    assert copy.releases == {}
    both.draw = 0.9
    await both.send(x)
    assert x.releases["next"][0] == "stable"
    both.release.act("promote", "", "somebody")
    late = both.made()
    await both.send(late)
    assert late.releases == {}
