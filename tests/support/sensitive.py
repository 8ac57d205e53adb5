"""Answers that hold something which a guard does not let go, as streams of every dialect, and as pieces of text."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable
from random import Random
from typing import Any, NamedTuple

from policies.guardrails.keywords import Keywords, KeywordsConfig
from policies.guardrails.pii import Pii, PiiConfig
from policies.guardrails.secrets import Secrets, SecretsConfig
from policies.guardrails.urls import Urls, UrlsConfig
from proxy.chat import Begin, Close, Delta, End, Event, Finish, Kind, Open, Part, Reasoning, Text, ToolCall
from proxy.dialects.table import DIALECTS
from proxy.exchange import Exchange
from proxy.filters.filtered import filtered
from proxy.policy import Answer
from proxy.translation.attempt import read
from tests.proxy.filters.test_filtered import exchange
from tests.support.guards import Guarded
from tests.support.specimens import personal, secrets

MASKED = "ada@example.org", "+49 30 1234567"  # what the request holds that asks for an answer with masks
GUARDS = {
    "pii": Guarded(Pii, PiiConfig()),
    "pii, stopping": Guarded(Pii, PiiConfig(action="block")),
    "pii, restoring": Guarded(Pii, PiiConfig(action="mask_and_restore")),
    "secrets": Guarded(Secrets, SecretsConfig()),
    "keywords": Guarded(Keywords, KeywordsConfig(deny={"a": ("Project Zephyr", "öffnen", "秘密")}, action="redact")),
    "urls": Guarded(Urls, UrlsConfig(allow_hosts=("*.example.com",), action="redact")),
}
_KINDS: tuple[Kind, ...] = ("text", "reasoning", "arguments")
_AROUND = (
    "Please see {} for it.",
    "{}",
    "it is {}, as I said",
    "first\n{}\nlast",
    "値は{} です",
    "({})",
    "🙂 {} 4111 1111",
)
# The clients' dialects, and Bedrock's messages of AWS before an OpenAI client.
DIALECT_NAMES = ("openai_chat", "openai_responses", "anthropic_messages", "gemini", "bedrock")
_MADE_UP = re.compile(rb'"(?:id|item_id|call_id|created|created_at|completed_at|p)":(?:"[^"]*"|\d+(?:\.\d+)?)')


class Sensitive(NamedTuple):
    """``value`` stands in ``text``, and must not leave; "" if nothing must be kept."""

    dialect: str
    guard: str
    kind: Kind
    choice: int
    text: str
    value: str


def sensitive(random: Random, number: int) -> list[Sensitive]:
    """So many answers; every guard, kind and dialect has its turn."""
    found = []
    for at in range(number):
        guard = list(GUARDS)[at % len(GUARDS)]
        kind, dialect = _KINDS[at // len(GUARDS) % len(_KINDS)], DIALECT_NAMES[at // 3 % len(DIALECT_NAMES)]
        value = _value(random, guard)
        text = random.choice(_AROUND).format(value)
        if kind == "arguments":
            text = json.dumps({"to": text, "n": 1}, ensure_ascii=random.random() < 0.5)
        choice = at % 2 if dialect == "openai_chat" else 0
        found.append(Sensitive(dialect, guard, kind, choice, text, "" if guard == "pii, restoring" else value))
    return found


def _value(random: Random, guard: str) -> str:
    if guard == "pii, restoring":
        return random.choice(["[EMAIL_1] and [PHONE_1]", "[PHONE_1][EMAIL_1]", "[EMAIL_2] [EMAIL_1"])
    if guard.startswith("pii"):
        return random.choice(list(personal.CHECKED.values()))(random)
    if guard == "secrets":
        return random.choice(list(secrets.FORMS.values()))(random)
    if guard == "keywords":
        return random.choice(["Project Zephyr", "project\nzephyr", "Öffnen", "秘密"])
    return random.choice(["http://evil.example.net/a?b=c", "![x](https://evil.example.org/x.png)", "www.example.org/y"])


async def asked(case: Sensitive) -> Exchange:
    """The request to which that is an answer, after its guard."""
    x = exchange(case.dialect if case.dialect != "bedrock" else "openai_chat")
    x.state.append(None)
    if case.guard == "pii, restoring":
        x.body = x.body.replace(b'"x"', json.dumps(f"Ask {MASKED[0]} or {MASKED[1]}").encode())
    assert await GUARDS[case.guard].guard.on_request(x) is None
    return x


def verdict(x: Exchange) -> str:
    """What was decided about the answer, without how long it took."""
    return str(x.verdicts[-1]).rpartition(" in ")[0]


def body_of(case: Sensitive, x: Exchange, at: int) -> bytes:
    """The stream of a provider, with the text told in two pieces."""
    parts: dict[Kind, Part] = {
        "text": Text(""),
        "reasoning": Reasoning(),
        "arguments": ToolCall(id="call_1", name="send", arguments=""),
    }
    out: list[Event] = [Begin(id="i", model="m", created=1)]
    for choice in range(case.choice + 1):
        out.append(Open(choice, 0, parts[case.kind]))
        pieces = (case.text[:at], case.text[at:]) if choice == case.choice else ('{"a":1}',)
        out += [Delta(choice, case.kind, piece, 0) for piece in pieces if piece]
        out += [Close(choice, 0), Finish(choice=choice)]
    return DIALECTS[case.dialect].writer(read(x)).feed([*out, End()])


async def heard(case: Sensitive, x: Exchange, chunks: Iterable[bytes]) -> bytes:
    """What a client gets of a provider's bytes, without what gateways make up."""
    answer = Answer(200, [(b"content-type", b"text/event-stream")], chunks=_chunks(case, x, chunks), is_sse=True)
    filter_ = GUARDS[case.guard].guard.open_stream(x)
    if filter_ is not None:
        assert await filtered(x, answer, filter_) is None
    assert answer.chunks is not None
    return _MADE_UP.sub(b"", b"".join([chunk async for chunk in answer.chunks]))


async def _chunks(case: Sensitive, x: Exchange, chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """In the caller's dialect."""
    if case.dialect != "bedrock":
        for chunk in chunks:
            yield chunk
        return
    dialect: Any = DIALECTS["bedrock"]
    frames, reader, writer = dialect.frames(), dialect.reader(), DIALECTS["openai_chat"].writer(read(x))
    for chunk in chunks:
        yield writer.feed([event for frame in frames.feed(chunk) for event in reader.feed(frame)])
    yield writer.feed([*(event for frame in frames.finish() for event in reader.feed(frame)), *reader.finish()])
