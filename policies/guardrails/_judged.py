"""Whether an answer follows a schema, whole or at the end of its stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from policies.guardrails._repair import decoded, repaired
from proxy.chat import Choice, Completion, End, Event, Finish, Pieces, Refusal, Text, ToolCall
from proxy.errors import GatewayError, UpstreamError
from proxy.gather import Gather
from proxy.guarding.carriers import carriers, splice
from proxy.guarding.json_schema import Problem, Schema
from proxy.policy import Answer

MAX_TEXT = 1 << 20  # characters of an answer
MAX_ANSWER = 4 << 20  # bytes
_UNREADABLE = Problem("$", "answer", "the answer cannot be read")


class Judgement(msgspec.Struct):
    """Of one answer. ``problems`` are those of its first choice that has any, whose words are ``text``; ``texts`` what
    has been repaired: as it was said → as it must be, which ``completion`` says already."""

    completion: Completion | None
    problems: list[Problem] = []
    text: str = ""
    texts: dict[str, str] = {}


def judge(schema: Schema, completion: Completion | None, repair: bool) -> Judgement:
    """Look at every choice. Calls of tools and refusals are no answers, and follow no schema.

    Raises:
        ValueError: the schema cannot be checked.
    """
    found = Judgement(completion)
    if completion is None:
        found.problems = [_UNREADABLE]
        return found
    for choice in completion.choices:
        if any(isinstance(part, ToolCall | Refusal) for part in choice.parts):
            continue
        text = "".join(part.text for part in choice.parts if isinstance(part, Text))
        fitting, problems = _checked(schema, text, repair)
        if problems:
            found.problems, found.text = problems, text
            return found
        if fitting != text:
            found.texts[text] = fitting
            _say(choice, fitting)
    return found


def _checked(schema: Schema, text: str, repair: bool) -> tuple[str, list[Problem]]:
    """The text as it may be handed on, and what is wrong with it."""
    if len(text) > MAX_TEXT:
        return text, [Problem("$", "length", f"the answer is longer than {MAX_TEXT} characters")]
    try:
        value = decoded(text)
    except ValueError as error:
        fitting = repaired(text) if repair else None
        if fitting is None:
            return text, [Problem("$", "json", str(error))]
        return fitting, schema.problems(decoded(fitting))
    return text, schema.problems(value)


def _say(choice: Choice, text: str) -> None:
    """Let the choice say this instead of all its texts; what its words were told by one by one is gone with them."""
    first = next(at for at, part in enumerate(choice.parts) if isinstance(part, Text))
    rest = [part for part in choice.parts[first + 1 :] if not isinstance(part, Text)]
    choice.parts = [*choice.parts[:first], Text(text), *rest]
    choice.logprobs = None


def rewritten(body: bytes, texts: dict[str, str]) -> bytes | None:
    """The answer with other texts in its own bytes; None if they do not stand there in one piece each."""
    found = [(carrier, texts[carrier.text]) for carrier in carriers(body) if carrier.text in texts]
    return splice(body, found) if {carrier.text for carrier, _ in found} == texts.keys() else None


class AtEnd:
    """A stream that passes untouched but for its end, which waits until ``check`` has seen the whole answer."""

    __slots__ = ("_check", "_chunks", "_gather", "_held", "_holds", "_pieces")

    def __init__(
        self, chunks: AsyncIterator[bytes], pieces: Pieces, check: Callable[[Completion], Awaitable[None]]
    ) -> None:
        self._chunks = chunks
        self._pieces = pieces
        self._check = check
        self._gather = Gather()
        self._holds = False
        self._held: list[bytes] = []

    def __aiter__(self) -> AtEnd:
        return self

    async def __anext__(self) -> bytes:
        while True:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                held, self._held = b"".join(self._held), []
                if not held:
                    raise StopAsyncIteration
                await self._check(self._gather.completion())
                return held
            passing = [piece for piece in self._pieces.split(chunk) if not self._hold(piece)]
            if passing:
                return b"".join(passing)

    def _hold(self, piece: bytes) -> bool:
        events: list[Event] = self._pieces.read(piece)
        self._gather.feed(events)
        self._holds = self._holds or any(isinstance(event, Finish | End) for event in events)
        if self._holds:
            self._held.append(piece)
        return self._holds


async def whole(answer: Answer, code: str) -> bytes:
    """The body of an answer that flows.

    Raises:
        GatewayError: it is too large to be looked at, by ``code``.
        UpstreamError: it broke off.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async for chunk in answer.chunks or ():  # type: ignore[union-attr]
            parts.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER:
                answer.discard()
                what = f"The answer is larger than {MAX_ANSWER >> 20} MiB and cannot be checked."
                raise GatewayError(what, status=422, code=code)
    except UpstreamError as error:
        if answer.attempt is not None:
            answer.attempt.end("error", error.meaning)
        raise
    return b"".join(parts)
