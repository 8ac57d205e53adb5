"""A token endpoint of Google's on the loopback, and a service account whose key it does not check too closely."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


class TokenServer:
    """Gives ``token-1``, ``token-2`` …; ``claims`` are those of the assertions that it was shown."""

    def __init__(self, port: int) -> None:
        self.uri = f"http://127.0.0.1:{port}/token"
        self.claims: list[dict[str, Any]] = []
        self.lifetime = 3600
        self.status = 200
        self.gate = threading.Event()  # closed: requests wait
        self.gate.set()

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """What a request for a token gets."""
        assertion = parse_qs(body.decode())["assertion"][0].split(".")[1]
        self.claims.append(json.loads(base64.urlsafe_b64decode(assertion + "=" * (-len(assertion) % 4))))
        number = len(self.claims)
        self.gate.wait(10)
        if self.status != 200:
            return self.status, b'{"error": "invalid_grant", "error_description": "Account is gone."}'
        token = {"access_token": f"token-{number}", "expires_in": self.lifetime, "token_type": "Bearer"}
        return 200, json.dumps(token).encode()


@contextmanager
def token_server() -> Iterator[TokenServer]:
    """One that runs."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, answer = told.answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = TokenServer(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        told.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


def service_account(uri: str) -> str:
    """The JSON of a key, made for the occasion."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "my-project",
            "private_key_id": "k1",
            "private_key": pem,
            "client_email": "gateway@my-project.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": uri,
        }
    )
