"""An issuer of tokens on the loopback: discovery, its keys, and tokens signed with them or with anything else."""

from __future__ import annotations

import base64
import http.server
import itertools
import json
import threading
import time
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

Signing = RSAKey | ECKey | OKPKey
_KINDS = {"R": "RSA", "P": "RSA", "E": "EC", "O": "OKP"}


def segment(value: Any) -> bytes:
    """A part of a token: JSON, or bytes as they are."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def make_key(algorithm: str = "RS256") -> Signing:
    """A fresh private key for an algorithm."""
    if algorithm == "EdDSA":
        return OKPKey.generate_key("Ed25519")
    if algorithm.startswith("ES"):
        return ECKey.generate_key({"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm])
    return RSAKey.generate_key(2048)


def signature(signed: bytes, key: Signing, algorithm: str) -> bytes:
    """Of these bytes."""
    own = "Ed25519" if algorithm == "EdDSA" else algorithm
    return JWSRegistry.algorithms[own].sign(signed, key)


def public(key: Signing, kid: str, **more: Any) -> dict[str, Any]:
    """The JWK that an issuer shows."""
    return {**key.as_dict(private=False), "kid": kid, "use": "sig", **more}


class Issuer:
    """Discovery below ``url``, keys at ``/keys``. Serves from ``start`` to ``stop``; may be started again.

    ``status`` is what it answers, ``headers`` go with it, ``gate`` lets requests through; ``documents`` replaces what
    it says at a path.
    """

    def __init__(self, port: int = 0) -> None:
        self._server: http.server.ThreadingHTTPServer | None = None
        self._numbers = itertools.count(1)
        self.port = port
        self.status = 200
        self.headers: dict[str, str] = {}
        self.documents: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.keys: dict[str, Signing] = {}
        self.kid = ""
        self.algorithm = ""

    @property
    def url(self) -> str:
        """Its name."""
        return f"http://127.0.0.1:{self.port}"

    def rotate(self, algorithm: str = "RS256", *, keep: bool = True) -> str:
        """Sign with a new key from now on; the old ones are shown further, or not."""
        if not keep:
            self.keys.clear()
        self.kid, self.algorithm = f"key-{next(self._numbers)}", algorithm
        self.keys[self.kid] = make_key(algorithm)
        return self.kid

    def token(self, claims: dict[str, Any] | None = None, *, without: tuple[str, ...] = (), **header: Any) -> str:
        """One that is good for five minutes, but for what is given."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": "sluicegate", "sub": "ada", "org": "acme", "team": "search", "exp": now + 300}
        told = {name: value for name, value in {**usual, **(claims or {})}.items() if name not in without}
        return self.sign(told, {"alg": self.algorithm, "kid": self.kid, **header})

    def sign(self, claims: Any, header: Any, *, key: Signing | None = None, algorithm: str = "") -> str:
        """Whatever is given, with a good signature."""
        signed = segment(header) + b"." + segment(claims)
        made = signature(signed, key or self.keys[self.kid], algorithm or self.algorithm)
        return (signed + b"." + segment(made)).decode()

    def answer(self, path: str) -> tuple[int, bytes]:
        """What a request gets."""
        self.asked.append(path)
        self.gate.wait(10)
        if path in self.documents:
            return self.status, self.documents[path]
        if path == "/keys":
            shown = [public(key, kid) for kid, key in list(self.keys.items())]
            return self.status, json.dumps({"keys": shown}).encode()
        return self.status, json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()

    def start(self) -> None:
        """Serve."""
        told = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = told.answer(self.path)
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **told.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Nobody is there any more. May be called again."""
        self.gate.set()
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
