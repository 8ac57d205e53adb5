"""The official client as the judge: what it sends, and what it makes of our bytes."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from google import genai
from google.genai import types

Reply = Callable[[str, bytes], tuple[bytes, bytes]]
STREAM = b"text/event-stream"
JSON = b"application/json"


class Heard:
    """What came to the loopback server: paths and bodies, in order."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.paths: list[str] = []
        self.bodies: list[bytes] = []

    def model(self) -> str:
        return self.paths[-1].partition("/models/")[2].partition(":")[0]

    def is_stream(self) -> bool:
        return ":streamGenerateContent" in self.paths[-1]


@contextmanager
def client(reply: Reply) -> Iterator[tuple[genai.Client, Heard]]:
    """The client of the developer API against a server that answers with ``reply(path, body)``."""
    heard = Heard(reply)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.paths.append(self.path)
            heard.bodies.append(body)
            kind, answer = heard.reply(self.path, body)
            self.send_response(200)
            self.send_header("content-type", kind.decode())
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        with genai.Client(api_key="key", http_options=types.HttpOptions(base_url=address)) as made:
            yield made, heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def asked(heard: Heard) -> Any:
    """The last body, decoded."""
    return msgspec.json.decode(heard.bodies[-1])
