"""Guards that ask somebody else what to think of a request or an answer, and never take a failure for a yes."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import msgspec

from policies.guardrails._calls import gather_whole, is_stream
from proxy.chat import Choice as Answered
from proxy.chat import Completion, Reasoning, Refusal, Text, ToolCall
from proxy.exchange import Exchange, Reply
from proxy.guarding.action import Action
from proxy.guarding.carriers import Carrier, carriers, splice
from proxy.guarding.service import ServiceFailed
from proxy.guarding.verdict import Direction, Verdict
from proxy.kept import aside
from proxy.policy import Answer, CompileContext, Config, Policy
from proxy.units import Duration

CODE = "guardrail_blocked"
MAX_ASKED = 2 << 20  # characters of one question
MAX_TEXTS = 2000
_UNTOLD = frozenset({"logprobs"})


class Said(NamedTuple):
    """One text, where it stands, and who says it."""

    path: str
    place: str
    text: str


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Characters ``start`` to ``end`` of the text of that number."""

    text: int
    start: int
    end: int
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "REDACTED"


class Finding(NamedTuple):
    """What somebody thinks. ``entities``: what was found, by names that the file or the policy knows; ``actions``:
    what is done about some of these, where that is less than the verdict."""

    verdict: Literal["pass", "block", "redact", "warn", "shadow"]
    entities: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    message: str = ""
    actions: Mapping[str, Action] = MappingProxyType({})


class ConsultedConfig(Config, frozen=True, kw_only=True):
    """What all of them share."""

    on: Literal["input", "output", "both"] = "both"
    on_error: Literal["open", "closed"] = "closed"
    timeout: Duration = Duration(2)
    message: str = ""


class Consulted(Policy):
    """Asks once for a request, and once for an answer when that is whole: streams are held back until then."""

    __slots__ = ("_closed", "_message", "_on", "_slot", "context")

    name: ClassVar[str]

    def __init__(self, config: ConsultedConfig, context: CompileContext) -> None:
        self.context = context
        self._closed = config.on_error == "closed"
        self._message = config.message or f"This was stopped by the guardrail {self.name!r}."
        self._on = frozenset(("input", "output") if config.on == "both" else (config.on,))
        self._slot = context.slot()

    @abstractmethod
    async def consult(self, x: Exchange, phase: Direction, texts: list[Said]) -> Finding:
        """What somebody thinks of these texts.

        Raises:
            ServiceFailed: that is not known.
        """

    async def on_request(self, x: Exchange) -> Reply | None:
        verdicts: dict[Direction, Verdict] = {}
        x.state[self._slot] = verdicts
        if "input" not in self._on or x.endpoint.operation in ("models", "") or x.explained:
            return None
        verdict = verdicts["input"] = Verdict("input")
        if x.endpoint.body != "json" or x.method == "WEBSOCKET":
            reply = self._failed(x, verdict, "what is no JSON is not looked into")
        else:
            reply = await self._look(x, verdict)
        if reply is not None:  # who refuses is not asked to close
            self.on_close(x)
        return reply

    async def _look(self, x: Exchange, verdict: Verdict) -> Reply | None:
        told = await aside(carriers, x.body)
        finding = await self._ask(x, verdict, [Said(one.path, one.place, one.text) for one in told])
        if finding is None:
            return x.refuse(400, CODE, self._message) if self._closed else None
        if finding.verdict == "block":
            return x.refuse(400, CODE, finding.message or self._message)
        if finding.spans:
            body = splice(x.body, _changes(told, finding.spans))
            self.context.editor().rewrite(x, body)
        return None

    async def _ask(self, x: Exchange, verdict: Verdict, texts: list[Said]) -> Finding | None:
        """What somebody thinks; None where that is not known."""
        began = time.perf_counter_ns()
        waited = time.monotonic()
        try:
            if len(texts) > MAX_TEXTS or sum(len(one.text) for one in texts) > MAX_ASKED:
                raise ServiceFailed("it is too long to be asked about")
            finding = await self.consult(x, verdict.direction, texts)
            check(finding, texts)
        except ServiceFailed as failed:
            verdict.fail(f"failed: {failed}", closed=self._closed)
            return None
        finally:
            verdict.nanoseconds += time.perf_counter_ns() - began
            x.upstream_wait += time.monotonic() - waited  # no time of the gateway's own
        if finding.verdict != "pass":
            for entity in finding.entities or (self.name,):
                verdict.note(entity, finding.actions.get(entity, finding.verdict), verdict.direction)
        return finding

    async def on_response(self, x: Exchange, answer: Answer) -> Reply | None:
        verdicts: dict[Direction, Verdict] | None = x.state[self._slot]
        if verdicts is None or "output" not in self._on or answer.status >= 300:
            return None
        if answer.code is not None or x.endpoint.operation == "embeddings":
            return None
        verdict = verdicts["output"] = Verdict("output")
        if answer.socket is not None:
            return self._failed(x, verdict, "messages both ways are not looked into")
        if (failed := await gather_whole(x, answer)) is not None:
            return failed
        if is_stream(answer):
            return await self._told(x, answer, verdict)
        return await self._whole(x, answer, verdict)

    async def _whole(self, x: Exchange, answer: Answer, verdict: Verdict) -> Reply | None:
        """An answer in JSON: what is redacted is replaced in its own bytes."""
        body = answer.body or b""
        try:
            msgspec.json.decode(body, type=msgspec.Raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._failed(x, verdict, "an answer that is no JSON is not looked into")
        told = [one for one in await aside(carriers, body) if one.top != "object" and not _UNTOLD & set(one.steps)]
        finding = await self._ask(x, verdict, [Said(one.path, one.place, one.text) for one in told])
        if finding is None or finding.verdict == "block":
            return self._end(x, answer, finding)
        if finding.spans:
            answer.body = splice(body, _changes(told, finding.spans))
        return None

    async def _told(self, x: Exchange, answer: Answer, verdict: Verdict) -> Reply | None:
        """A stream, which is whole by now."""
        completion = await aside(partial(self.context.completion, x, answer.body or b"", is_sse=True))
        if completion is None:
            return self._failed(x, verdict, "the answer cannot be read")
        said = _said(completion)
        finding = await self._ask(x, verdict, [one for one, _, _ in said])
        if finding is None or finding.verdict == "block":
            return self._end(x, answer, finding)
        if finding.spans:
            for number, text in _rewritten([one.text for one, _, _ in said], finding.spans).items():
                _, part, field = said[number]
                setattr(part, field, text)
            for choice in completion.choices:
                choice.logprobs = None
            reply = self.context.reply(x, completion, stream=True)
            answer.body = answer.body if reply is None else reply.body
        return None

    def _end(self, x: Exchange, answer: Answer, finding: Finding | None) -> Reply | None:
        """The answer says in its dialect why it says nothing."""
        if finding is None and not self._closed:
            return None
        message = finding.message if finding is not None and finding.message else self._message
        said = Completion(id="", model="", choices=[Answered(parts=[Refusal(message)], stop="content_filter")])
        reply = self.context.reply(x, said, stream=is_stream(answer))
        if reply is None:
            return x.refuse(400, CODE, message)
        answer.body = reply.body
        return None

    def _failed(self, x: Exchange, verdict: Verdict, why: str) -> Reply | None:
        verdict.fail(why, closed=self._closed)
        return x.refuse(400, CODE, self._message) if self._closed else None

    def on_close(self, x: Exchange) -> None:
        verdicts: dict[Direction, Verdict] = x.state[self._slot] or {}
        for direction, verdict in verdicts.items():
            x.meter.guarded(x.route, self.name, direction, verdict.outcome)
            for (action, entity), count in verdict.fired.items():
                x.meter.fired(x.route, self.name, direction, entity, action, count)
        x.notes[self.name] = "; ".join(str(verdict) for verdict in verdicts.values())

    def explain(self, x: Exchange) -> str:
        return f"would ask about the {' and the '.join(sorted(self._on))}"


def _said(completion: Completion) -> list[tuple[Said, Any, str]]:
    """Every text of an answer, with the part and its field in which it stands."""
    found: list[tuple[Said, Any, str]] = []
    for choice in completion.choices:
        for number, part in enumerate(choice.parts):
            path = f"choices[{choice.index}].parts[{number}]"
            if isinstance(part, Text | Reasoning | Refusal):
                found.append((Said(path, "assistant", part.text), part, "text"))
            elif isinstance(part, ToolCall):
                found.append((Said(f"{path}.name", "tool_call", part.name), part, "name"))
                found.append((Said(f"{path}.arguments", "tool_call", part.arguments), part, "arguments"))
    return found


def check(finding: Finding, texts: list[Said]) -> None:
    """What was answered makes sense: else it is an error, and no verdict."""
    if (finding.verdict == "redact") != bool(finding.spans):
        raise ServiceFailed("spans and `redact` belong together")
    for span in finding.spans:
        if not (0 <= span.text < len(texts) and 0 <= span.start < span.end <= len(texts[span.text].text)):
            raise ServiceFailed("a span lies outside of what was asked about")


def _rewritten(texts: list[str], spans: tuple[Span, ...]) -> dict[int, str]:
    """The texts in which something is replaced, by their numbers; of spans that overlap the first counts for all."""
    found: dict[int, str] = {}
    for number in {span.text for span in spans}:
        text, at = texts[number], 0
        parts: list[str] = []
        for span in sorted((one for one in spans if one.text == number), key=lambda one: (one.start, -one.end)):
            if span.start >= at:
                parts += (text[at : span.start], f"[{span.label}]")
            at = max(at, span.end)
        found[number] = "".join((*parts, text[at:]))
    return found


def _changes(told: list[Carrier], spans: tuple[Span, ...]) -> list[tuple[Carrier, str]]:
    return [(told[number], text) for number, text in _rewritten([one.text for one in told], spans).items()]
