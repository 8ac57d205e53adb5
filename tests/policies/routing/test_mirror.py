"""A mirror: copies are drawn, bounded, compared, and none of the caller's business."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from policies.routing.mirror import Mirror, MirrorConfig
from proxy.background import Background
from proxy.errors import NoTarget, Overloaded
from proxy.reports import Reports
from proxy.units import Duration, Percent

BODY = b'{"model": "m", "messages": []}'


class _Told:
    """A mirror of ``main`` with what it reports."""

    def __init__(self, context: Any, main: Any, to: Any, *, limit: int = 10, draw: float = 0.0, **config: Any) -> None:
        settings = MirrorConfig(target="main", to="to", sample=Percent(0.5), **config)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.background, reports = Background(limit), Reports()
        reports.listener = lambda event, fields: self.events.append((event, fields))
        self.node = Mirror(main, to, settings, context, self.background, reports, lambda: draw)

    async def done(self) -> list[tuple[str, dict[str, Any]]]:
        async with asyncio.timeout(5):
            while len(self.background):
                await asyncio.sleep(0.001)
        return self.events


async def test_a_copy_is_compared(context: Any, exchange: Any, scripted: Any) -> None:
    """The answer is the target's, and so are the request's attempts and notes."""
    main, to = scripted("main"), scripted("to")
    told, x = _Told(context, main, to), exchange(body=BODY)
    assert (await told.node.send(x)).target == "main"
    assert to.sent == 0  # not before the answer is on its way
    ((event, fields),) = await told.done()
    assert (event, fields["result"], fields["exact"], to.sent) == ("mirror.compared", "compared", {"same": False}, 1)
    assert x.notes == {}
    assert x.attempts == []


@pytest.mark.parametrize(("draw", "copies"), [(0.499, 1), (0.5, 0)])
async def test_copies_are_drawn(draw: float, copies: int, context: Any, exchange: Any, scripted: Any) -> None:
    """At random, by the share."""
    to = scripted("to")
    told = _Told(context, scripted("main"), to, draw=draw)
    await told.node.send(exchange(body=BODY))
    await told.done()
    assert to.sent == copies


async def test_only_what_is_asked_for_is_compared(context: Any, exchange: Any, scripted: Any) -> None:
    """The rest is not in the report."""
    told = _Told(context, scripted("main"), scripted("to"), compare=("length",))
    await told.node.send(exchange(body=BODY))
    ((_, fields),) = await told.done()
    assert fields["length"] == {"main": 4, "shadow": 2}
    assert not {"status", "exact", "similarity", "total_ms"} & fields.keys()


async def test_too_many_are_dropped(context: Any, exchange: Any, scripted: Any) -> None:
    """And counted."""
    told = _Told(context, scripted("main"), scripted("to"), limit=1)
    for _ in range(3):
        await told.node.send(exchange(body=BODY))
    events = await told.done()
    assert [fields["result"] for event, fields in events if event == "mirror.left"] == ["dropped", "dropped"]


async def test_a_failure_goes_on_to_the_caller(context: Any, exchange: Any, scripted: Any) -> None:
    """It is compared as well, unless nobody was asked."""
    told = _Told(context, scripted("main", Overloaded("busy")), scripted("to"))
    with pytest.raises(Overloaded):
        await told.node.send(exchange(body=BODY))
    ((_, fields),) = await told.done()
    assert fields["status"] == {"main": 503, "shadow": 200, "same": False}
    to = scripted("to")
    told = _Told(context, scripted("main", NoTarget("ejected", retry_after=9)), to)
    with pytest.raises(NoTarget):
        await told.node.send(exchange(body=BODY))
    assert await told.done() == []
    assert to.sent == 0


async def test_a_copy_has_its_own_time(context: Any, exchange: Any, scripted: Any) -> None:
    """It ends then, whatever it waits for."""
    to = scripted("to")

    async def hang(x: Any) -> Any:
        to.sent += 1
        await asyncio.Event().wait()

    to.send = hang
    told = _Told(context, scripted("main"), to, timeout=Duration(0.02))
    await told.node.send(exchange(body=BODY))
    ((_, fields),) = await told.done()
    assert (fields["result"], fields["code"]) == ("failed", "upstream_timeout")


async def test_what_may_be_sent_only_once_is_left_out(context: Any, exchange: Any, scripted: Any) -> None:
    """Though it was drawn."""
    to = scripted("to")
    told = _Told(context, scripted("main"), to)
    await told.node.send(exchange(body=b'{"store": true}'))
    ((event, fields),) = await told.done()
    assert (event, fields["result"], to.sent) == ("mirror.left", "left_out", 0)


async def test_a_defect_is_told_of(context: Any, exchange: Any, scripted: Any) -> None:
    """And the next copy has its place."""
    to = scripted("to")

    async def crash(x: Any) -> Any:
        raise RuntimeError("a defect")

    to.send = crash
    told = _Told(context, scripted("main"), to)
    await told.node.send(exchange(body=BODY))
    ((event, fields),) = await told.done()
    assert (event, fields["error"]) == ("mirror.crashed", "RuntimeError")


def test_without_one_of_the_two_there_is_no_mirror(context: Any, scripted: Any) -> None:
    """The target remains, if that is there."""
    main = scripted("main")
    context.targets = {"main": main, "gone": None}
    assert Mirror.compile(MirrorConfig(target="main", to="gone"), context) is main
    assert Mirror.compile(MirrorConfig(target="gone", to="main"), context) is None


def test_it_is_what_its_target_is(context: Any, exchange: Any, scripted: Any) -> None:
    """For whoever chooses between targets; explain shows both."""
    main, to = scripted("main"), scripted("to")
    node = _Told(context, main, to).node
    assert (node.leaves(), node.healths(), node.reaches()) == (("main",), (main.health,), main.reaches())
    choice = node.explain(exchange())
    assert [(child.target, child.chosen) for child in choice.children] == [("main", True), ("to", False)]
    assert "50% of requests" in choice.children[1].why
