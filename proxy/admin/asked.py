"""One request under ``/admin/`` as its handler has it, and how its parts are read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec

from proxy.admin.roles import Ceiling, Operator
from proxy.errors import BadRequest, GatewayError, Header
from proxy.exchange import JSON_HEADERS, Reply
from proxy.experiments.tables import NAME as EXPERIMENTS
from proxy.keys.audit import Actor
from proxy.keys.service import KeyService
from proxy.ledger.export import Source
from proxy.runtime import Runtime
from proxy.telemetry.log import Logger
from proxy.telemetry.receipts import Receipts

MAX_BODY = 16 * 2**10
_READING = 2  # requests that read the ledger at once
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Feed(Reply):
    """An answer whose body has no end of its own."""

    __slots__ = ("chunks",)

    def __init__(self, chunks: AsyncGenerator[bytes, None], headers: tuple[Header, ...]) -> None:
        super().__init__(200, b"", headers)
        self.chunks = chunks


class Desk(msgspec.Struct, frozen=True):
    """What is kept for operators: the issued keys with the audit, and what each team of the file has, by organisation
    and team.

    ``source`` opens the ledger to read it (it raises ``NoLedger``), None where none is kept; ``reading`` is held by
    whoever reads it. ``receipts``: of the requests of this process. ``experiments``: the file of their records.
    """

    service: KeyService
    teams: Mapping[tuple[str, str], Ceiling] = {}
    source: Callable[[], Source] | None = None
    experiments: Path = Path(EXPERIMENTS)
    reading: asyncio.Semaphore = msgspec.field(default_factory=lambda: asyncio.Semaphore(_READING))
    receipts: Receipts | None = None


class Asked(msgspec.Struct, frozen=True):
    """A request whose operator is known. ``name``: what its path names, unquoted; "" where it names nothing."""

    runtime: Runtime
    operator: Operator
    name: str
    query: bytes
    headers: list[Header]
    receive: Receive
    log: Logger
    held: Desk | None = None

    @property
    def desk(self) -> Desk:
        """What is kept.

        Raises:
            GatewayError: nothing is, in this gateway.
        """
        if self.held is None:
            raise GatewayError("This gateway keeps no keys and no audit.", status=404, code="keys_disabled")
        return self.held

    @property
    def actor(self) -> Actor:
        return Actor(self.operator.name, self.operator.role)

    def texts(self, known: Collection[str]) -> dict[str, str]:
        """The fields of the query.

        Raises:
            BadRequest: one is unknown, or there twice.
        """
        try:
            fields = parse_qs(self.query.decode("latin-1"), keep_blank_values=True, max_num_fields=32)
        except ValueError:
            raise BadRequest("The query has too many fields.") from None
        for name, values in fields.items():
            if name not in known or len(values) > 1:
                message = f"The query takes {', '.join(f'`{one}`' for one in known)}, each once; not {name[:40]!r}."
                raise BadRequest(message, param=name[:40])
        return {name: values[0] for name, values in fields.items()}

    async def body(self) -> bytes:
        """The body, as far as it may be long.

        Raises:
            BadRequest: it is longer.
        """
        body, more = b"", True
        while more:
            message = await self.receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY:
                raise BadRequest(f"The body is longer than {MAX_BODY} bytes.", status=413, code="body_too_large")
        return body


def read_object(body: bytes, example: str) -> dict[str, Any]:
    """A body as a JSON object. ``example``: one, for whoever sent something else.

    Raises:
        BadRequest: it is none.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadRequest(f"The body must be a JSON object like {example}.", code="invalid_json")
    return value


def read_number(text: str, param: str, least: int, most: int) -> int:
    """A number of the query.

    Raises:
        BadRequest: it is none, or out of these bounds.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and least <= int(text) <= most):
        raise BadRequest(f"`{param}` must be a number from {least} to {most}.", param=param)
    return int(text)


def json_reply(value: Any, status: int = 200) -> Reply:
    """An answer."""
    return Reply(status, msgspec.json.encode(value), JSON_HEADERS)
