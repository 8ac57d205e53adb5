"""Files, batches and stored responses, as a client meets them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from proxy.dialects.paths import EXACT, PREFIXES
from proxy.errors import Rejected
from proxy.providers.simulation.operations import OPERATIONS
from tests.support.sse import read_events

Make = Callable[..., Any]
FORM_TYPE = [(b"content-type", b"multipart/form-data; boundary=B")]


def _form(**fields: str) -> bytes:
    parts = [
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    return "".join(parts).encode() + b"--B--\r\n"


def _upload(content: bytes) -> bytes:
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
    return head + content + b"\r\n" + _form(purpose="batch")


def test_every_endpoint_is_simulated() -> None:
    """But realtime; and what is translated arrives as one of OpenAI's."""
    endpoints = [*EXACT.values(), *(endpoint for _, _, endpoint in PREFIXES)]
    names = {one.name for one in endpoints if one.dialect in (None, "openai_chat", "openai_responses")}
    assert names - OPERATIONS.keys() == {"realtime"}


async def test_a_batch_runs_from_file_to_file(account: Make, ask: Make) -> None:
    """Upload, start, look, fetch; each line has its answer."""
    provider = account("simulated", text="echo")
    lines = [
        {
            "custom_id": str(number),
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "m", "messages": [{"role": "user", "content": f"line {number}"}]},
        }
        for number in range(3)
    ]
    content = b"\n".join(msgspec.json.encode(line) for line in lines)
    file = msgspec.json.decode((await ask(provider, _upload(content), "/v1/files", headers=FORM_TYPE)).body)
    assert file["bytes"] == len(content)
    order = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = msgspec.json.decode((await ask(provider, order, "/v1/batches")).body)
    assert batch["status"] == "validating"
    batch = msgspec.json.decode((await ask(provider, path=f"/v1/batches/{batch['id']}", method="GET")).body)
    assert batch["status"] == "completed"
    fetched = await ask(provider, path=f"/v1/files/{batch['output_file_id']}/content", method="GET")
    answers = [msgspec.json.decode(line) for line in fetched.body.splitlines()]
    texts = [answer["response"]["body"]["choices"][0]["message"]["content"] for answer in answers]
    assert [answer["custom_id"] for answer in answers] == ["0", "1", "2"]
    assert texts == ["line 0", "line 1", "line 2"]
    listed = msgspec.json.decode((await ask(provider, path="/v1/batches", method="GET")).body)
    assert [one["id"] for one in listed["data"]] == [batch["id"]]


@pytest.mark.parametrize(
    "line", [b"not json", b"[]", b'{"body": 3}', b'{"body": {"messages": []}}', b'{"body": {"input": 3}}']
)
async def test_a_bad_line_does_not_break_the_gateway(account: Make, ask: Make, line: bytes) -> None:
    """It is the caller's 400, or an error in the output."""
    provider = account("simulated")
    file = msgspec.json.decode((await ask(provider, _upload(line), "/v1/files", headers=FORM_TYPE)).body)
    with pytest.raises(Rejected):
        await ask(provider, {"input_file_id": file["id"], "endpoint": "/v1/chat/completions"}, "/v1/batches")


@pytest.mark.parametrize(
    "order", [{"input_file_id": "none", "endpoint": "/v1/chat/completions"}, {"endpoint": "x"}, {}]
)
async def test_a_batch_of_nothing_is_refused(account: Make, ask: Make, order: dict[str, Any]) -> None:
    """404 for the file."""
    with pytest.raises(Rejected) as refused:
        await ask(account("simulated"), order, "/v1/batches")
    assert refused.value.http_status == 404


async def test_files_are_listed_and_deleted(account: Make, ask: Make) -> None:
    """And gone afterwards."""
    provider = account("simulated")
    file = msgspec.json.decode((await ask(provider, _upload(b"x"), "/v1/files", headers=FORM_TYPE)).body)
    path = f"/v1/files/{file['id']}"
    assert msgspec.json.decode((await ask(provider, path=path, method="GET")).body) == file
    assert msgspec.json.decode((await ask(provider, path=path, method="DELETE")).body)["deleted"]
    assert msgspec.json.decode((await ask(provider, path="/v1/files", method="GET")).body)["data"] == []
    with pytest.raises(Rejected):
        await ask(provider, path=path, method="GET")


async def test_a_response_is_stored_unless_told_not_to(account: Make, ask: Make) -> None:
    """Fetched as it was sent, then deleted."""
    provider = account("simulated")
    sent = await ask(provider, {"model": "m", "input": "hi"}, "/v1/responses")
    path = f"/v1/responses/{msgspec.json.decode(sent.body)['id']}"
    assert (await ask(provider, path=path, method="GET")).body == sent.body
    await ask(provider, path=path, method="DELETE")
    loose = await ask(provider, {"model": "m", "input": "hi", "store": False}, "/v1/responses")
    for gone in (path, f"/v1/responses/{msgspec.json.decode(loose.body)['id']}"):
        with pytest.raises(Rejected):
            await ask(provider, path=gone, method="GET")


async def test_forms_and_sound_answer(account: Make, ask: Make) -> None:
    """Images from forms, transcriptions, speech, streamed where the form says so."""
    provider = account("simulated")
    form = _form(model="m", prompt="p", n="2")
    edited = await ask(provider, form, "/v1/images/edits", headers=FORM_TYPE)
    assert len(msgspec.json.decode(edited.body)["data"]) == 2
    heard = await ask(provider, _form(model="m"), "/v1/audio/transcriptions", headers=FORM_TYPE)
    assert "simulated" in msgspec.json.decode(heard.body)["text"]
    streamed = await ask(provider, _form(model="m", stream="true"), "/v1/audio/transcriptions", headers=FORM_TYPE)
    assert "transcript.text.done" in (read_events(streamed.body)[-1].data or "")
    spoken = await ask(provider, {"model": "m", "input": "hi", "voice": "alloy"}, "/v1/audio/speech")
    assert spoken.body[:4] == b"RIFF"
    listed = await ask(provider, path="/v1/chat/completions", method="GET")
    assert msgspec.json.decode(listed.body)["data"] == []
