"""What a simulated account remembers: files, batches, stored responses, prompts. In memory, bounded, the oldest go
first."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any

import msgspec

from proxy.prefixes.reading import read_prefix
from proxy.prefixes.table import Prefixes
from proxy.providers.simulation.made import CREATED
from proxy.providers.simulation.request import form_field, refused

MAX_FILES = 500
MAX_BYTES = 64 << 20  # of all files together
MAX_BATCHES = 500
MAX_RESPONSES = 500
MAX_RESPONSE = 64 << 10  # larger ones are not stored
MAX_PROMPTS = 5000  # beginnings of prompts
LEAST_PROMPT = 1024  # tokens of the shortest that is remembered


class File(msgspec.Struct, frozen=True):
    """One file."""

    id: str
    name: str
    purpose: str
    content: bytes

    def describe(self) -> dict[str, Any]:
        """The file object of the API."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": CREATED,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
        }


class Shelf:
    """State of one account; survives reloads. ``requests`` counts all that came."""

    def __init__(self) -> None:
        self.requests = 0
        self._files: OrderedDict[str, File] = OrderedDict()
        self._bytes = 0
        self._batches: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._responses: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._prompts = Prefixes(MAX_PROMPTS)

    def add_file(self, name: str, purpose: str, content: bytes) -> File:
        """Keep a file."""
        number = hashlib.blake2b(content, digest_size=8, key=str(self.requests).encode()).hexdigest()
        file = File(f"file-{number}", name, purpose, content)
        self._files[file.id] = file
        self._bytes += len(content)
        while len(self._files) > MAX_FILES or (self._bytes > MAX_BYTES and len(self._files) > 1):
            self._bytes -= len(self._files.popitem(last=False)[1].content)
        return file

    def file(self, file_id: str) -> File:
        """A file, or the provider's 404."""
        found = self._files.get(file_id)
        if found is None:
            raise refused(404, f"No such File object: {file_id[:100]}", param="id", code="not_found")
        return found

    def files(self) -> list[File]:
        """All files, the newest first."""
        return list(reversed(self._files.values()))

    def delete_file(self, file_id: str) -> None:
        """Forget a file."""
        self._bytes -= len(self.file(file_id).content)
        del self._files[file_id]

    def add_batch(self, batch: dict[str, Any]) -> None:
        """Keep a batch."""
        self._batches[batch["id"]] = batch
        if len(self._batches) > MAX_BATCHES:
            self._batches.popitem(last=False)

    def batch(self, batch_id: str) -> dict[str, Any]:
        """A batch, or the provider's 404."""
        found = self._batches.get(batch_id)
        if found is None:
            raise refused(404, f"No batch found with id '{batch_id[:100]}'.", param="id", code="not_found")
        return found

    def batches(self) -> list[dict[str, Any]]:
        """All batches, the newest first."""
        return list(reversed(self._batches.values()))

    def add_response(self, response: dict[str, Any], size: int) -> None:
        """Keep a response."""
        if size > MAX_RESPONSE:
            return
        self._responses[response["id"]] = response
        if len(self._responses) > MAX_RESPONSES:
            self._responses.popitem(last=False)

    def response(self, response_id: str) -> dict[str, Any]:
        """A response, or the provider's 404."""
        found = self._responses.get(response_id)
        if found is None:
            raise refused(404, f"Response with id '{response_id[:100]}' not found.", param="id", code="not_found")
        return found

    def delete_response(self, response_id: str) -> None:
        """Forget a response."""
        self.response(response_id)
        del self._responses[response_id]

    def recall(self, dialect: str, body: bytes, model: str, tokens: int, seconds: float) -> int:
        """How many of a prompt's tokens were read before, within so many seconds; from now on all of them were."""
        prefix = read_prefix(dialect, body, model.encode())
        if prefix is None:
            return 0
        found = 0
        for digest, size in prefix.marks:
            share = tokens * size // prefix.marks[-1].size
            if share >= LEAST_PROMPT:
                found = share if self._prompts.holders(digest) else found
                self._prompts.remember(digest, model, seconds)
        return found


def read_upload(body: bytes, content_type: bytes) -> tuple[str, str, bytes]:
    """Name, purpose and content of an uploaded file, or a refusal."""
    boundary = content_type.partition(b"boundary=")[2].partition(b";")[0].strip(b'" ')
    if boundary:
        for part in body.split(b"--" + boundary):
            head, blank, content = part.partition(b"\r\n\r\n")
            name = head.partition(b"filename=")[2].partition(b"\r\n")[0].partition(b";")[0].strip(b'"')
            if blank and b'name="file"' in head:
                purpose = form_field(body, b"purpose") or "user_data"
                return name.decode("utf-8", "replace") or "file", purpose, content.removesuffix(b"\r\n")
    raise refused(400, "The form has no field `file`.", param="file")
