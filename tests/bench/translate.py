"""What translation adds: the same question passed on and translated, in turns, on one gateway.

A row of "passed on" is a client that speaks the provider's dialect; beside it a client that speaks another one asks for
the very same answer. Conversations with images are translated in this process, as the gateway does it on its loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import uvloop

from proxy.chat import Losses
from proxy.dialects.dialect import Aim
from proxy.dialects.fit import fit
from proxy.dialects.table import DIALECTS
from tests.bench.alone import Alone, alone, table
from tests.bench.candidates import start_gateway
from tests.bench.load import Load, Verify
from tests.bench.measure import Plan, Say, upstream
from tests.bench.process import Process, free_port
from tests.bench.wire import CREDENTIAL, EVENTS, SIZE, request

_UNITS = {"": "request", "-stream": "event", "-paced": "event, paced"}
AIM_REQUEST_US, AIM_EVENT_US, AIM_LARGE_MS = 150.0, 25.0, 10.0
_CONNECTIONS = 32
_PATHS = {"openai_chat": "/v1/chat/completions", "anthropic_messages": "/v1/messages"}
_END = {"openai_chat": b"data: [DONE]", "anthropic_messages": b"event: message_stop"}
# What is added to a model's name: an answer at once, a stream as fast as it can be written, an event every 4 ms.
_KINDS = ("", "-stream", "-paced")
_OF = {"openai_chat": "bench-talk", "anthropic_messages": "bench-claude"}


class Added(msgspec.Struct, frozen=True):
    """What one direction costs beyond passing on. Processor time in microseconds, per request or per event."""

    client: str
    provider: str
    kind: str  # one of ``_KINDS``
    passed_us: float
    translated_us: float
    added_us: float  # the median over rounds of neighbouring figures
    count: int
    errors: dict[str, int]


class Large(msgspec.Struct, frozen=True):
    """One conversation with images, in this process. Milliseconds."""

    client: str
    provider: str
    size: int
    read_ms: float
    write_ms: float


def gateway_file(port: int, listen: int) -> str:
    """One provider of each dialect behind one route each."""
    return f"""\
listen: 127.0.0.1:{listen}
log: {{level: warning, format: json}}
providers:
  talk: {{kind: openai, base_url: "http://127.0.0.1:{port}/v1", api_key: {CREDENTIAL}}}
  claude: {{kind: anthropic, base_url: "http://127.0.0.1:{port}", api_key: {CREDENTIAL}}}
routes:
  talk: {{models: ["bench-talk*"], target: talk/*}}
  claude: {{models: ["bench-claude*"], target: claude/*}}
"""


def question(dialect: str, model: str, *, stream: bool) -> bytes:
    """A request of about ``SIZE`` bytes with a system prompt, three tools, a call and its result."""
    words = "The quick brown fox jumps over the lazy dog. " * 40
    schema = {"type": "object", "properties": {"place": {"type": "string", "description": words[:90]}}}
    names = [f"look_up_{at}" for at in range(3)]
    head: dict[str, Any] = {"model": model, "max_tokens": 500} | ({"stream": True} if stream else {})
    body: dict[str, Any]
    if dialect == "openai_chat":
        call = {"id": "call_1", "type": "function", "function": {"name": names[0], "arguments": '{"place":"Ulm"}'}}
        turns: list[dict[str, Any]] = [
            {"role": "system", "content": words[:700]},
            {"role": "user", "content": words[:900]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": words[:700]},
        ]
        tools = [{"type": "function", "function": {"name": name, "parameters": schema}} for name in names]
        body = head | {"messages": turns, "tools": tools}
    else:
        use = {"type": "tool_use", "id": "call_1", "name": names[0], "input": {"place": "Ulm"}}
        result = {"type": "tool_result", "tool_use_id": "call_1", "content": words[:700]}
        turns = [
            {"role": "user", "content": words[:900]},
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [result]},
        ]
        tools = [{"name": name, "input_schema": schema} for name in names]
        body = head | {"system": words[:700], "messages": turns, "tools": tools}
    room = SIZE - len(json.dumps(body))
    last = "x" * max(0, room - 40)
    turns.append({"role": "user", "content": last}) if dialect == "openai_chat" else turns[-1]["content"].append(
        {"type": "text", "text": last}
    )
    return json.dumps(body, separators=(",", ":")).encode()


def _verifier(client: str, *, streamed: bool) -> Verify:
    def verify(status: bytes, body: bytes) -> str | None:
        if status != b"200":
            return f"status {status.decode(errors='replace')}: {body[:200].decode(errors='replace')}"
        if b"word99" not in body or (streamed and _END[client] not in body):
            return f"an incomplete answer of {len(body)} bytes"
        return None

    return verify


async def _spent(plan: Plan, process: Process, port: int, client: str, provider: str, kind: str) -> Any:
    """Processor time per request in microseconds, how many, and what went wrong."""
    asked = question(client, _OF[provider] + kind, stream=bool(kind))
    message = request(f"127.0.0.1:{port}", "none", asked, _PATHS[client])
    load = Load(message, _verifier(client, streamed=bool(kind)))
    await load.open("127.0.0.1", port, _CONNECTIONS)
    try:
        await load.phase(plan.warm)
        before = process.cpu()
        phase = await load.phase(plan.measure)
        await asyncio.sleep(0.02)
        return (process.cpu() - before) / max(1, phase.count) * 1e6, phase.count, dict(phase.errors)
    finally:
        load.close()


async def _directions(plan: Plan, process: Process, port: int, say: Say) -> list[Added]:
    rows = []
    for kind in _KINDS:
        per = EVENTS if kind else 1
        for client, provider in (("anthropic_messages", "openai_chat"), ("openai_chat", "anthropic_messages")):
            say(f"measuring {client} to {provider}{kind.replace('-', ', ')}")
            passed, translated, errors, count = [], [], dict[str, int](), 0
            for _ in range(plan.rounds):
                us, _, wrong = await _spent(plan, process, port, provider, provider, kind)
                passed.append(us / per)
                errors |= wrong
                us, served, wrong = await _spent(plan, process, port, client, provider, kind)
                translated.append(us / per)
                errors |= wrong
                count += served
            added = [b - a for a, b in zip(passed, translated, strict=True)]
            median = statistics.median
            figures = median(passed), median(translated), median(added)
            rows.append(Added(client, provider, kind, *figures, count, errors))
    return rows


def large(size: int = 1 << 20) -> list[Large]:
    """A conversation of ``size`` bytes with four images, from every dialect that clients speak to every other."""
    picture = "QUJD" * (size // 16)
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture}}
    content = [block, {"type": "text", "text": "What is this?"}]
    said = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": content}] * 4}
    chat = DIALECTS["anthropic_messages"].read_request(json.dumps(said).encode())
    rows = []
    for client in ("openai_chat", "openai_responses", "anthropic_messages", "gemini"):
        body = DIALECTS[client].write_request(chat, Aim(model="m"), Losses())
        read_ms = _best(lambda client=client, body=body: DIALECTS[client].read_request(body, "m"))  # type: ignore[misc]
        for provider, dialect in DIALECTS.items():
            if provider == client:
                continue
            aim = Aim(model="m")
            fitted = fit(chat, dialect.lacks, aim.capabilities, Losses())
            write_ms = _best(
                lambda dialect=dialect, fitted=fitted, aim=aim: dialect.write_request(fitted, aim, Losses())  # type: ignore[misc]
            )
            rows.append(Large(client, provider, len(body), read_ms, write_ms))
    return rows


def _best(do: Callable[[], object]) -> float:
    times = []
    for _ in range(7):
        began = time.perf_counter()
        do()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


class Translation(NamedTuple):
    """Everything that was measured of it."""

    added: list[Added]
    large: list[Large]
    alone: list[Alone]


def translate(plan: Plan, scratch: Path, say: Say) -> Translation:
    """What it adds on a running gateway, and what it takes alone."""
    with upstream(scratch) as port, contextlib.ExitStack() as stack:
        listen = free_port()
        process = start_gateway(port, listen, scratch, gateway_file(port, listen))
        stack.callback(process.end)
        process.wait_ready(listen, "/readyz", 20.0)
        rows = uvloop.run(_directions(plan, process, listen, say))
    asked = question("anthropic_messages", "m", stream=False)
    return Translation(rows, large(), alone(asked))


def section(found: Translation) -> list[str]:
    """What was measured, as Markdown."""
    rows, sizes, pairs = found
    lines = [
        "## Translation",
        "",
        f"{SIZE // 1000} kB asked (system prompt, tools, a call and its result) and about as much answered, or a "
        f"stream of {EVENTS} events (as fast as can be, or *paced*: one every 4 ms), "
        f"over {_CONNECTIONS} connections: what a client of another dialect costs beyond "
        "one whose bytes pass. Differences of neighbouring rounds.",
        "",
        "| client | provider | | passed on | translated | added | aim |",
        "|---|---|---|--:|--:|--:|---|",
    ]
    for row in rows:
        aim = AIM_EVENT_US if row.kind else AIM_REQUEST_US
        unit = _UNITS[row.kind]
        held = "met" if row.added_us <= aim else "**missed**"
        lines.append(
            f"| {row.client} | {row.provider} | {unit} | {row.passed_us:.1f} µs | {row.translated_us:.1f} µs "
            f"| {row.added_us:.1f} µs | {aim:.0f} µs: {held} |"
        )
        lines += [f"| | | {count} × {problem} | | | | |" for problem, count in row.errors.items()]
    slowest = max(sizes, key=lambda one: one.read_ms + one.write_ms)
    took = slowest.read_ms + slowest.write_ms
    return [
        *lines,
        "",
        f"A conversation of {slowest.size / 1e6:.1f} MB with four images, read and written: {took:.1f} ms at most "
        f"({slowest.client} to {slowest.provider}; aim {AIM_LARGE_MS:.0f} ms: "
        f"{'met' if took <= AIM_LARGE_MS else '**missed**'}). Requests above 512 KiB are translated in a thread.",
        "",
        *table(pairs),
    ]
