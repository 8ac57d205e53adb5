"""A stream that is gone on with: who is asked, with what, how often, and what is closed."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.chat import Begin, Chat, Close, Completion, Delta, End, Event, Finish, Message, Open, Text
from proxy.choosing.capability import Reach
from proxy.choosing.health import Health
from proxy.dialects.paths import EXACT
from proxy.errors import BadCredential, ContentRefused, Overloaded, Rejected, Unavailable, UpstreamError
from proxy.exchange import Attempt, Exchange
from proxy.policy import Answer, Choice, Target
from proxy.reports import Reports
from proxy.targets.continued import MAX, Continued
from proxy.translation.translated import Translated
from tests.support.compiled import make_exchange

_ASKED = Message("user", [Text("Hi")])


class _Frames:
    """Every chunk is one frame."""

    def feed(self, chunk: bytes) -> list[bytes]:
        return [chunk]

    def finish(self) -> list[bytes]:
        return []


class _Reader:
    """A word is text; `(` begins, `)` ends."""

    def feed(self, frame: bytes) -> list[Event]:
        if frame == b"(":
            return [Begin(id="i", model="m"), Open(0, 0, Text(""))]
        if frame == b")":
            return [Close(0, 0), Finish(), End()]
        return [Delta(0, "text", frame.decode())]

    def finish(self) -> list[Event]:
        return []


class _Writer:
    """The same the other way round."""

    def feed(self, events: list[Event]) -> bytes:
        out = ""
        for event in events:
            out += event.text if isinstance(event, Delta) else {Begin: "(", End: ")"}.get(type(event), "")
        return out.encode()


async def _flow(chunks: list[bytes], failure: UpstreamError | None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if failure is not None:
        raise failure


class _Stage(Target):
    """Answers by a script, one line for each time it is asked: its words, and what they end with."""

    def __init__(self, *lines: tuple[list[bytes], UpstreamError | None] | UpstreamError, chat: dict[str, Any]) -> None:
        self.lines = list(lines)
        self.more = chat
        self.asked: list[Exchange] = []
        self.closed: list[int] = []
        self.kept: list[Completion] = []

    async def send(self, x: Exchange) -> Answer:
        line = self.lines[len(self.asked)]
        number = len(self.asked)
        self.asked.append(x)
        if isinstance(line, UpstreamError):
            raise line
        chat = x.chat or Chat(model="m", messages=[_ASKED], **self.more)
        chunks, frames, reader = _flow(*line), _Frames(), _Reader()
        keep = self._keep if number == 0 else None
        stream = Translated(chunks, frames, reader, _Writer(), keep=keep, chat=chat if x.keeps_events else None)
        await stream.begin()
        answer = Answer(200, [], chunks=stream, close=lambda: self.closed.append(number), is_sse=True)
        answer.target = f"up/{number}"
        answer.translated = stream
        answer.attempt = Attempt(f"up/{number}", time.monotonic())
        answer.attempt.outcome = "ok"
        x.attempts.append(answer.attempt)
        return answer

    async def _keep(self, completion: Completion) -> None:
        self.kept.append(completion)

    def explain(self, x: Exchange) -> Choice:
        return Choice("up/0", True, "told")

    def leaves(self) -> tuple[str, ...]:
        return ("up/0",)

    def healths(self) -> tuple[Health, ...]:
        return ()

    def reaches(self) -> frozenset[Reach]:
        return frozenset({Reach()})


def _exchange(*, stream: bool = True, path: str = "/v1/chat/completions", seconds: float = 30, **more: Any) -> Exchange:
    x = make_exchange()
    x.endpoint, x.stream, x.model = EXACT["POST", path], stream, "m"
    x.body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}], **more}).encode()
    x.deadline = time.monotonic() + seconds
    return x


def _cut(*words: bytes) -> tuple[list[bytes], UpstreamError]:
    return [*words], Overloaded("cut")


def _stage(*lines: tuple[list[bytes], UpstreamError | None] | UpstreamError, **chat: Any) -> _Stage:
    return _Stage(*lines, chat=chat)


async def _read(answer: Answer) -> bytes:
    assert answer.chunks is not None
    return b"".join([chunk async for chunk in answer.chunks])


async def _fails(stage: _Stage, x: Exchange) -> str:
    answer = await Continued(stage).send(x)
    with pytest.raises(Overloaded) as caught:
        await _read(answer)
    return str(caught.value.message)


async def test_the_rest_is_asked_for_with_what_was_told() -> None:
    """The one who failed is left out; the caller's own exchange still has its own question."""
    stage, x = _stage(_cut(b"(", b"a", b"b"), ([b"(", b"c", b"d", b")"], None)), _exchange()
    answer = await Continued(stage).send(x)
    assert await _read(answer) == b"(abcd)"
    second = stage.asked[1]
    assert second.chat is not None
    assert second.begun is not None
    assert (second.chat.messages, second.begun.text, second.begun.tokens) == ([_ASKED], "ab", 1)
    assert (second.excluded, second.conversations, x.excluded, x.chat) == (frozenset({"up/0"}), None, frozenset(), None)
    assert [(one.target, one.outcome, one.reason) for one in x.attempts] == [
        ("up/0", "error", "upstream_overloaded"),
        ("up/1", "ok", None),
    ]
    assert (x.degraded, x.notes["continued"]) == ("overloaded", "by up/1 after 2 characters: upstream_overloaded")


async def test_the_whole_answer_is_kept_once() -> None:
    """Not the pieces of it."""
    stage = _stage(_cut(b"(", b"a"), ([b"(", b"b", b")"], None))
    await _read(await Continued(stage).send(_exchange()))
    (kept,) = stage.kept
    assert kept.choices[0].parts == [Text("ab")]


async def test_whoever_gives_the_answer_is_closed() -> None:
    """The first when it has failed, the second when the client leaves."""
    stage = _stage(_cut(b"(", b"a"), ([b"(", b"b", b")"], None))
    answer = await Continued(stage).send(_exchange())
    await _read(answer)
    assert stage.closed == [0]
    assert answer.close is not None
    answer.close()
    assert stage.closed == [0, 1]


async def test_an_answer_is_gone_on_with_a_few_times() -> None:
    """Then its failure stands."""
    stage = _stage(*(_cut(b"(", b"a") for _ in range(MAX + 2)))
    await _fails(stage, _exchange())
    assert len(stage.asked) == MAX + 1
    assert stage.asked[MAX].excluded == frozenset(f"up/{number}" for number in range(MAX))


async def test_if_nobody_goes_on_the_first_failure_stands() -> None:
    """Not that of whoever was asked for the rest."""
    assert await _fails(_stage(_cut(b"(", b"a"), Unavailable("gone")), _exchange()) == "cut"


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"logprobs": True},
        {"response_format": {"type": "json_object"}},
        {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}},
    ],
    ids=lambda more: next(iter(more)),
)
async def test_what_is_of_no_use_by_half_passes_untouched(more: dict[str, Any]) -> None:
    """It is not even taken apart."""
    stage, x = _stage(([b"(", b"a", b")"], None)), _exchange(**more)
    await Continued(stage).send(x)
    assert not x.keeps_events


@pytest.mark.parametrize(
    "failure", [ContentRefused("no"), Rejected("no"), BadCredential("no")], ids=lambda one: one.code
)
async def test_a_refusal_is_not_got_round(failure: UpstreamError) -> None:
    """What one provider will not say, no other is asked to say on."""
    stage, x = _stage(([b"(", b"a"], failure)), _exchange()
    answer = await Continued(stage).send(x)
    with pytest.raises(type(failure)):
        await _read(answer)
    assert len(stage.asked) == 1
    assert x.notes["continued"] == f"no: {failure.meaning}"


async def test_nobody_is_asked_after_the_deadline() -> None:
    """The request's time is one, over all who answer."""
    stage, x = _stage(_cut(b"(", b"a")), _exchange(seconds=-1)
    await _fails(stage, x)
    assert len(stage.asked) == 1


@pytest.mark.parametrize("how", [{"stream": False}, {"path": "/v1/embeddings"}, {"path": "/v1/messages/count_tokens"}])
async def test_only_streamed_conversations_are_taken_apart(how: dict[str, Any]) -> None:
    """All else passes as it would."""
    stage, x = _stage(([b"(", b"a", b")"], None)), _exchange(**how)
    answer = await Continued(stage).send(x)
    assert not x.keeps_events
    assert answer.translated.on_failure is None


def test_it_is_the_tree() -> None:
    """Whatever is asked of it."""
    stage, x = _stage(), _exchange(stream=False)
    node = Continued(stage)
    assert (node.leaves(), node.healths(), node.reaches(), node.prices()) == (
        stage.leaves(),
        stage.healths(),
        stage.reaches(),
        stage.prices(),
    )
    assert node.explain(x) == stage.explain(x)
    assert "another goes on with it" in node.explain(_exchange()).why


@pytest.mark.parametrize(
    ("lines", "result"),
    [
        ([_cut(b"(", b"a"), ([b"(", b"b", b")"], None)], "continued"),
        ([_cut(b"(", b"a"), Unavailable("gone")], "failed"),
        ([([b"(", b"a"], ContentRefused("no"))], "barred"),
    ],
    ids=["continued", "failed", "barred"],
)
async def test_what_became_of_a_broken_stream_is_told(lines: list[Any], result: str) -> None:
    """Once for each break."""
    told: list[tuple[str, dict[str, Any]]] = []
    reports = Reports()
    reports.listener = lambda event, fields: told.append((event, fields))
    answer = await Continued(_stage(*lines), "chat", reports).send(_exchange())
    with contextlib.suppress(UpstreamError):
        await _read(answer)
    assert told == [("stream.broken", {"route": "chat", "result": result})]
