"""Questions in every dialect on a bare socket, to providers whose models have a price, and the row that each leaves.

Models are named like OpenAI's newer ones, whoever serves them: their tokens are those of o200k_base, without margins.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

from proxy.ledger.row import Row
from proxy.tokens.encodings import count
from tests.support import books
from tests.support.gateway import Gateway
from tests.support.pairs import PROVIDERS
from tests.support.talk.talk import OUT
from tests.support.upstream import FakeUpstream
from tests.upstream.failures import SECRET

AWS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET}
AWS |= {"AWS_EC2_METADATA_DISABLED": "true"}
INPUT_PRICE, OUTPUT_PRICE = 1_000, 10_000  # nano-dollars for a token
_PRICE = 'models: {"*": {price: {input: $1, output: $10}}}'
_NUMBERS = itertools.count(1)
_TIMEOUT = 10.0  # seconds


def config(origin: str) -> str:
    """A file with a provider for each dialect; a header of the client's chooses."""
    lines = ["retries: {max: 0}", "health: {enabled: false}", "providers:"]
    for name, text in PROVIDERS.items():
        lines.append(f"  {name}: {{{text.format(secret=SECRET, origin=origin)}, {_PRICE}}}")
    lines.append("routes:")
    for name in PROVIDERS:
        lines += [f"  {name}:", f"    match: {{header: {{{OUT}: {name}}}}}", f"    target: {name}/*"]
    return "\n".join(lines) + "\n"


def start(make: Callable[..., Gateway], upstream: FakeUpstream) -> Gateway:
    """The gateway of a test file."""
    return make(config(upstream.origin), env=AWS)


def new_model() -> str:
    """The name of a model that nobody has asked yet."""
    return f"gpt-4o-{next(_NUMBERS)}"


def tokens(text: str) -> int:
    """As OpenAI's own encoder counts them."""
    return count(text, "gpt-4o")


def question(inbound: str, model: str, outbound: str, *, stream: bool) -> tuple[str, str, dict[str, Any], Any]:
    """Method, path, body and headers; for ``Wire.request``."""
    said = [{"role": "user", "content": "Count."}]
    chat: dict[str, Any] = {"model": model, "stream": stream, "max_tokens": 1000}
    wished: dict[str, Any] = {"stream_options": {"include_usage": True}} if stream else {}
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    path, body = {
        "openai_chat": ("/v1/chat/completions", {**chat, **wished, "messages": said}),
        "openai_responses": ("/v1/responses", {"model": model, "stream": stream, "input": "Count."}),
        "anthropic_messages": ("/v1/messages", {**chat, "messages": said}),
        "gemini": (f"/v1beta/models/{model}:{verb}", {"contents": [{"role": "user", "parts": [{"text": "Count."}]}]}),
    }[inbound]
    return "POST", path, body, {OUT: outbound, "anthropic-version": "2023-06-01"}


def text_of(inbound: str, event: str | None) -> str:
    """What one event of a stream says to a client."""
    if not event or event == "[DONE]":
        return ""
    data = json.loads(event)
    if inbound == "openai_chat":
        return "".join(one["delta"].get("content") or "" for one in data["choices"])
    if inbound == "openai_responses":
        return str(data["delta"]) if data["type"] == "response.output_text.delta" else ""
    if inbound == "anthropic_messages":
        return str(data["delta"].get("text", "")) if data["type"] == "content_block_delta" else ""
    parts = [part for one in data["candidates"] for part in one.get("content", {}).get("parts", [])]
    return "".join(part.get("text", "") for part in parts)


async def row_of(running: Gateway, model: str) -> Row:
    """The one row of this model, once it is settled."""
    end = time.monotonic() + _TIMEOUT
    while True:
        found = [row for row in await asyncio.to_thread(books.rows, books.state(running)) if row.model == model]
        if found and all(row.status != "open" for row in found):
            assert len(found) == 1, found
            return found[0]
        assert time.monotonic() < end, f"{model}: {[row.status for row in found]}"
        await asyncio.sleep(books.POLL)
