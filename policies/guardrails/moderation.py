"""What a provider's moderation thinks of requests and answers, by category."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, Self

import msgspec

from policies.guardrails._consulted import Consulted, ConsultedConfig, Finding, Said
from proxy.exchange import Exchange
from proxy.guarding.service import ServiceFailed
from proxy.guarding.verdict import Direction
from proxy.policy import CompileContext, Target
from proxy.units import Percent

PATH = "/v1/moderations"
AT_ONCE = 32  # texts in one question
_NO_TEXTS = frozenset({"metadata", "tool_definition"})
# Those that are told by their names; a provider may have others.
CATEGORIES = frozenset(
    {
        "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
        "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
    }
)  # fmt: skip


class ModerationConfig(ConsultedConfig, frozen=True, kw_only=True):
    """``route``: whose target is asked. ``categories``: category → the score from which on it counts; empty: what the
    provider itself flags."""

    route: str
    categories: dict[str, Percent] = {}
    action: Literal["block", "warn"] = "block"


def _is_said(one: Said) -> bool:
    """Whether somebody says it; what stands where nobody is known to speak may be an id."""
    return one.place not in _NO_TEXTS and (
        len(one.text.split()) > 1 if one.place == "other" else bool(one.text.strip())
    )


class _Result(msgspec.Struct):
    flagged: bool
    categories: dict[str, bool] = {}
    category_scores: dict[str, float] = {}


class _Results(msgspec.Struct):
    results: list[_Result]


_READ = msgspec.json.Decoder(_Results)


class Moderation(Consulted):
    """Asks a target of the file by OpenAI's moderation API."""

    __slots__ = ("_action", "_categories", "_patience", "_target")

    name: ClassVar[str] = "moderation"
    Config = ModerationConfig

    def __init__(self, config: ModerationConfig, target: Callable[[], Target] | None, context: CompileContext) -> None:
        super().__init__(config, context)
        self._action = config.action
        self._categories = {name: float(score) for name, score in config.categories.items()}
        self._patience = float(config.timeout)
        self._target = target

    @classmethod
    def compile(cls, config: ModerationConfig, context: CompileContext) -> Self:
        return cls(config, context.detour(config.route, "route"), context)

    async def consult(self, x: Exchange, phase: Direction, texts: list[Said]) -> Finding:
        asked = [one.text for one in texts if _is_said(one)]
        found: dict[str, None] = {}
        for start in range(0, len(asked), AT_ONCE):
            for result in await self._results(x, asked[start : start + AT_ONCE]):
                found.update(dict.fromkeys(self._over(result)))
        entities = tuple(name if name in CATEGORIES or name in self._categories else "other" for name in found)
        return Finding(self._action, entities) if found else Finding("pass")

    async def _results(self, x: Exchange, texts: list[str]) -> list[_Result]:
        body = msgspec.json.encode({"model": x.model, "input": texts})
        assert self._target is not None  # without it the file has a problem
        answer = await self.context.consult(self._target(), x, PATH, body, self._patience)
        if answer is None:
            raise ServiceFailed("no answer")
        try:
            results = _READ.decode(answer).results
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ServiceFailed("an answer that is no moderation") from None
        if len(results) != len(texts):
            raise ServiceFailed(f"{len(results)} results for {len(texts)} texts")
        return results

    def _over(self, result: _Result) -> list[str]:
        """The categories that count."""
        if not self._categories:
            flagged = [name for name, is_flagged in result.categories.items() if is_flagged]
            return flagged or (["other"] if result.flagged else [])
        missing = self._categories.keys() - result.category_scores.keys()
        if missing:
            raise ServiceFailed(f"no score for {', '.join(sorted(missing))}")
        return [name for name, least in self._categories.items() if result.category_scores[name] >= least]
