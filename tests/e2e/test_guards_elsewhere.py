"""Guards where there is no conversation: completions, forms of transcripts and pictures, files, and their answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from tests.support.gateway import Gateway

MAIL = "ada.king@example.org"
_FILE = f"""
providers:
  sim: {{kind: simulated, text: "Write to {MAIL}, please.", gap: 1ms}}
  echo: {{kind: simulated, text: "{{message}}"}}
routes:
  redact: {{models: [redact], open: true, policies: [pii: {{on_error: closed}}], target: sim/m}}
  block: {{models: [block], open: true, policies: [pii: {{action: block}}], target: sim/m}}
  files: {{match: {{path: /v1/files}}, open: true, policies: [pii: {{action: block}}], target: echo/m}}
"""


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway]) -> Gateway:
    """Routes that redact and that stop."""
    return module_gateway(_FILE)


@pytest.fixture
async def client(running: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of it."""
    async with httpx2.AsyncClient(base_url=running.url, timeout=30) as made:
        yield made


async def test_completions_are_guarded_both_ways_streamed_or_not(client: httpx2.AsyncClient) -> None:
    for stream in (False, True):
        asked: dict[str, Any] = {"model": "redact", "prompt": f"I am {MAIL}", "stream": stream}
        answer = await client.post("/completions", json=asked)
        assert answer.status_code == 200
        assert MAIL not in answer.text
        assert "Write" in answer.text
        assert "[EMAIL]" in answer.text
        answer = await client.post("/completions", json={**asked, "model": "block"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "guardrail_blocked")
        answer = await client.post("/completions", json={**asked, "model": "block", "prompt": "Who?"})
        assert MAIL not in answer.text
        assert "content_filter" in answer.text or answer.status_code == 400


async def test_forms_are_guarded(client: httpx2.AsyncClient, running: Gateway) -> None:
    file = {"file": ("talk.mp3", b"ID3\x00\xff\xfe", "audio/mpeg")}
    for form in (
        {"data": {"model": "block", "prompt": f"They are {MAIL}"}, "files": file},
        {"data": {"model": "block"}, "files": {"file": (f"{MAIL}.mp3", b"ID3\x00\xff", "audio/mpeg")}},
        {"data": {"model": "block"}, "files": {"file": ("a.txt", f"It is {MAIL}".encode(), "text/plain")}},
    ):
        answer = await client.post("/audio/transcriptions", **form)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "guardrail_blocked")
    answer = await client.post("/audio/transcriptions", data={"model": "redact", "prompt": f"I am {MAIL}"}, files=file)
    assert answer.status_code == 200
    assert MAIL not in answer.text
    entry = await running.logged("request", request_id=answer.headers["x-request-id"])
    assert "input redacted (redact email at prompt)" in entry["notes"]["pii"]


async def test_a_file_that_nobody_can_read_is_not_let_go(client: httpx2.AsyncClient) -> None:
    for content, status in ((b"%PDF-1.7 \x00\xff", 400), (f"I am {MAIL}".encode(), 400), (b'{"a": "fine"}\n', 200)):
        answer = await client.post("/files", data={"purpose": "batch"}, files={"file": ("a.jsonl", content)})
        assert answer.status_code == status, content
