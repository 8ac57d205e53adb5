"""Operators of every role, and a desk with keys in files, for tests of ``/admin``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from proxy.admin.api import Desk, answer
from proxy.admin.roles import Ceiling, Operator
from proxy.exchange import Reply
from proxy.keys.service import KeyService
from proxy.runtime import Operators, Runtime
from tests.support.compiled import Call, Canned, make_rule, make_runtime

ROLES = ("owner", "admin", "team_lead", "auditor", "viewer")


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        """Keep."""
        self.lines.append((event, fields))

    error = info


class Office:
    """An admin API and its operators, each with the credential ``sk-NAME``."""

    def __init__(self, desk: Desk | None, operators: Iterable[Operator]) -> None:
        self.desk = desk
        self.log = Lines()
        keys: Any = {hashlib.sha256(f"sk-{one.name}".encode()).digest(): one for one in operators}
        self.runtime: Runtime = make_runtime(make_rule(Canned()))
        self.runtime.operators = Operators(keys)

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> Reply:
        """The answer to that operator."""
        call = Call(path, b"" if body is None else body, method=method)
        headers = [(b"authorization", f"Bearer sk-{who}".encode()), (b"content-type", b"application/json")]
        call.scope |= {"headers": headers, "client": ("10.0.0.1", 5)}
        return await answer(self.runtime, call.scope, call.receive, self.log, self.desk)

    async def data(self, who: str, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """The same, decoded, with that status."""
        reply = await self.ask(who, method, path, body)
        assert reply.status == status, reply.body
        return json.loads(reply.body)


@asynccontextmanager
async def open_office(
    folder: Path, operators: Iterable[Operator], teams: dict[tuple[str, str], Ceiling] | None = None
) -> AsyncIterator[Office]:
    """One with a real file of keys. ``teams``: those of the configuration; acme/search alone by default."""
    service = KeyService(folder)
    await service.start()
    try:
        yield Office(Desk(service, {("acme", "search"): Ceiling()} if teams is None else teams), operators)
    finally:
        await service.aclose()


def code(reply: Reply) -> tuple[int, str | None, str | None]:
    """Status, code and parameter of a refusal."""
    return reply.status, reply.code, json.loads(reply.body).get("error", {}).get("param")
