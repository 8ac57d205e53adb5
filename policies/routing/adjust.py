"""Set parameters and the system prompt of a conversation on its way to one target: what a variant may differ in."""

from __future__ import annotations

import json
from typing import Any, Literal

from msgspec.structs import asdict, replace

from proxy.around import Around
from proxy.chat import Adjustment
from proxy.choosing.capability import Growth, Needs
from proxy.errors import Unsupported
from proxy.exchange import Exchange
from proxy.kept import aside
from proxy.policy import Answer, Choice, CompileContext, Config, Target

_LARGE = 512 << 10  # bytes of a request that is edited off the loop
_AROUND = 16  # tokens around an added text
_BY = {"replace": "replaced by", "prepend": "begins with", "append": "ends with"}


class ParametersConfig(Config, frozen=True):
    """By OpenAI's names; what is not set stays as the caller has it."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None


class SystemConfig(Config, frozen=True):
    """One of them. A plain text stands for ``replace``."""

    replace: str | None = None
    prepend: str | None = None
    append: str | None = None


class AdjustConfig(Config, frozen=True):
    """``target`` is asked with these ``parameters`` and this ``system`` prompt."""

    target: Any
    parameters: ParametersConfig = ParametersConfig()
    system: str | SystemConfig = SystemConfig()


class Adjust(Around):
    """The caller's own bytes, but for what is set. Others that are asked for the same request see it as it came."""

    __slots__ = ("_adjustment", "_context", "_words")

    Config = AdjustConfig

    def __init__(self, inner: Target, adjustment: Adjustment, context: CompileContext) -> None:
        super().__init__(inner)
        self._adjustment = adjustment
        self._context = context
        self._words = _told(adjustment)

    @classmethod
    def compile(cls, config: AdjustConfig, context: CompileContext) -> Target | None:
        parameters = _named(config.parameters)
        system: dict[Any, str] = {"replace": config.system} if isinstance(config.system, str) else _named(config.system)
        place: Any  # one of the three that SystemConfig knows
        place, text = next(iter(system.items()), ("replace", None))
        if not parameters and text is None:
            context.fail("this changes nothing; set `parameters` or `system`, or write its target alone")
        inner = context.target(config.target, "target")
        if inner is None:
            return None
        return cls(inner, Adjustment(parameters=parameters, system=text, place=place), context)

    async def send(self, x: Exchange) -> Answer:
        adjusted = self._context.adjusted
        is_large = len(x.body) > _LARGE
        twin, lost = await aside(adjusted, x, self._adjustment) if is_large else adjusted(x, self._adjustment)
        if lost and x.on_loss == "refuse":
            x.skip(", ".join(self.leaves()), "unsupported")
            raise Unsupported(f"This dialect has no word for {', '.join(lost)}. This route refuses such losses.")
        twin.notes["adjust"] = f"{before}; {self._words}" if (before := twin.notes.get("adjust")) else self._words
        try:
            answer = await self.inner.send(twin)
        finally:
            x.heed(twin)
        answer.dropped = tuple(dict.fromkeys((*lost, *answer.dropped)))
        return answer

    def explain(self, x: Exchange) -> Choice:
        twin, lost = self._context.adjusted(x, self._adjustment)
        choice = self.inner.explain(twin)
        choice = replace(choice, dropped=tuple(dict.fromkeys((*lost, *choice.dropped)))) if lost else choice
        return Choice("adjust", choice.chosen, self._words, (choice,))

    def growths(self) -> frozenset[Growth]:
        """On the way below, after this."""
        wanted = self._adjustment
        added = 0 if wanted.system is None else len(json.dumps(wanted.system)) + _AROUND
        own = wanted.parameters.get("max_tokens")
        return frozenset(
            Growth(growth.input + added, own if growth.output is None else growth.output)
            for growth in self.inner.growths()
        )

    def lacks(self, needs: Needs) -> str | None:
        """What the other cannot do with it."""
        most = self._adjustment.parameters.get("max_tokens", needs.output_tokens)
        return self.inner.lacks(needs if most == needs.output_tokens else replace(needs, output_tokens=most))


def _named(config: Config) -> dict[str, Any]:
    """What is set in it."""
    return {name: value for name, value in asdict(config).items() if value is not None}


def _told(wanted: Adjustment) -> str:
    """For people. Of a text only its length: it may be long, and is in the file."""
    said = [f"{name} {json.dumps(value)}" for name, value in wanted.parameters.items()]
    if wanted.system is not None:
        said.append(f"system prompt {_BY[wanted.place]} {len(wanted.system)} characters")
    return ", ".join(said)
