"""Answers that follow a JSON Schema: repaired, asked for again, or refused; never handed on as they are."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, Self

import msgspec

from policies.guardrails._judged import AtEnd, Judgement, judge, rewritten
from proxy.around import Around
from proxy.chat import Chat, Completion
from proxy.errors import GatewayError, UpstreamError
from proxy.exchange import Exchange, Reply
from proxy.guarding.json_schema import Problem, Schema, unknown
from proxy.kept import aside
from proxy.policy import Answer, CompileContext, Config, Policy, Target

NAME = "output_schema"
FAILED = "output_schema_failed"
MAX_ANSWER = 4 << 20  # bytes
_TOO_LATE = Problem("$", "repair", "it had to be repaired, and had been sent already")
_LONGEST_SCHEMA = 8000  # bytes that are shown to the model
_AGAIN = (
    "Your answer does not follow the JSON Schema that is asked for:\n{}\nAnswer again with the complete JSON alone."
)


class OutputSchemaConfig(Config, frozen=True):
    """``schema`` None: the one that the request itself names, if it does."""

    schema: dict[str, Any] | None = None
    repair: bool = True
    retries: int = 2
    on_stream: Literal["buffer", "check_at_end"] = "buffer"
    on_error: Literal["open", "closed"] = "closed"


class OutputSchema(Policy):
    """Stands around the target, so that every other policy sees the answer that is left in the end."""

    __slots__ = ("_closed", "_config", "_context", "_editor", "_schema", "_shown", "_slot")

    Config = OutputSchemaConfig

    def __init__(self, config: OutputSchemaConfig, schema: Schema | None, context: CompileContext) -> None:
        self._config = config
        self._schema = schema
        shown = b"" if schema is None else msgspec.json.encode(schema.value)
        self._shown = f"\nThe schema: {shown.decode()}" if 0 < len(shown) <= _LONGEST_SCHEMA else ""
        self._closed = config.on_error == "closed"
        self._context = context
        self._editor = context.editor()
        self._slot = context.slot()

    @classmethod
    def compile(cls, config: OutputSchemaConfig, context: CompileContext) -> Self:
        schema = None
        try:
            schema = None if config.schema is None else Schema(config.schema)
        except ValueError as error:
            context.fail(str(error), "schema")
        for at, name in unknown(config.schema):
            context.fail(f"{name!r} is no keyword of JSON Schema", f"schema{at}")
        return cls(config, schema, context)

    async def on_request(self, x: Exchange) -> Reply | None:
        if x.method == "WEBSOCKET" or (chat := await self._editor.read(x)) is None:
            return None
        schema = self._schema
        if schema is None:
            try:
                schema = await aside(_asked_for, chat)
            except ValueError as error:
                self._tell(x, f"failed: {error}", "failed_closed" if self._closed else "failed_open")
                return x.refuse(400, "invalid_schema", f"{error}.") if self._closed else None
            if schema is None:
                return None
        x.state[self._slot] = schema
        x.around = (*x.around, partial(Insisting, self, schema))
        return None

    async def answered(self, x: Exchange, schema: Schema, target: Target) -> Answer:
        """The answer of ``target``, as it will be handed on.

        Raises:
            GatewayError: none of its answers followed the schema, or it gave none.
        """
        body, retries = x.body, self._config.retries
        try:
            for tries in range(retries + 1):
                answer = await target.send(x)
                if answer.status != 200 or answer.code is not None or answer.socket is not None:
                    return answer
                if answer.chunks is not None and answer.is_sse and self._config.on_stream == "check_at_end":
                    return self._watched(x, schema, answer)
                found = await self._judged(x, schema, answer)
                if not found.problems:
                    self._accept(x, found, answer, tries)
                    return answer
                if answer.attempt is not None:
                    answer.attempt.end()
                if tries == retries or not await self._ask_again(x, body, found):
                    raise self._refusal(x, found, tries)
            raise AssertionError("the last try has returned or raised")
        finally:
            if x.body is not body:
                self._editor.rewrite(x, body)

    async def _judged(self, x: Exchange, schema: Schema, answer: Answer) -> Judgement:
        """What is to be said of a whole answer, which is in ``body`` from now on."""
        if answer.body is None:
            answer.body, answer.chunks = await _whole(answer), None
        completion = await aside(partial(self._context.completion, x, answer.body, is_sse=answer.is_sse))
        return await self._judge(x, schema, completion)

    async def _judge(self, x: Exchange, schema: Schema, completion: Completion | None) -> Judgement:
        try:
            return await aside(judge, schema, completion, self._config.repair)
        except ValueError as error:
            self._tell(x, f"failed: {error}", "failed_closed" if self._closed else "failed_open")
            if self._closed:
                raise GatewayError(f"The answer cannot be checked: {error}.", status=422, code=FAILED) from None
            return Judgement(completion)

    def _accept(self, x: Exchange, found: Judgement, answer: Answer, tries: int) -> None:
        told = "follows"
        if found.texts and found.completion is not None:
            told = "repaired"
            body = None if answer.is_sse else rewritten(answer.body or b"", found.texts)
            if body is None:
                reply = self._context.reply(x, found.completion, stream=x.stream)
                body = answer.body if reply is None else reply.body
            answer.body = body
        if "failed" not in x.notes.get(NAME, ""):
            told = f"{told} after {tries} retries" if tries else told
            self._tell(x, told, "redacted" if found.texts else "clean")

    async def _ask_again(self, x: Exchange, body: bytes, found: Judgement) -> bool:
        """Put the next request in place: the first one, what was answered, and what is wrong with it."""
        self._editor.rewrite(x, body)
        history = await self._editor.history(x)
        if history is None:
            return False
        said = "\n".join(f"- {problem.place}: {problem.message}" for problem in found.problems)
        try:
            more = history.with_more(found.text, _AGAIN.format(said) + self._shown)
        except ValueError:
            return False
        self._editor.rewrite(x, more)
        return True

    def _watched(self, x: Exchange, schema: Schema, answer: Answer) -> Answer:
        pieces = self._context.pieces(x)
        chunks = answer.chunks
        if pieces is not None and chunks is not None:

            async def check(completion: Completion) -> None:
                found = await self._judge(x, schema, completion)
                if found.problems or found.texts:
                    raise self._refusal(x, found, 0)
                self._accept(x, found, answer, 0)

            answer.chunks = AtEnd(chunks, pieces, check)
        return answer

    def _refusal(self, x: Exchange, found: Judgement, tries: int) -> GatewayError:
        problems = found.problems or [_TOO_LATE]
        places = ", ".join(f"{one.place} {one.keyword}" for one in problems)
        self._tell(x, f"refused after {tries + 1} answers: {places}", "blocked")
        said = "; ".join(f"{one.place}: {one.message}" for one in problems)
        return GatewayError(f"The model's answer does not follow the schema: {said}", status=422, code=FAILED)

    def _tell(self, x: Exchange, words: str, outcome: str) -> None:
        x.notes[NAME] = words
        x.meter.guarded(x.route, NAME, "output", outcome)

    def explain(self, x: Exchange) -> str:
        if x.state[self._slot] is None:
            return x.notes.get(NAME, "the request asks for no schema")
        whose = "of the request" if self._schema is None else "of the file"
        return f"the answer must follow the schema {whose}; at most {self._config.retries} retries"


class Insisting(Around):
    """A target that answers as a schema says, or not at all."""

    __slots__ = ("_policy", "_schema")

    def __init__(self, policy: OutputSchema, schema: Schema, inner: Target) -> None:
        super().__init__(inner)
        self._policy = policy
        self._schema = schema

    async def send(self, x: Exchange) -> Answer:
        """See ``OutputSchema.answered``."""
        return await self._policy.answered(x, self._schema, self.inner)


def _asked_for(chat: Chat) -> Schema | None:
    """What the request itself wants of its answer."""
    if chat.format is None:
        return None
    return Schema({"type": "object"} if chat.format.kind == "json_object" else chat.format.schema)


async def _whole(answer: Answer) -> bytes:
    """The body of an answer that flows."""
    parts: list[bytes] = []
    size = 0
    try:
        async for chunk in answer.chunks or ():  # type: ignore[union-attr]
            parts.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER:
                answer.discard()
                raise GatewayError(
                    f"The answer is larger than {MAX_ANSWER >> 20} MiB and cannot be checked.", status=422, code=FAILED
                )
    except UpstreamError as error:
        if answer.attempt is not None:
            answer.attempt.end("error", error.meaning)
        raise
    return b"".join(parts)
