"""What stands around a policy or a target: the phases that it has and no others, and only for whom it is on."""

from __future__ import annotations

import time
from typing import Any

import pytest

from proxy.choosing.capability import NOTHING_NEEDED, Reach
from proxy.choosing.health import Health
from proxy.errors import TargetOff
from proxy.exchange import Exchange, Reply
from proxy.flags.flag import Flag, Setting
from proxy.flags.gates import TargetGate, gated
from proxy.flags.switch import Switch
from proxy.pipeline import Pipeline
from proxy.policy import Answer, Choice, Node, Policy, Target, Timeouts

ON, OFF = Flag("x", Setting.parse("on")), Flag("x", Setting.parse("off"))


class Spy(Policy):
    """Writes down each phase; refuses as told."""

    def __init__(self, trace: list[str], reply: Reply | None = None) -> None:
        self.trace, self.reply = trace, reply

    def on_request(self, x: Exchange) -> Reply | None:
        self.trace.append("request")
        return self.reply

    def on_response(self, x: Exchange, answer: Answer) -> None:
        self.trace.append("response")

    def open_stream(self, x: Exchange) -> None:
        self.trace.append("stream")

    def on_close(self, x: Exchange) -> None:
        self.trace.append("close")

    def admits_model(self, x: Exchange, model: str) -> bool:
        return False

    def explain(self, x: Exchange) -> str:
        return "spies"


class AsyncSpy(Spy):
    """The same, awaited."""

    async def on_request(self, x: Exchange) -> Reply | None:  # type: ignore[override]
        return super().on_request(x)

    async def on_response(self, x: Exchange, answer: Answer) -> None:  # type: ignore[override]
        super().on_response(x, answer)


class Late(Policy):
    """Has one phase, after the request."""

    def __init__(self, trace: list[str]) -> None:
        self.trace = trace

    def on_close(self, x: Exchange) -> None:
        self.trace.append("late close")


class Fixed(Target):
    """Answers."""

    def __init__(self, name: str = "sim/x", context: int | None = None) -> None:
        self.name, self.context = name, context

    async def send(self, x: Exchange) -> Answer:
        return Answer(200, [], body=b"{}", target=self.name)

    def explain(self, x: Exchange) -> Choice:
        return Choice(self.name, True, "fixed")

    def leaves(self) -> tuple[str, ...]:
        return (self.name,)

    def healths(self) -> tuple[Health, ...]:
        return (Health(self.name),)

    def reaches(self) -> frozenset[Reach]:
        return frozenset({Reach(context=self.context)})


class First(Node):
    """Sends to the first that is able."""

    async def send(self, x: Exchange) -> Answer:
        return await self.able(x)[0].send(x)

    def explain(self, x: Exchange) -> Choice:
        return Choice("first", True, str(self.lacking(x)))


def _exchange(slots: int = 1) -> Exchange:
    x = Exchange("req_1", "POST", "/v1/chat/completions", b"", [], time.monotonic(), slots)
    x.route = "chat"
    return x


def _pipeline(*policies: Policy) -> Pipeline:
    named = [("spy", policy) for policy in policies]
    return Pipeline("chat", named, Fixed(), slots=1, timeouts=Timeouts())


async def _run(pipeline: Pipeline) -> Exchange:
    async def send(message: dict[str, Any]) -> None:
        """Nobody looks."""

    x = _exchange()
    await pipeline.run(x, send)
    return x


@pytest.mark.parametrize("kind", [Spy, AsyncSpy])
async def test_what_is_on_has_all_its_phases_and_what_is_off_none(kind: type[Spy]) -> None:
    trace: list[str] = []
    x = await _run(_pipeline(gated(kind(trace), Switch("x", flag=ON), 0)))
    assert trace == ["request", "response", "stream", "close"]
    assert x.notes == {"flag x": "on"}
    trace.clear()
    x = await _run(_pipeline(gated(kind(trace), Switch("x", flag=OFF), 0)))
    assert trace == []
    assert x.notes == {"flag x": "off: flag x"}


@pytest.mark.parametrize("kind", [Spy, AsyncSpy])
async def test_a_policy_that_refuses_is_not_closed(kind: type[Spy]) -> None:
    """As without a gate: it was not entered."""
    trace: list[str] = []
    x = await _run(_pipeline(gated(kind(trace, Reply(403, b"{}", code="no")), Switch("x", flag=ON), 0)))
    assert (trace[0], "close" in trace, x.notes["refused_by"]) == ("request", False, "spy")


async def test_a_later_phase_does_as_was_decided_when_the_request_came_by() -> None:
    """An operator who switches while a request runs changes nothing for it."""
    trace: list[str] = []
    flag = Flag("x")

    class Switching(Policy):
        """Switches it off on the way back."""

        def on_response(self, x: Exchange, answer: Answer) -> None:
            flag.setting = Setting.parse("off")

    await _run(_pipeline(gated(Late(trace), Switch("x", flag=flag), 0), Switching()))
    assert trace == ["late close"]
    await _run(_pipeline(gated(Late(trace), Switch("x", flag=flag), 0)))
    assert trace == ["late close"]


def test_phases_that_nobody_has_are_not_there() -> None:
    """A gate adds the decision alone; what must be awaited is known while compiling."""
    gate = gated(Late([]), Switch("x", flag=ON), 0)
    has = [name for name in ("on_response", "open_stream") if getattr(type(gate), name) is not getattr(Policy, name)]
    assert has == []
    assert type(gate) is type(gated(Late([]), Switch("y", flag=OFF), 1))
    assert not gate.at_door


async def test_explain_tells_why_it_is_off() -> None:
    pipeline = _pipeline(gated(Spy([]), Switch("x", flag=OFF), 0), gated(Spy([]), Switch("y"), 0))
    lines, _, _ = await pipeline.explain(_exchange())
    assert lines == [("spy", "off: flag x"), ("spy", "spies")]


def test_the_list_of_models_is_narrowed_unless_it_is_off_for_all() -> None:
    x = _exchange()
    assert not gated(Spy([]), Switch("x", flag=ON), 0).admits_model(x, "a")
    assert gated(Spy([]), Switch("x", flag=OFF), 0).admits_model(x, "a")


async def test_a_target_that_is_off_raises_and_is_noted_once() -> None:
    x, gate = _exchange(), TargetGate(Fixed(), Switch("x", flag=OFF))
    for _ in range(2):
        with pytest.raises(TargetOff) as caught:
            await gate.send(x)
    assert (caught.value.http_status, caught.value.error_code) == (503, "no_target_available")
    assert (caught.value.headers, caught.value.skipped) == ((), True)
    assert x.skipped == [("sim/x", "off: flag x")]
    assert gate.explain(x) == Choice("sim/x", False, "off: flag x")
    assert (await TargetGate(Fixed(), Switch("x", flag=ON)).send(x)).target == "sim/x"


async def test_a_node_passes_over_what_is_off_and_is_off_when_all_is() -> None:
    """Also beside what cannot do what is needed."""
    off, on = Switch("x", flag=OFF), Switch("x", flag=ON)
    one, two = TargetGate(Fixed("sim/a"), off), TargetGate(Fixed("sim/b"), on)
    x = _exchange()
    node = First((one, two, Fixed("sim/c", context=10)), lambda x: NOTHING_NEEDED)
    assert (await node.send(x)).target == "sim/b"
    assert x.skipped == [("sim/a", "off: flag x")]
    assert node.lacking(x) == {0: "off: flag x"}
    assert (node.can_be_off, node.off(x)) == (False, None)
    dark = First((one, TargetGate(Fixed("sim/d"), off)), lambda x: NOTHING_NEEDED)
    assert (dark.can_be_off, dark.off(x)) == (True, "off: flag x")
    with pytest.raises(TargetOff):
        await dark.send(x)
    assert (await First((dark, Fixed("sim/e")), lambda x: NOTHING_NEEDED).send(x)).target == "sim/e"
