"""What a provider's moderation, or a guardrail of AWS Bedrock, thinks of requests and answers, by category."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import ClassVar, Literal, Self

import msgspec

from policies.guardrails import _guardrail as guardrail
from policies.guardrails._consulted import Consulted, ConsultedConfig, Finding, Said, Span
from proxy.exchange import Exchange
from proxy.guarding.service import ServiceFailed
from proxy.guarding.verdict import Direction
from proxy.policy import CompileContext, Target
from proxy.units import Percent

Verdict = Literal["block", "redact", "warn", "shadow"]

PATH = "/v1/moderations"
_STRENGTH = ("shadow", "warn", "redact", "block")
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
    """``route``: whose target is asked, and ``api``: how. ``categories``: category → the score from which on it counts;
    empty: what the provider itself flags. ``entities``: what is done about some, where that is not ``action``."""

    route: str
    api: Literal["moderations", "bedrock_guardrail"] = "moderations"
    categories: dict[str, Percent] = {}
    action: Literal["block", "warn", "shadow"] = "block"
    entities: dict[str, Literal["block", "warn", "shadow"]] = {}


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
    """Asks a target of the file by OpenAI's moderation API, or as AWS asks guardrails."""

    __slots__ = ("_action", "_api", "_by_entity", "_categories", "_patience", "_target")

    name: ClassVar[str] = "moderation"
    Config = ModerationConfig

    def __init__(self, config: ModerationConfig, target: Callable[[], Target] | None, context: CompileContext) -> None:
        super().__init__(config, context)
        self._action = config.action
        self._by_entity: dict[str, Verdict] = dict(config.entities)
        self._api = config.api
        self._categories = {name: float(score) for name, score in config.categories.items()}
        self._patience = float(config.timeout)
        self._target = target

    @classmethod
    def compile(cls, config: ModerationConfig, context: CompileContext) -> Self:
        asks_aws = config.api == "bedrock_guardrail"
        for name in config.categories if asks_aws else ():
            if name not in guardrail.FILTERS:
                known = ", ".join(guardrail.FILTERS)
                context.fail(f"a guardrail has no filter {name!r}; it has {known}", f"categories.{name}")
        told = guardrail.KNOWN if asks_aws else (*CATEGORIES, *config.categories, "other")
        for name in config.entities:
            if name not in told:
                near = get_close_matches(name, told, 1)
                meant = (
                    f'did you mean "{near[0]}"?' if near else "what is not in `categories` either is told as `other`"
                )
                context.fail(f'nothing is told by the name "{name}"; {meant}', f"entities.{name}")
        return cls(config, context.detour(config.route, "route"), context)

    async def consult(self, x: Exchange, phase: Direction, texts: list[Said]) -> Finding:
        asked = [number for number, one in enumerate(texts) if _is_said(one)]
        if self._api == "bedrock_guardrail":
            return await self._guarded(x, phase, [one.text for one in texts], asked)
        found: dict[str, None] = {}
        for start in range(0, len(asked), AT_ONCE):
            for result in await self._results(x, [texts[number].text for number in asked[start : start + AT_ONCE]]):
                found.update(dict.fromkeys(self._over(result)))
        entities = tuple(name if name in CATEGORIES or name in self._categories else "other" for name in found)
        return self._finding({name: self._by_entity.get(name, self._action) for name in entities})

    async def _guarded(self, x: Exchange, phase: Direction, texts: list[str], asked: list[int]) -> Finding:
        """What a guardrail thinks of the texts of these numbers."""
        actions: dict[str, Verdict] = {}
        spans: list[Span] = []
        for numbers in _portions(texts, asked):
            some = [texts[number] for number in numbers]
            body = guardrail.question(phase, some, full=bool(self._categories))
            found = guardrail.assessed(await self._answer(x, guardrail.PATH, body), self._categories)
            anonymises: Verdict = "redact" if self._action == "block" else self._action
            hidden = {one.entity: self._by_entity.get(one.entity, anonymises) for one in found.anonymised}
            replaced = [one for one in found.anonymised if hidden[one.entity] == "redact"]
            places = guardrail.spans(some, replaced)
            spans += (msgspec.structs.replace(span, text=numbers[span.text]) for span in places)
            blocked = {name: self._by_entity.get(name, self._action) for name in found.blocked}
            for name, action in (*hidden.items(), *blocked.items()):
                actions[name] = max(action, actions.get(name, action), key=_STRENGTH.index)
        return self._finding(actions, tuple(spans))

    def _finding(self, actions: dict[str, Verdict], spans: tuple[Span, ...] = ()) -> Finding:
        """What is done about everything that was found: the strongest action counts."""
        if not actions:
            return Finding("pass")
        verdict = max(actions.values(), key=_STRENGTH.index)
        return Finding(verdict, tuple(actions), spans if verdict == "redact" else (), actions=actions)

    async def _results(self, x: Exchange, texts: list[str]) -> list[_Result]:
        answer = await self._answer(x, PATH, msgspec.json.encode({"model": x.model, "input": texts}))
        try:
            results = _READ.decode(answer).results
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ServiceFailed("an answer that is no moderation") from None
        if len(results) != len(texts):
            raise ServiceFailed(f"{len(results)} results for {len(texts)} texts")
        return results

    async def _answer(self, x: Exchange, path: str, body: bytes) -> bytes:
        assert self._target is not None  # without it the file has a problem
        answer = await self.context.consult(self._target(), x, path, body, self._patience)
        if answer is None:
            raise ServiceFailed("no answer")
        return answer

    def _over(self, result: _Result) -> list[str]:
        """The categories that count."""
        if not self._categories:
            flagged = [name for name, is_flagged in result.categories.items() if is_flagged]
            return flagged or (["other"] if result.flagged else [])
        missing = self._categories.keys() - result.category_scores.keys()
        if missing:
            raise ServiceFailed(f"no score for {', '.join(sorted(missing))}")
        return [name for name, least in self._categories.items() if result.category_scores[name] >= least]


def _portions(texts: Sequence[str], asked: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of texts that go into one question."""
    portion: list[int] = []
    size = 0
    for number in asked:
        if portion and (size + len(texts[number]) > guardrail.MAX_ASKED or len(portion) >= AT_ONCE):
            yield portion
            portion, size = [], 0
        portion.append(number)
        size += len(texts[number])
    if portion:
        yield portion
