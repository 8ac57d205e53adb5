"""Translation alone, in this process: every client's dialect with every provider's, without servers and sockets.

Of several runs the quickest counts, in processor time, so that a busy machine changes little. Every event comes by
itself, as tokens do.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from proxy.chat import (
    Begin,
    Chat,
    Choice,
    Close,
    Completion,
    Delta,
    End,
    Event,
    Finish,
    Losses,
    Open,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.dialects.dialect import Aim, Dialect
from proxy.dialects.fit import fit
from proxy.dialects.table import DIALECTS
from tests.bench.wire import EVENTS, SIZE

CLIENTS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")
_RUNS = 7
_AIM = Aim(model="m")
_USAGE = Usage(input=900, output=700)


class Alone(msgspec.Struct, frozen=True):
    """One pair of dialects: processor time in microseconds for a request with its answer, and for an event."""

    client: str
    provider: str
    request_us: float
    event_us: float


def alone(question: bytes, times: int = 100) -> list[Alone]:
    """Every pair, asked what ``question`` asks in Anthropic's form."""
    asked = DIALECTS["anthropic_messages"].read_request(question)
    answer = _answer()
    runs: dict[tuple[str, str], tuple[Callable[[], object], Callable[[], object]]] = {}
    for client in CLIENTS:
        inbound = DIALECTS[client]
        body = inbound.write_request(asked, _AIM, Losses())
        chat = inbound.read_request(body, "m", stream=True)
        for provider, outbound in DIALECTS.items():
            if provider != client:
                said = outbound.write_answer(answer, asked)
                runs[client, provider] = _whole(inbound, outbound, body, said), _stream(inbound, outbound, chat)
    best = dict.fromkeys(runs, (float("inf"), float("inf")))
    for _ in range(_RUNS):  # all in turns: what slows the machine for a while slows no pair each time
        for pair, (whole, stream) in runs.items():
            found = _spent(whole, times), _spent(stream, max(1, times // 10)) / EVENTS
            best[pair] = min(best[pair][0], found[0]), min(best[pair][1], found[1])
    return [Alone(*pair, *figures) for pair, figures in best.items()]


def table(rows: list[Alone]) -> list[str]:
    """Both figures of each pair, as Markdown."""
    found = {(row.client, row.provider): row for row in rows}
    lines = [
        f"Translating alone, without the server around it: µs for {SIZE // 1000} kB asked and answered / µs "
        "for one event of a stream; the quickest of several runs.",
        "",
        "| client \\ provider | " + " | ".join(DIALECTS) + " |",
        "|---|" + "--:|" * len(DIALECTS),
    ]
    for client in CLIENTS:
        cells = [found.get((client, provider)) for provider in DIALECTS]
        told = ["passed" if one is None else f"{one.request_us:.0f} / {one.event_us:.1f}" for one in cells]
        lines.append(f"| {client} | " + " | ".join(told) + " |")
    return [*lines, ""]


def _whole(inbound: Dialect, outbound: Dialect, body: bytes, said: bytes) -> Callable[[], object]:
    def run() -> object:
        losses = Losses()
        chat = inbound.read_request(body, "m")
        outbound.write_request(fit(chat, outbound.lacks, _AIM.capabilities, losses), _AIM, losses)
        return inbound.write_answer(outbound.read_answer(said), chat)

    return run


def _stream(inbound: Dialect, outbound: Dialect, chat: Chat) -> Callable[[], object]:
    source = outbound.writer(chat)
    chunks = [source.feed([event]) for event in _events()]

    def run() -> object:
        frames, reader, writer = outbound.frames(), outbound.reader(), inbound.writer(chat)
        return [writer.feed(reader.feed(frame)) for chunk in chunks for frame in frames.feed(chunk)]

    return run


def _answer() -> Completion:
    arguments = '{"place":"' + "Ulm " * 60 + '"}'
    calls = [ToolCall(id=f"call_{at}", name=f"look_up_{at}", arguments=arguments) for at in range(2)]
    return Completion(
        id="x", model="m", usage=_USAGE, choices=[Choice(parts=[Text("word " * 600), *calls], stop="tool_calls")]
    )


def _events() -> list[Event]:
    pieces: list[Event] = [Delta(0, "text", f" word{at}") for at in range(EVENTS)]
    end: list[Event] = [Close(0, 0), Finish(stop="stop"), Total(_USAGE), End()]
    return [Begin(id="x", model="m", usage=_USAGE), Open(0, 0, Text("")), *pieces, *end]


def _spent(do: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        do()
    return (time.process_time() - began) / times * 1e6
