"""Which tools a model may be offered and may call, and with what arguments."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import translate
from functools import partial
from typing import Any, Literal, Self

import msgspec

from policies.guardrails._calls import Judge, Ruling, Watched, gather_whole, guarded, is_stream
from proxy.chat import ToolCall
from proxy.exchange import Exchange, Reply
from proxy.guarding.action import Action
from proxy.guarding.carriers import carriers
from proxy.guarding.json_schema import Schema, unknown
from proxy.guarding.scanner import Pattern, Patterns, problem
from proxy.guarding.verdict import Verdict
from proxy.kept import aside
from proxy.policy import Answer, CompileContext, Config, Policy

NAME = "tool_calls"
CODE = "guardrail_blocked"
KINDS = ("tool", "schema", "json")  # what may be wrong beside patterns
Outcome = Literal["block", "remove", "warn", "shadow"]
_STRENGTH: tuple[Outcome, ...] = ("shadow", "warn", "remove", "block")
_RULINGS: dict[Outcome, Ruling] = {"block": "block", "remove": "remove", "warn": "pass", "shadow": "pass"}
# What verdicts call it.
_NOTED: dict[Outcome, Action] = {"block": "block", "remove": "redact", "warn": "warn", "shadow": "shadow"}
MESSAGE = "A call of a tool was stopped by the guardrail `tool_calls`."


class ToolCallsConfig(Config, frozen=True):
    """``schemas``: tool → JSON Schema of its arguments; ``patterns``: name → RE2 that no argument may hold;
    ``entities``: what is wrong with a call → what becomes of it, where that is not ``action``."""

    allow: tuple[str, ...] = ("*",)
    deny: tuple[str, ...] = ()
    schemas: dict[str, dict[str, Any]] = {}
    patterns: dict[str, str] = {}
    action: Outcome = "block"
    entities: dict[str, Outcome] = {}
    offered: Literal["remove", "refuse", "pass"] = "remove"
    on_error: Literal["open", "closed"] = "closed"
    message: str = MESSAGE


class ToolCalls(Policy):
    """Calls in answers are looked at when they are whole; of a streamed one nothing is told before."""

    __slots__ = ("_action", "_actions", "_allowed", "_closed", "_context", "_denied", "_editor", "_message", "_offered",
                 "_patterns", "_schemas", "_slot")  # fmt: skip

    Config = ToolCallsConfig

    def __init__(self, config: ToolCallsConfig, schemas: dict[str, Schema], context: CompileContext) -> None:
        self._allowed = _matcher(config.allow)
        self._denied = _matcher(config.deny)
        self._schemas = schemas
        good = [Pattern(name, regex) for name, regex in config.patterns.items() if problem(regex) is None]
        self._patterns = Patterns(good) if good else None
        self._action: Outcome = config.action
        self._actions: dict[str, Outcome] = dict(config.entities)
        self._offered = config.offered
        self._closed = config.on_error == "closed"
        self._message = config.message
        self._context = context
        self._editor = context.editor()
        self._slot = context.slot()

    @classmethod
    def compile(cls, config: ToolCallsConfig, context: CompileContext) -> Self:
        schemas: dict[str, Schema] = {}
        for name, value in config.schemas.items():
            try:
                schemas[name] = Schema(value)
            except ValueError as error:
                context.fail(str(error), f"schemas.{name}")
            for at, keyword in unknown(value):
                context.fail(f"{keyword!r} is no keyword of JSON Schema", f"schemas.{name}{at}")
        for name, regex in config.patterns.items():
            if (wrong := problem(regex)) is not None:
                context.fail(wrong, f"patterns.{name}")
        known = (*KINDS, *config.patterns)
        for name in config.entities:
            if name not in known:
                near = get_close_matches(name, known, 1)
                meant = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"
                context.fail(f'nothing is wrong with a call by the name "{name}"; {meant}', f"entities.{name}")
        if config.allow == ("*",) and not (config.deny or config.schemas or config.patterns):
            context.fail("this lets every call pass; say what is allowed or denied")
        return cls(config, schemas, context)

    def forbids(self, name: str) -> bool:
        """Whether a tool of this name may be neither offered nor called."""
        return not self._allowed.match(name) or bool(self._denied.match(name))

    async def on_request(self, x: Exchange) -> Reply | None:
        verdicts = x.state[self._slot] = {"output": Verdict("output")}
        if x.method == "WEBSOCKET":
            verdicts["input"] = Verdict("input")
            verdicts["input"].fail("messages both ways are not looked into", closed=self._closed)
            return self._stopped(x) if self._closed else None
        offered = None if self._offered == "pass" else await self._editor.offered(x)
        if offered is None or not (forbidden := [name for name in offered.names if self.forbids(name)]):
            return None
        verdict = verdicts["input"] = Verdict("input")
        action = self._actions.get("tool", self._action)
        changes = action in ("block", "remove")
        must = bool(set(forbidden) & set(offered.chosen()))
        refuses = changes and (must or self._offered == "refuse")
        for _ in forbidden:
            verdict.note("tool", "block" if refuses else "redact" if changes else _NOTED[action], "tools")
        if refuses:
            return self._stopped(x, f"The tool {forbidden[0][:64]!r} may not be offered here.")
        if changes:
            self._editor.rewrite(x, offered.without(self.forbids))
        return None

    def _stopped(self, x: Exchange, message: str = "") -> Reply:
        self.on_close(x)  # who refuses is not asked to close
        return x.refuse(400, CODE, message or self._message, param="tools" if message else None)

    async def on_response(self, x: Exchange, answer: Answer) -> Reply | None:
        verdicts: dict[str, Verdict] | None = x.state[self._slot]
        if verdicts is None or answer.status != 200 or answer.code is not None:
            return None
        pieces = self._context.pieces(x)
        if pieces is None or answer.socket is not None:
            return None
        judge = Judge(partial(self._judge, verdicts["output"]), self._message)
        if answer.chunks is not None and is_stream(answer):
            answer.chunks = Watched(answer, pieces, judge)
            return None
        return await self._whole(x, answer, verdicts["output"], judge)

    async def _whole(self, x: Exchange, answer: Answer, verdict: Verdict, judge: Judge) -> Reply | None:
        """An answer that is not streamed: left as it is if nothing is found."""
        if (failed := await gather_whole(x, answer)) is not None:
            return failed
        completion = await aside(partial(self._context.completion, x, answer.body or b"", is_sse=is_stream(answer)))
        if completion is None:
            verdict.fail("the answer cannot be read", closed=self._closed)
            return x.refuse(400, CODE, self._message) if self._closed else None
        if await guarded(completion, judge):
            reply = self._context.reply(x, completion, stream=is_stream(answer))
            answer.body = answer.body if reply is None else reply.body
        return None

    async def _judge(self, verdict: Verdict, call: ToolCall) -> Ruling:
        """What becomes of a call; noted if anything is wrong with it. Of several things the gravest counts."""
        began = time.perf_counter_ns()
        outcomes = {entity: self._actions.get(entity, self._action) for entity in await aside(self._wrong, call)}
        for entity, outcome in outcomes.items():
            verdict.note(entity, _NOTED[outcome], "a call")
        verdict.nanoseconds += time.perf_counter_ns() - began
        gravest: Outcome = max(outcomes.values(), key=_STRENGTH.index, default="shadow")
        return _RULINGS[gravest]

    def _wrong(self, call: ToolCall) -> list[str]:
        """Why a call may not be made, in words of the file: the tool, its schema, or the names of patterns."""
        found = ["tool"] if self.forbids(call.name) else []
        texts = [call.arguments]
        schema = self._schemas.get(call.name)
        if not call.custom and call.arguments.strip():
            try:
                value = msgspec.json.decode(call.arguments)
                texts += [carrier.text for carrier in carriers(call.arguments.encode())]
                if schema is not None and schema.problems(value):
                    found.append("schema")
            except (ValueError, RecursionError):  # no JSON, or a schema that cannot be checked
                found += ["json"] if schema is not None or self._patterns is not None else []
        elif schema is not None and schema.problems({}):
            found.append("schema")
        if self._patterns is not None:
            found += _entities(self._patterns, texts)
        return found

    def on_close(self, x: Exchange) -> None:
        verdicts: dict[str, Verdict] | None = x.state[self._slot]
        for direction, verdict in (verdicts or {}).items():
            x.meter.guarded(x.route, NAME, direction, verdict.outcome)
            for (action, entity), count in verdict.fired.items():
                x.meter.fired(x.route, NAME, direction, entity, action, count)
        x.notes[NAME] = "; ".join(str(verdict) for verdict in (verdicts or {}).values())

    def explain(self, x: Exchange) -> str:
        verdicts: dict[str, Verdict] = x.state[self._slot] or {}
        told = [str(verdict) for direction, verdict in verdicts.items() if direction == "input"]
        return "; ".join([*told, f"calls that are not allowed: {self._action}"])


def _matcher(globs: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{translate(glob)})" for glob in globs) or r"(?!)")


def _entities(patterns: Patterns, texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(span.entity for text in texts for span in patterns.scan(text)))
