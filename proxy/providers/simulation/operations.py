"""What a simulated account does for each operation of the API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from proxy.exchange import Exchange
from proxy.providers.simulation.behaviour import Behaviour
from proxy.providers.simulation.chat import chat, completion
from proxy.providers.simulation.made import CREATED, Events, Whole
from proxy.providers.simulation.media import image_stream, images, speech, transcription
from proxy.providers.simulation.request import (
    Asked,
    digest_of,
    form_field,
    prompt_of,
    read_asked,
    read_fields,
    refused,
)
from proxy.providers.simulation.responses import response
from proxy.providers.simulation.shelf import Shelf, read_upload
from proxy.providers.simulation.vectors import embeddings, moderations, rerank
from proxy.providers.simulation.words import Words, say

Made = Whole | Events
_MAX_BATCH = 1000  # lines of a batch; more are refused
_PAGE = 100


class Job(msgspec.Struct):
    """One operation: its input, and who answers it."""

    method: str
    path: str
    body: bytes
    content_type: bytes
    model: str
    stream: bool
    behaviour: Behaviour
    shelf: Shelf

    @property
    def digest(self) -> str:
        """What everything about the answer is derived from."""
        return digest_of(self.body, self.behaviour.seed)


def job_of(x: Exchange, body: bytes, model: str, behaviour: Behaviour, shelf: Shelf) -> Job:
    """The job of an exchange."""
    content_type = x.header(b"content-type") or b""
    return Job(x.method, x.path, body, content_type, model, x.stream, behaviour, shelf)


def _json(value: Any) -> Whole:
    return Whole(msgspec.json.encode(value))


def _said(asked: Asked, job: Job, dialect: str) -> Words:
    """The answer; what the account has in its cache of prompts is told by its usage."""
    words, seconds = say(asked, job.body, job.model, job.behaviour), job.behaviour.prompt_cache
    if seconds is None:
        return words
    cached = job.shelf.recall(dialect, job.body, job.model, words.prompt_tokens, seconds)
    return msgspec.structs.replace(words, cached_tokens=cached)


async def _chat(job: Job) -> Made:
    asked = read_asked(job.body)
    if not asked.messages:
        raise refused(400, "`messages` must be a list of at least one message.", param="messages")
    return chat(asked, _said(asked, job, "openai_chat"), job.model)


async def _completion(job: Job) -> Made:
    asked = read_asked(job.body)
    return completion(asked, say(asked, job.body, job.model, job.behaviour), job.model)


async def _response(job: Job) -> Made:
    asked = read_asked(job.body)
    made, stored = response(asked, _said(asked, job, "openai_responses"), job.model)
    if asked.store is not False:
        job.shelf.add_response(stored, len(job.body))
    return made


async def _count(job: Job) -> Made:
    _, tokens, _ = prompt_of(read_asked(job.body))
    return _json({"object": "response.input_tokens", "input_tokens": tokens})


async def _stored_response(job: Job) -> Made:
    response_id, _, rest = job.path.removeprefix("/v1/responses/").partition("/")
    if job.method == "DELETE":
        job.shelf.delete_response(response_id)
        return _json({"id": response_id, "object": "response", "deleted": True})
    found = job.shelf.response(response_id)
    if rest == "input_items":
        return _json({"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None})
    return _json(found)


async def _stored_chat(job: Job) -> Made:
    if job.path != "/v1/chat/completions":
        raise refused(404, "The simulated provider stores no chat completions.", code="not_found")
    return _json({"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None})


async def _embeddings(job: Job) -> Made:
    return embeddings(read_fields(job.body), job.model, job.behaviour.seed)


async def _moderations(job: Job) -> Made:
    return moderations(read_fields(job.body), job.model, job.digest)


async def _rerank(job: Job) -> Made:
    return rerank(read_fields(job.body), job.model, job.digest)


async def _image(job: Job) -> Made:
    fields = read_fields(job.body)
    prompt = str(fields.get("prompt", ""))
    if job.stream:
        return image_stream(prompt, job.digest, "image_generation")
    return images(fields.get("n"), fields.get("response_format") == "url", prompt, job.digest)


async def _image_form(job: Job) -> Made:
    prompt = form_field(job.body, b"prompt")
    if job.stream:
        return image_stream(prompt, job.digest, "image_edit")
    n = form_field(job.body, b"n")
    as_url = form_field(job.body, b"response_format") == "url"
    return images(int(n[:3]) if n.isdecimal() else 1, as_url, prompt, job.digest)


async def _speech(job: Job) -> Made:
    return speech(read_fields(job.body))


async def _transcription(job: Job) -> Made:
    return transcription(job.body, job.model, stream=job.stream)


async def _files(job: Job) -> Made:
    file_id, _, rest = job.path.removeprefix("/v1/files").strip("/").partition("/")
    if job.method == "POST":
        return _json(job.shelf.add_file(*read_upload(job.body, job.content_type)).describe())
    if not file_id:
        data = [file.describe() for file in job.shelf.files()[:_PAGE]]
        return _json({"object": "list", "data": data, "has_more": False})
    if job.method == "DELETE":
        job.shelf.delete_file(file_id)
        return _json({"id": file_id, "object": "file", "deleted": True})
    file = job.shelf.file(file_id)
    if rest == "content":
        return Whole(file.content, content_type=b"application/octet-stream")
    return _json(file.describe())


async def _batches(job: Job) -> Made:
    batch_id, _, rest = job.path.removeprefix("/v1/batches").strip("/").partition("/")
    if job.method == "POST" and not batch_id:
        return _json(await _run_batch(job))
    if not batch_id:
        return _json({"object": "list", "data": job.shelf.batches()[:_PAGE], "has_more": False})
    batch = job.shelf.batch(batch_id)
    return _json(batch | {"status": "cancelled"} if rest == "cancel" else batch)


async def _run_batch(job: Job) -> dict[str, Any]:
    """Answer every line of the input file; the caller is told that it has only begun, as anywhere else."""
    fields = read_fields(job.body)
    lines = job.shelf.file(str(fields.get("input_file_id"))).content.splitlines()
    if len(lines) > _MAX_BATCH:
        raise refused(400, f"A simulated batch has at most {_MAX_BATCH} lines.", param="input_file_id")
    output: list[bytes] = []
    operation = _BATCHED.get(str(fields.get("endpoint")))
    if operation is None:
        raise refused(400, f"`endpoint` must be one of: {', '.join(_BATCHED)}", param="endpoint")
    for line in filter(None, map(bytes.strip, lines)):
        output.append(await _run_line(job, operation, line))
        await asyncio.sleep(0)  # others get their turn
    result = job.shelf.add_file("output.jsonl", "batch_output", b"".join(output))
    batch = {
        "id": f"batch_{job.digest}",
        "object": "batch",
        "endpoint": fields.get("endpoint"),
        "input_file_id": fields.get("input_file_id"),
        "completion_window": fields.get("completion_window", "24h"),
        "created_at": CREATED,
        "status": "completed",
        "output_file_id": result.id,
        "request_counts": {"total": len(output), "completed": len(output), "failed": 0},
        "metadata": fields.get("metadata"),
    }
    job.shelf.add_batch(batch)
    counts = {"total": 0, "completed": 0, "failed": 0}
    return batch | {"status": "validating", "output_file_id": None, "request_counts": counts}


async def _run_line(job: Job, operation: Operation, line: bytes) -> bytes:
    asked = read_fields(line)
    fields = asked.get("body")
    if not isinstance(fields, dict):
        raise refused(400, "Each line of a batch needs a `body`.", param="input_file_id")
    body = msgspec.json.encode({**fields, "stream": False})
    model = str(fields.get("model", job.model))
    made = await operation(msgspec.structs.replace(job, method="POST", body=body, model=model, stream=False))
    assert isinstance(made, Whole)
    answer = {"status_code": 200, "request_id": f"req_{digest_of(line, 0)}", "body": msgspec.Raw(made.body)}
    found = {"id": f"batch_req_{digest_of(line, 1)}", "custom_id": asked.get("custom_id"), "response": answer}
    return msgspec.json.encode({**found, "error": None}) + b"\n"


Operation = Callable[[Job], Awaitable[Made]]
_BATCHED: dict[str, Operation] = {
    "/v1/chat/completions": _chat,
    "/v1/completions": _completion,
    "/v1/embeddings": _embeddings,
    "/v1/responses": _response,
    "/v1/moderations": _moderations,
}
# By the name of the endpoint.
OPERATIONS: dict[str, Operation] = {
    "chat.completions": _chat,
    "chat.completions.stored": _stored_chat,
    "completions": _completion,
    "embeddings": _embeddings,
    "responses": _response,
    "responses.count": _count,
    "responses.stored": _stored_response,
    "images.generations": _image,
    "images.edits": _image_form,
    "images.variations": _image_form,
    "audio.speech": _speech,
    "audio.transcriptions": _transcription,
    "audio.translations": _transcription,
    "moderations": _moderations,
    "rerank": _rerank,
    "files": _files,
    "batches": _batches,
}
