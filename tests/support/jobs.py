"""A caller of jobs with plain HTTP, what upstreams saw of them, and a receiver of webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.support.journal import Entry, JournalReader, header_of
from tests.support.scale import PATIENCE

POLL = 0.02
OVER = ("succeeded", "failed", "cancelled")


class Answer(NamedTuple):
    """Status, headers (lower-case) and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of an error."""
        found: str = self.json["error"]["code"]
        return found


def ask(text: str, model: str = "fast", **more: Any) -> dict[str, Any]:
    """The body of a chat request."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


class Caller:
    """Talks to one gateway, with one key or none."""

    def __init__(self, port: int, key: str | None = None) -> None:
        self.port = port
        self.key = key

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request. A header's name is written with ``_``."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None:
            sent["authorization"] = f"Bearer {self.key}"
        if data is not None:
            sent.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def submit(self, body: Any, path: str | None = None, **headers: str) -> str:
        """Make a job; its id."""
        answer = self.call("POST", "/v1/jobs" + (f"?path={quote(path)}" if path else ""), body, **headers)
        assert answer.status == 202, answer
        assert answer.headers["location"] == answer.json["poll_url"] == f"/v1/jobs/{answer.json['id']}"
        found: str = answer.json["id"]
        return found

    def job(self, identity: str) -> Any:
        """The job as it is told."""
        answer = self.call("GET", f"/v1/jobs/{identity}")
        assert answer.status == 200, answer
        return answer.json

    def until(self, identity: str, look: Callable[[Any], Any], timeout: float = 40.0) -> Any:
        """The job, as soon as ``look`` likes it."""
        end = time.monotonic() + timeout
        while not look(job := self.job(identity)):
            assert time.monotonic() < end, job
            time.sleep(POLL)
        return job

    def over(self, identity: str, timeout: float = 40.0) -> Any:
        """The job, as soon as it is over."""
        return self.until(identity, lambda job: job["status"] in OVER, timeout)


def starts(journal: JournalReader) -> Counter[str]:
    """How often each job was begun upstream: it is known by its idempotency key."""
    return Counter(str(header_of(entry, "idempotency-key")) for entry in journal.requests())


def completed(journal: JournalReader) -> Counter[str]:
    """How often each job was answered whole upstream."""
    whole = {entry["id"] for entry in journal.entries("finished", how="whole")}
    return Counter(str(header_of(one, "idempotency-key")) for one in journal.requests() if one["id"] in whole)


def request_of(journal: JournalReader, identity: str, timeout: float = PATIENCE) -> Entry:
    """The upstream's request of a job, as soon as it is there."""
    end = time.monotonic() + timeout
    while not (found := [one for one in journal.requests() if header_of(one, "idempotency-key") == identity]):
        assert time.monotonic() < end, f"{identity} was not begun"
        time.sleep(POLL)
    return found[-1]


class Receiver:
    """A server for webhooks. ``statuses`` are its answers in turn; the last repeats. ``got`` is what came."""

    def __init__(self, *statuses: int, location: str = "") -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        left = list(statuses)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                if location:
                    self.send_header("location", location)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def wait(self, count: int, timeout: float = PATIENCE) -> None:
        """Until so many messages have come."""
        end = time.monotonic() + timeout
        while len(self.got) < count:
            assert time.monotonic() < end, f"{len(self.got)} messages instead of {count}"
            time.sleep(POLL)

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a message is signed as https://www.standardwebhooks.com says; written after that text alone."""
    key = base64.b64decode(secret.rsplit("whsec_", maxsplit=1)[-1])
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ") and (
        abs(time.time() - int(headers["webhook-timestamp"])) < 300
    )
