"""Paths, methods and bodies under ``/admin/``."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from proxy.admin.api import HANDLERS, MAX_BODY, Order, answer, read_order
from proxy.errors import BadRequest
from proxy.exchange import Reply
from proxy.runtime import Operators, Runtime
from tests.support.compiled import Call, Canned, make_rule, make_runtime

ONE = "/admin/targets/up/gpt-4o"
HEADERS = [(b"host", b"localhost:8080"), (b"content-type", b"application/json")]


class _Log:
    """Keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        """Keep."""
        self.lines.append((event, fields))


def _runtime(**operators: Any) -> Runtime:
    runtime = make_runtime(make_rule(Canned()), generation=7)
    runtime.operators = Operators(**operators)
    return runtime


async def _ask(
    runtime: Runtime, path: str, body: Any = None, *, log: _Log | None = None, method: str = "", more: Any = ()
) -> Reply:
    call = Call(path, b"" if body is None else body, method=method or ("GET" if body is None else "POST"))
    call.scope |= {"headers": [*HEADERS, *more], "client": ("127.0.0.1", 5)}
    return await answer(runtime, call.scope, call.receive, log or _Log())


def _error(reply: Reply) -> tuple[int, str, str | None]:
    error = json.loads(reply.body)["error"]
    assert error["code"] == reply.code
    assert error["message"]
    return reply.status, error["code"], error["param"]


async def test_the_list() -> None:
    """As JSON, or as a table for whoever asks for text; never kept by anybody on the way."""
    runtime = _runtime()
    reply = await _ask(runtime, "/admin/targets")
    found = json.loads(reply.body)
    assert (reply.status, found["generation"], [one["name"] for one in found["targets"]]) == (200, 7, ["up/gpt-4o"])
    assert (b"cache-control", b"no-store") in reply.headers
    for path, more in (("/admin/targets?format=text", ()), ("/admin/targets", [(b"accept", b"text/plain")])):
        reply = await _ask(runtime, path, more=more)
        assert reply.body.startswith(b"TARGET ")
        assert (b"content-type", b"text/plain; charset=utf-8") in reply.headers
    assert _error(await _ask(runtime, "/admin/targets?format=xml")) == (400, "invalid_request", "format")


async def test_an_order_is_obeyed_shown_and_logged() -> None:
    """Who, what, for how long, and why."""
    runtime, log = _runtime(), _Log()
    reply = await _ask(runtime, ONE, {"action": "drain", "for": "2h", "reason": "a new disk"}, log=log)
    seen = json.loads(reply.body)
    assert (reply.status, seen["state"]) == (200, "drained")
    assert 7190 < seen["seconds"] <= 7200
    assert json.loads((await _ask(runtime, ONE)).body)["state"] == "drained"
    fields = {"who": "(loopback)", "target": "up/gpt-4o", "action": "drain", "seconds": 7200.0, "reason": "a new disk"}
    assert log.lines == [("admin.targets", fields)]
    assert json.loads((await _ask(runtime, ONE, {"action": "restore"})).body)["state"] == "closed"


async def test_the_keys_name_is_logged() -> None:
    """And never the key."""
    log = _Log()
    runtime = _runtime(keys={hashlib.sha256(b"sk-operator").digest(): "ada"})
    reply = await _ask(runtime, ONE, {"action": "eject"}, log=log, more=[(b"authorization", b"Bearer sk-operator")])
    assert reply.status == 200
    assert log.lines[0][1]["who"] == "ada"
    assert "sk-operator" not in repr(log.lines) + reply.body.decode()
    assert _error(await _ask(runtime, ONE, {"action": "restore"}, log=log))[:2] == (401, "invalid_admin_key")
    assert len(log.lines) == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/admin/targets/up/other", 404, "target_not_found"),
        ("POST", "/admin/targets/%00%ff", 404, "target_not_found"),
        ("GET", "/admin/targets/", 404, "unknown_path"),
        ("GET", "/admin/", 404, "unknown_path"),
        ("GET", "/admin/secrets", 404, "unknown_path"),
        ("POST", "/admin/targets", 405, "method_not_allowed"),
        ("DELETE", ONE, 405, "method_not_allowed"),
    ],
)
async def test_what_is_not_there(method: str, path: str, status: int, code: str) -> None:
    """Typed refusals."""
    assert _error(await _ask(_runtime(), path, method=method)) == (status, code, None)


async def test_a_refused_caller_learns_nothing_of_what_is_there() -> None:
    """Access comes first."""
    origin = [(b"origin", b"http://evil.example")]
    for path in (ONE, "/admin/targets/up/other", "/admin/none"):
        assert _error(await _ask(_runtime(), path, more=origin))[:2] == (403, "admin_not_allowed")


async def test_every_path_is_answered_by_its_handler() -> None:
    """And says which methods it takes. Without a desk there are no keys."""
    for method, path, _ in HANDLERS:
        named = path.replace("{name…}", "up/gpt-4o").replace("{name}", "key_1")
        reply = await _ask(_runtime(), named, {}, method="TRACE")
        assert (reply.status, method in dict(reply.headers)[b"allow"].decode().split(", ")) == (405, True)
        found = await _ask(_runtime(), named, {"action": "restore"}, method=method)
        assert (found.status, found.code) in ((200, None), (404, "keys_disabled"), (404, "canary_not_found"))
        always = ("/targets", "/whoami", "/limits", "/budgets", "/canaries")
        is_always = any(part in path for part in always) or (method, path) == ("GET", "/admin/cache")
        assert (found.code != "keys_disabled") is is_always


async def test_a_name_may_be_escaped() -> None:
    """As clients do with a slash in a model's name."""
    assert (await _ask(_runtime(), "/admin/targets/up%2Fgpt-4o")).status == 200


async def test_a_long_body_is_not_read() -> None:
    """Beyond the bound it ends."""
    reply = await _ask(_runtime(), ONE, b" " * (MAX_BODY + 1))
    assert _error(reply)[:2] == (413, "body_too_large")


async def test_an_ejection_that_would_do_nothing_is_refused() -> None:
    """Where the file says that failures do not matter; a drain works there too."""
    runtime = _runtime(ejects=False)
    assert _error(await _ask(runtime, ONE, {"action": "eject"})) == (409, "health_disabled", "action")
    assert (await _ask(runtime, ONE, {"action": "drain"})).status == 200


def test_orders() -> None:
    """With their defaults, up to the bounds."""
    assert read_order(b'{"action": "eject"}') == Order("eject", 600.0, "")
    assert read_order(b'{"action": "drain", "for": "1s"}').seconds == 1
    assert read_order(b'{"action": "drain", "for": "24h"}').seconds == 86_400
    assert read_order(b'{"action": "restore", "reason": "' + b"x" * 200 + b'"}') == Order("restore", 0.0, "x" * 200)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"[]", None),
        (b"\xff", None),
        (b'{"action": "drain"', None),
        (b"[" * 10_000, None),
        (b"{}", "action"),
        (b'{"action": "stop"}', "action"),
        (b'{"action": ["drain"]}', "action"),
        (b'{"action": null}', "action"),
        (b'{"action": "drain", "until": "1h"}', "until"),
        (b'{"action": "drain", "for": 600}', "for"),
        (b'{"action": "drain", "for": "600"}', "for"),
        (b'{"action": "drain", "for": "999ms"}', "for"),
        (b'{"action": "drain", "for": "25h"}', "for"),
        (b'{"action": "drain", "for": "-1s"}', "for"),
        (b'{"action": "drain", "for": null}', "for"),
        (b'{"action": "restore", "for": "1h"}', "for"),
        (b'{"action": "drain", "reason": 1}', "reason"),
        (b'{"action": "drain", "reason": "two\\nlines"}', "reason"),
        (b'{"action": "drain", "reason": "' + b"x" * 201 + b'"}', "reason"),
    ],
)
def test_orders_that_are_refused(body: bytes, param: str | None) -> None:
    """Each names the member that is wrong."""
    with pytest.raises(BadRequest) as caught:
        read_order(body)
    assert (caught.value.http_status, caught.value.param) == (400, param)
