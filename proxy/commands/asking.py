"""Asks a running gateway, over ``/admin``, as its operators do."""

from __future__ import annotations

import argparse
import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import msgspec

KEY = "SLUICEGATE_ADMIN_KEY"
_TIMEOUT = 30.0  # seconds; whoever follows hears something every ten
_MAX_LINE = 1 << 20


class Unanswered(Exception):
    """The gateway cannot be reached, or has refused. The text is for whoever typed the command."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class GatewayEdge(msgspec.Struct, frozen=True):
    """What the commands are told of the world. ``address``: the URL at which the gateway of a configuration file
    listens; it raises ``Unanswered`` for one that cannot be read."""

    address: Callable[[Path], str]
    environ: Mapping[str, str]


def add_address(command: argparse.ArgumentParser) -> None:
    """The arguments that say which gateway, and who asks."""
    command.add_argument("--url", metavar="URL", help="the gateway (default: where the file's `listen` says)")
    help = f"an admin key; better in the environment, as {KEY} (default: none, from this machine)"
    command.add_argument("--key", metavar="KEY", help=help)


class Gateway:
    """A gateway that runs. Its answers are read, whatever they say."""

    def __init__(self, url: str, key: str = "") -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.scheme not in ("http", "https") or not host:
            raise Unanswered(f"{url} is no address of a gateway; write it like http://127.0.0.1:8080")
        if not key.isascii() or not key.isprintable():
            raise Unanswered("the admin key has characters that no header can carry")
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._port = host, port
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self.url = url

    @classmethod
    def of(cls, args: argparse.Namespace, edge: GatewayEdge) -> Gateway:
        """The one that was meant."""
        return cls(args.url or edge.address(args.config), args.key or edge.environ.get(KEY, ""))

    def receipt(self, id: str) -> bytes:
        """A receipt, as JSON."""
        connection, answer = self._get(f"/admin/requests/{quote(id, safe='')}")
        with closing(connection):
            return answer.read()

    def ask(self, method: str, path: str, value: object = None) -> bytes:
        """What it says to that, as JSON.

        Raises:
            Unanswered: it refuses, or cannot be reached.
        """
        connection, answer = self._open(method, path, None if value is None else json.dumps(value).encode())
        with closing(connection):
            return answer.read()

    def follow(self, query: Mapping[str, str]) -> Iterator[bytes]:
        """Lines of JSON: the latest receipts, and those to come; empty ones from time to time.

        Raises:
            Unanswered: at once if it refuses; later if the connection breaks.
        """
        connection, answer = self._get(f"/admin/requests?{urlencode({**query, 'follow': 'true'})}")
        return self._lines(connection, answer)

    def _lines(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        with closing(connection):
            try:
                while line := answer.readline(_MAX_LINE):
                    yield line.strip()
            except (OSError, http.client.HTTPException) as error:
                raise Unanswered(f"the connection to {self.url} broke: {error or type(error).__name__}") from error

    def _get(self, path: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        return self._open("GET", path)

    def _open(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = self._kind(self._host, self._port, timeout=_TIMEOUT)
        try:
            connection.request(method, path, body, headers=self._headers)
            answer = connection.getresponse()
            if answer.status == 200:
                return connection, answer
            told = _told(answer.read(_MAX_LINE))
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Unanswered(f"no gateway answers at {self.url}: {error or type(error).__name__}") from error
        connection.close()
        raise Unanswered(told or f"{self.url} answered with status {answer.status}", answer.status)


def _told(body: bytes) -> str:
    """The message of a refusal; "" if it is none of ours."""
    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return "".join(letter if letter.isprintable() else "?" for letter in str(message)[:500])
