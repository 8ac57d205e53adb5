"""Answers that say only what they were given: compared sentence by sentence with the passages of their request.

A sentence is supported if what it cites is there, and one passage at least says it: by words
(``proxy.grounding.grounds`` has the formula), else by a vector, else in a judge's opinion. The score of an answer is
the share of its sentences that are supported, of those that claim something.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import ClassVar, Literal, Self

import msgspec

from policies.guardrails._calls import is_stream
from policies.guardrails._grounded import Basis, Rules, Weighed, score
from policies.guardrails._judged import AtEnd, whole
from policies.guardrails._opinions import EmbeddingConfig, JudgeConfig, Weigher, judge, likeness
from policies.guardrails._stream import ERRORS
from proxy.around import Around
from proxy.chat import Choice, Completion, Refusal
from proxy.errors import GatewayError
from proxy.exchange import Exchange, Reply
from proxy.grounding.claims import CITED, TooLong, written
from proxy.grounding.grounds import TooMany
from proxy.grounding.passages import Given, TooMuch, Where, given
from proxy.guarding.scanner import compiled, problem
from proxy.guarding.service import ServiceFailed
from proxy.guarding.verdict import Verdict
from proxy.kept import aside
from proxy.policy import Answer, CompileContext, Config, Policy, Target
from proxy.units import Percent

NAME = "grounding"
CODE = "guardrail_blocked"
MESSAGE = "The answer was stopped: it is not supported by the given documents."
_LONG = 16 << 10  # bytes of a request from which on passages are looked for in a thread
_SHOWN = 20  # sentences whose numbers are told
_AGAIN = (
    "These sentences of your answer are not supported by what you were given, or cite what is not there:\n{}\n"
    "Answer again, only from what you were given, and say so where it does not tell."
)
_COMPLAINT = 4000  # characters of the sentences that are told to a model again


class ContextConfig(Config, frozen=True):
    """Where passages are looked for. ``patterns``: RE2, whose first group, or all, is a passage."""

    documents: bool = True
    tool_results: bool = True
    tags: tuple[str, ...] = ("context", "document", "documents", "passage", "source", "search_result")
    numbered: bool = True
    patterns: tuple[str, ...] = ()


class CitationsConfig(Config, frozen=True):
    """``pattern``: RE2, whose first group is what is cited; "": citations are not looked for."""

    pattern: str = CITED
    required: bool = False
    quotes: bool = True


class GroundingConfig(Config, frozen=True):
    """``lexical``: of a sentence, ``score``: of an answer, each the least that is enough."""

    context: ContextConfig = ContextConfig()
    citations: CitationsConfig = CitationsConfig()
    lexical: Percent = Percent(0.5)
    embedding: EmbeddingConfig | None = None
    judge: JudgeConfig | None = None
    score: Percent = Percent(1.0)
    action: Literal["block", "warn", "shadow", "retry"] = "block"
    retries: int = 1
    without_context: Literal["skip", "block"] = "skip"
    on_error: Literal["open", "closed"] = "closed"
    message: str = MESSAGE


class Seen(msgspec.Struct):
    """What is known of one request. ``body``: of which ``given`` was read; ``told``: of its answer, for the receipt."""

    verdict: Verdict
    body: bytes
    given: Given | None = None
    basis: Basis | None = None
    told: str = ""


class Grounding(Policy):
    """Stands around the target, so that every other policy sees the answer that is left in the end."""

    __slots__ = ("_closed", "_config", "_context", "_editor", "_score", "_slot", "_stops", "_weigher", "_where")

    Config = GroundingConfig
    is_guard: ClassVar[bool] = True

    def __init__(
        self,
        config: GroundingConfig,
        where: Where,
        weigher: Weigher,
        context: CompileContext,
    ) -> None:
        self._config = config
        self._where = where
        self._weigher = weigher
        self._score = float(config.score)
        self._stops = config.action in ("block", "retry")
        self._closed = self._stops and config.on_error == "closed"
        self._context = context
        self._editor = context.editor()
        self._slot = context.slot()

    @classmethod
    def compile(cls, config: GroundingConfig, context: CompileContext) -> Self:
        cites, places = config.citations, config.context
        for at, regex in enumerate(places.patterns):
            if (wrong := problem(regex)) is not None:
                context.fail(wrong, f"context.patterns[{at}]")
        if cites.pattern and (wrong := problem(cites.pattern)) is not None:
            context.fail(wrong, "citations.pattern")
        elif cites.pattern and not compiled(cites.pattern).groups:
            context.fail("a group is needed that tells what is cited, such as `\\[(\\d+)\\]`", "citations.pattern")
        if cites.required and not cites.pattern:
            context.fail("citations that are not looked for cannot be required; give a `pattern`", "citations.required")
        if not (places.documents or places.tool_results or places.tags or places.numbered or places.patterns):
            context.fail("nothing is left in which passages could be found", "context")
        good = [regex for regex in places.patterns if problem(regex) is None]
        tags = tuple(tag.lower() for tag in places.tags)
        where = Where(places.documents, places.tool_results, tags, places.numbered, tuple(map(compiled, good)))
        cited = compiled(cites.pattern) if cites.pattern and problem(cites.pattern) is None else None
        rules = Rules(float(config.lexical), cited, cites.required, cites.quotes)
        return cls(
            config, where, Weigher(rules, likeness(config.embedding, context), judge(config.judge, context)), context
        )

    # What is given

    async def on_request(self, x: Exchange) -> Reply | None:
        if x.method == "WEBSOCKET":
            seen = x.state[self._slot] = Seen(Verdict("output"), b"")
            reply = self._failed(x, seen, "messages both ways are not looked into")
        else:
            seen = Seen(Verdict("output"), x.body)
            reply = await self._look(x, seen)
        if reply is not None:  # who refuses is not asked to close
            self.on_close(x)
        return reply

    async def _look(self, x: Exchange, seen: Seen) -> Reply | None:
        failure = await self._read(x, seen)
        if failure is None and seen.given is None:  # no conversation
            return None
        x.state[self._slot] = seen
        x.verdicts.append(seen.verdict)
        if failure is not None:
            return self._failed(x, seen, failure)
        if seen.given is not None and not seen.given.passages:
            return self._without(x, seen)
        x.around = (*x.around, partial(Grounded, self, seen))
        return None

    async def _read(self, x: Exchange, seen: Seen) -> str | None:
        """Find the passages; why they cannot be found, if so."""
        seen.body, seen.basis = x.body, None
        chat = await self._editor.conversation(x)
        if chat is None:
            return None
        if chat.previous is not None:
            return "what was said before is kept by the provider"
        try:
            find = partial(given, chat, self._where)
            seen.given = await aside(find) if len(x.body) > _LONG else find()
        except (TooMuch, *ERRORS) as failed:
            return _why(failed)
        return "a document that is no text is not looked into" if seen.given.unread else None

    def _without(self, x: Exchange, seen: Seen) -> Reply | None:
        if self._config.without_context == "skip":
            seen.told = "nothing was given: not judged"
            return None
        seen.verdict.note("no_context", "block" if self._stops else self._quiet, "the request")
        message = "There is no document or passage in the request from which it could be answered."
        return x.refuse(400, CODE, message) if self._stops else None

    @property
    def _quiet(self) -> Literal["warn", "shadow"]:
        return "warn" if self._config.action == "warn" else "shadow"

    def _failed(self, x: Exchange, seen: Seen, why: str) -> Reply | None:
        seen.verdict.fail(f"failed: {why}", closed=self._closed)
        return x.refuse(400, CODE, self._config.message) if self._closed else None

    # What is answered

    async def answered(self, x: Exchange, seen: Seen, target: Target) -> Answer:
        """The answer of ``target``, as it will be handed on.

        Raises:
            GatewayError: it gave none, or one that is too large to be looked at.
        """
        body, retries = x.body, self._config.retries if self._config.action == "retry" else 0
        failure = await self._read(x, seen) if body is not seen.body else None
        try:
            for tries in range(retries + 1):
                answer = await target.send(x)
                if answer.status != 200 or answer.code is not None or answer.socket is not None:
                    return answer
                if failure is not None or seen.given is None:  # another policy has made it unreadable
                    return self._unjudged(x, seen, answer, failure or "the request is no conversation any more")
                if not self._stops and answer.chunks is not None and is_stream(answer):
                    return self._watched(x, seen, answer)
                completion, wrong = await self._whole(x, seen, answer)
                if not wrong or tries == retries or not await self._ask_again(x, body, completion, wrong):
                    seen.told += f" after {tries} retries" if tries else ""
                    return self._settled(x, seen, answer, completion, wrong)
                if answer.attempt is not None:
                    answer.attempt.end()
            raise AssertionError("the last try has returned or raised")
        finally:
            if x.body is not body:
                self._editor.rewrite(x, body)

    async def _whole(self, x: Exchange, seen: Seen, answer: Answer) -> tuple[Completion | None, list[Weighed]]:
        """A whole answer, which is in ``body`` from now on, and what is wrong with it."""
        if answer.body is None:
            answer.body, answer.chunks = await whole(answer, CODE), None
        read = partial(self._context.completion, x, answer.body, is_sse=is_stream(answer))
        completion = await aside(read)
        return completion, await self._judged(x, seen, completion)

    async def _judged(self, x: Exchange, seen: Seen, completion: Completion | None) -> list[Weighed]:
        """The sentences of the choices that are not good enough, in the order of the choices."""
        began = time.perf_counter_ns()
        try:
            if completion is None:
                raise ServiceFailed("the answer cannot be read")
            found = await self._weighed(x, seen, completion)
        except (ServiceFailed, TooLong, TooMany, TooMuch, *ERRORS) as failed:
            seen.verdict.fail(f"failed: {_why(failed)}", closed=self._closed)
            return []
        finally:
            seen.verdict.nanoseconds += time.perf_counter_ns() - began
        return self._told(x, seen, completion, found)

    async def _weighed(self, x: Exchange, seen: Seen, completion: Completion) -> list[Weighed]:
        """Every sentence, after all who may say something have been asked.

        Raises:
            ServiceFailed, TooLong, TooMany, TooMuch: it cannot be said.
        """
        assert seen.given is not None
        if seen.basis is None:
            seen.basis = await aside(Basis, seen.given)
        return await self._weigher.weighed(x, completion, seen.basis)

    def _told(self, x: Exchange, seen: Seen, completion: Completion, found: list[Weighed]) -> list[Weighed]:
        """Write down what was found; the sentences because of which something is done."""
        by_choice = [[one for one in found if one.choice == choice.index] for choice in completion.choices]
        scores = [score(mine) for mine in by_choice] or [1.0]
        wrong = [one for one in found if one.wrong]
        x.meter.scored(x.route, NAME, min(scores))
        shown = ", ".join(map(_place, wrong[:_SHOWN])) + (", …" if len(wrong) > _SHOWN else "")
        given = 0 if seen.basis is None else len(seen.basis.given.passages)
        seen.told = f"score {min(scores):.2f} ({len(found)} sentences, {given} passages{shown and f'; wrong: {shown}'})"
        return [one for mine in by_choice if score(mine) < self._score for one in mine if one.wrong]

    def _settled(
        self, x: Exchange, seen: Seen, answer: Answer, completion: Completion | None, wrong: list[Weighed]
    ) -> Answer:
        """The answer as it goes to the caller: choices that are not good enough are refusals of its dialect."""
        stopped = {one.choice for one in wrong} if self._stops else set()
        for one in wrong:
            seen.verdict.note(one.wrong, "block" if self._stops else self._quiet, f"sentence {_place(one)}")
        if seen.verdict.outcome == "failed_closed":
            return self._replaced(x, answer, completion)
        if stopped and completion is not None:
            if stopped >= {choice.index for choice in completion.choices}:
                return self._replaced(x, answer, completion)
            for choice in completion.choices:
                if choice.index in stopped:
                    choice.parts, choice.stop = [Refusal(self._config.message)], "content_filter"
                    choice.logprobs = None
            return self._written(x, answer, completion)
        return answer

    def _unjudged(self, x: Exchange, seen: Seen, answer: Answer, why: str) -> Answer:
        seen.verdict.fail(f"failed: {why}", closed=self._closed)
        if not self._closed:
            return answer
        answer.discard()
        return self._replaced(x, answer, None)

    def _replaced(self, x: Exchange, answer: Answer, completion: Completion | None) -> Answer:
        """Nothing of it is told."""
        told = completion or Completion(id="", model="", choices=[Choice(parts=[])])
        for choice in told.choices:
            choice.parts, choice.stop, choice.logprobs = [Refusal(self._config.message)], "content_filter", None
        told.id = ""  # by its own it could be asked for again, where answers are kept
        return self._written(x, answer, told)

    def _written(self, x: Exchange, answer: Answer, completion: Completion) -> Answer:
        reply = self._context.reply(x, completion, stream=is_stream(answer))
        if reply is None:
            raise GatewayError(self._config.message, status=400, code=CODE)
        answer.body, answer.chunks = reply.body, None
        return answer

    async def _ask_again(self, x: Exchange, body: bytes, completion: Completion | None, wrong: list[Weighed]) -> bool:
        """Put the next request in place: the first one, what was answered, and what is wrong with it."""
        self._editor.rewrite(x, body)
        history = await self._editor.history(x)
        if history is None or completion is None:
            return False
        number = wrong[0].choice
        said = "\n".join(f"- {one.claim.text}" for one in wrong if one.choice == number)[:_COMPLAINT]
        answered = next(written(choice) for choice in completion.choices if choice.index == number)
        try:
            more = history.with_more(answered, _AGAIN.format(said))
        except ValueError:
            return False
        self._editor.rewrite(x, more)
        return True

    def _watched(self, x: Exchange, seen: Seen, answer: Answer) -> Answer:
        """A stream that flows, and is judged when all but its end has been told."""
        pieces = self._context.pieces(x)
        if pieces is None or answer.chunks is None:
            return answer

        async def check(completion: Completion) -> None:
            for one in await self._judged(x, seen, completion):
                seen.verdict.note(one.wrong or "unsupported", self._quiet, f"sentence {_place(one)}")

        answer.chunks = AtEnd(answer.chunks, pieces, check)
        return answer

    def on_close(self, x: Exchange) -> None:
        seen: Seen | None = x.state[self._slot]
        if seen is None:
            return
        verdict = seen.verdict
        if seen.given is None or seen.given.passages or verdict.outcome != "clean":
            x.meter.guarded(x.route, NAME, "output", verdict.outcome)
        for (action, entity), count in verdict.fired.items():
            x.meter.fired(x.route, NAME, "output", entity, action, count)
        x.notes[NAME] = "; ".join(filter(None, (seen.told, str(verdict))))

    def explain(self, x: Exchange) -> str:
        seen: Seen | None = x.state[self._slot]
        if seen is None:
            return "no conversation"
        if seen.given is None or seen.verdict.failure:
            return seen.verdict.failure
        found = Counter(passage.source for passage in seen.given.passages)
        told = ", ".join(f"{count} by {source}" for source, count in found.items())
        if not told:
            return f"nothing was given: {self._config.without_context}"
        needs = f"{self._score:.0%} of the sentences must be supported by {self._weigher}"
        return f"passages: {told}; {needs}, else {self._config.action}"


class Grounded(Around):
    """A target that says what it was given, or not at all."""

    __slots__ = ("_policy", "_seen")

    def __init__(self, policy: Grounding, seen: Seen, inner: Target) -> None:
        super().__init__(inner)
        self._policy = policy
        self._seen = seen

    async def send(self, x: Exchange) -> Answer:
        """See ``Grounding.answered``."""
        return await self._policy.answered(x, self._seen, self.inner)


def _place(one: Weighed) -> str:
    """A sentence by its number, before it that of its answer if that is not the first."""
    return f"{one.choice}:{one.claim.number}" if one.choice else str(one.claim.number)


def _why(failed: BaseException) -> str:
    """What has failed, without a word of what was looked at."""
    if isinstance(failed, ServiceFailed):
        return str(failed)
    if isinstance(failed, TooLong | TooMany | TooMuch):
        return f"more {'sentences' if isinstance(failed, TooLong) else 'passages'} than are looked into"
    return type(failed).__name__
