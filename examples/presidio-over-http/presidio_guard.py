"""A guard for the policy `webhook` that asks Microsoft Presidio, over HTTP, with nothing but Python.

    docker run -p 5002:3000 mcr.microsoft.com/presidio-analyzer
    python examples/presidio-over-http/presidio_guard.py --presidio http://127.0.0.1:5002 --block US_SSN

Each text is shown to Presidio's `/analyze`; what that finds is redacted, and what is named by --block stops the
request. If Presidio does not answer, this does not either: 502, and the gateway does what its `on_error` says.
"""

from __future__ import annotations

import argparse
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST = 16 << 20  # bytes of a question


class Presidio:
    """Where it is, and what is asked of it. ``least``: the score from which on a finding counts."""

    def __init__(self, address: str, language: str, least: float, blocked: frozenset[str]) -> None:
        self._url = f"{address.rstrip('/')}/analyze"
        self._asked = {"language": language, "score_threshold": least}
        self._blocked = blocked
        self._pool = ThreadPoolExecutor(8)

    def verdict(self, texts: list[dict[str, Any]]) -> dict[str, Any]:
        """What the gateway is told about these texts.

        Raises:
            OSError: Presidio does not answer, or with an error.
            ValueError: what it answers makes no sense.
        """
        found = list(self._pool.map(self._analyze, (text["text"] for text in texts)))
        kinds = {one["entity_type"] for spans in found for one in spans}
        if stopped := sorted(kinds & self._blocked):
            return {"verdict": "block", "message": f"Please leave this out: {', '.join(stopped)}."}
        spans = [
            {"text": number, "start": one["start"], "end": one["end"], "label": one["entity_type"][:64]}
            for number, each in enumerate(found)
            for one in each
        ]
        return {"verdict": "redact", "spans": spans} if spans else {"verdict": "pass"}

    def _analyze(self, text: str) -> list[dict[str, Any]]:
        if not text.strip():
            return []
        body = json.dumps({"text": text, **self._asked}).encode()
        request = urllib.request.Request(self._url, body, {"content-type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the address is our own
            found = json.load(answer)
        if not isinstance(found, list) or not all({"entity_type", "start", "end"} <= one.keys() for one in found):
            raise ValueError("this is no answer of Presidio's")
        return found


class Handler(BaseHTTPRequestHandler):
    """Answers the gateway, as the schema of `webhook` wants it."""

    protocol_version = "HTTP/1.1"

    def __init__(self, presidio: Presidio, *args: Any) -> None:
        self._presidio = presidio
        super().__init__(*args)

    def do_POST(self) -> None:
        """One question."""
        length = int(self.headers.get("content-length") or 0)
        if not 0 < length <= LONGEST:
            self.close_connection = True
            self._say(413, {})
            return
        asked = json.loads(self.rfile.read(length))
        try:
            self._say(200, self._presidio.verdict(asked["texts"]))
        except (OSError, ValueError, AttributeError) as error:
            print(f"Presidio failed: {type(error).__name__}", flush=True)  # never a text
            self._say(502, {})

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing is logged of what is asked."""


def main() -> None:
    """Listen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=9098, help="where the gateway asks; 0 for any")
    parser.add_argument("--presidio", default="http://127.0.0.1:5002", help="where Presidio's analyzer is")
    parser.add_argument("--language", default="en")
    parser.add_argument("--least", type=float, default=0.5, help="score from which on a finding counts")
    parser.add_argument("--block", action="append", default=[], metavar="ENTITY", help="what stops a request")
    args = parser.parse_args()
    presidio = Presidio(args.presidio, args.language, args.least, frozenset(args.block))
    server = ThreadingHTTPServer(("127.0.0.1", args.port), partial(Handler, presidio))
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
