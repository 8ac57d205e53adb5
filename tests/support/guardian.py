"""A service that guards ask: it answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANGS = "hangs"


class Guardian:
    """``says``: the answer to everything from now on: a JSON value, bytes as they are, a function that makes one of
    what was asked, or ``HANGS`` for none before ``close``. ``got``: headers (lower-case) and bodies."""

    def __init__(self) -> None:
        self.says: Any = {"verdict": "pass"}
        self.status = 200
        self.got: list[tuple[dict[str, str], bytes]] = []
        self._over = threading.Event()
        guardian = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                guardian.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                if guardian.says == HANGS:
                    guardian._over.wait()
                    return
                said = guardian.says(json.loads(body)) if callable(guardian.says) else guardian.says
                answer = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(guardian.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/check"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def asked(self) -> list[dict[str, Any]]:
        """The questions."""
        return [json.loads(body) for _, body in self.got]

    def reset(self) -> None:
        """As in the beginning."""
        self.says, self.status, self.got = {"verdict": "pass"}, 200, []

    def close(self) -> None:
        """Stop."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
