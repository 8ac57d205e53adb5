"""Paths under ``/admin/``, and ``/admin/targets``: look at targets, and drain, eject or restore one.

What is done to a target is done in this process, at once; it survives a change of the file, and not a restart.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, cast, get_args
from urllib.parse import parse_qs, unquote

import msgspec

from proxy.admin import (
    audit_api,
    cache_api,
    canaries_api,
    experiments_api,
    flags_api,
    keys_api,
    limits_api,
    prefixes_api,
    requests_api,
    usage_api,
)
from proxy.admin.access import who
from proxy.admin.asked import MAX_BODY, Asked, Desk, Receive, read_object
from proxy.admin.roles import check
from proxy.admin.targets import Action, CheckResult, TargetView, act, clock, health_of, table, target, targets
from proxy.choosing.health import Health
from proxy.errors import BadRequest, GatewayError, Header, render_openai
from proxy.exchange import JSON_HEADERS, Reply
from proxy.jobs.writer import StoreBroken
from proxy.keys import audit
from proxy.runtime import Runtime
from proxy.telemetry.log import Logger
from proxy.units import Duration

__all__ = ["MAX_BODY", "PREFIX", "Desk", "NoSuchTarget", "Order", "answer", "read_order"]
PREFIX = b"/admin/"
MAX_REASON = 200
SHORTEST, LONGEST = 1.0, 86_400.0  # seconds
_ACTIONS = get_args(Action)
_MEMBERS = ("action", "for", "reason")
_DEFAULT_FOR = "10m"
_NO_STORE = ((b"cache-control", b"no-store"),)
_TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)
Scope = dict[str, Any]
Handler = Callable[[Asked], Awaitable[Reply]]


class Order(msgspec.Struct, frozen=True):
    """What an operator wants done."""

    action: Action
    seconds: float
    reason: str


class NoSuchTarget(GatewayError):
    status = 404
    code = "target_not_found"


async def answer(runtime: Runtime, scope: Scope, receive: Receive, log: Logger, desk: Desk | None = None) -> Reply:
    """The answer to a request whose path begins with ``PREFIX``; refusals included. Without ``desk``, nothing is
    audited and no keys are kept."""
    try:
        found = await _answer(runtime, scope, receive, log, desk)
    except StoreBroken as error:
        log.error("admin.store_unavailable", problem=str(error))
        found = _refusal(GatewayError("What is kept cannot be used now.", status=503, code="store_unavailable"))
    except GatewayError as error:
        found = _refusal(error)
    found.headers += _NO_STORE
    return found


def _refusal(error: GatewayError) -> Reply:
    body = render_openai(error.http_status, error.error_code, error.message, error.param)
    return Reply(error.http_status, body, JSON_HEADERS + error.headers, error.error_code)


async def _answer(runtime: Runtime, scope: Scope, receive: Receive, log: Logger, desk: Desk | None) -> Reply:
    method, headers = scope["method"], scope["headers"]
    peer = scope["client"][0] if scope.get("client") else ""
    operator = who(runtime.operators.keys, headers, peer, writes=method not in ("GET", "HEAD"))
    handler, name = _handler(method, scope["raw_path"].decode("latin-1"))
    return await handler(Asked(runtime, operator, name, scope["query_string"], headers, receive, log, desk))


def _handler(method: str, path: str) -> tuple[Handler, str]:
    """Who answers, and what the path names.

    Raises:
        GatewayError: there is no such path, or it does not take this method.
    """
    methods: list[str] = []
    for known, pattern, handler in _ROUTES:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        if known == method:
            return handler, unquote(found["name"]) if "name" in pattern.groupindex else ""
        methods.append(known)
    if not methods:
        listed = ", ".join(dict.fromkeys(path for _, path, _ in HANDLERS))
        raise GatewayError(f"There is no {path[:200]} here; there are {listed}.", status=404, code="unknown_path")
    message = f"This path takes {' and '.join(methods)}, not {method[:20]}."
    error = GatewayError(message, status=405, code="method_not_allowed")
    error.headers = ((b"allow", ", ".join(methods).encode()),)
    raise error


# Look


async def _list(asked: Asked) -> Reply:
    check(asked.operator, "targets.read")
    runtime = asked.runtime
    found = targets(runtime.router, *clock(), _checks(runtime))
    if _wants_text(asked.headers, asked.query):
        return Reply(200, table(found).encode(), _TEXT)
    body: dict[str, int | list[TargetView]] = {"generation": runtime.generation, "targets": found}
    return Reply(200, msgspec.json.encode(body))


async def _show(asked: Asked) -> Reply:
    check(asked.operator, "targets.read")
    _health(asked)
    return Reply(200, msgspec.json.encode(target(asked.runtime.router, asked.name, *clock(), _checks(asked.runtime))))


def _health(asked: Asked) -> Health:
    health = health_of(asked.runtime.router, asked.name)
    if health is None:
        raise NoSuchTarget(f"No route has the target {asked.name[:200]!r}; GET /admin/targets lists all.")
    return health


def _checks(runtime: Runtime) -> dict[str, CheckResult]:
    """By account."""
    return {watch.check.name: "failing" if watch.check.failing else "ok" for watch in runtime.checks}


def _wants_text(headers: list[Header], query: bytes) -> bool:
    try:
        formats = parse_qs(query.decode("latin-1"), keep_blank_values=True, max_num_fields=32).get("format", [])
    except ValueError:
        raise BadRequest("The query has too many fields.") from None
    if formats:
        if formats not in (["json"], ["text"]):
            raise BadRequest("`format` is `json` or `text`.", param="format")
        return formats == ["text"]
    accepted = [value.partition(b";")[0].strip() for name, value in headers if name == b"accept"]
    return accepted == [b"text/plain"]


# Do


async def _obey(asked: Asked) -> Reply:
    """What cannot be audited is not done."""
    check(asked.operator, "targets.write")
    health = _health(asked)
    order = read_order(await asked.body())
    if order.action == "eject" and not asked.runtime.operators.ejects:
        message = "The file has `health: {enabled: false}`, so an ejected target is asked all the same; drain it."
        raise GatewayError(message, status=409, code="health_disabled", param="action")
    if asked.held is not None:
        await _audit(asked, asked.held, health, order)
    act(health, order.action, order.seconds, clock()[0])
    fields = {"action": order.action, "seconds": order.seconds, "reason": order.reason}
    asked.log.info("admin.targets", who=asked.operator.name, target=asked.name, **fields)
    return await _show(asked)


async def _audit(asked: Asked, desk: Desk, health: Health, order: Order) -> None:
    before, after = {"state": health.state(clock()[0])}, {"seconds": order.seconds, "reason": order.reason}
    now = desk.service.micros()

    def work(db: sqlite3.Connection) -> int:
        return audit.append(db, asked.actor, f"target.{order.action}", asked.name, before, after, now=now)

    await desk.service.write(work)


def read_order(body: bytes) -> Order:
    """What ``body`` asks for.

    Raises:
        BadRequest: it cannot be understood, or asks for too much.
    """
    value = read_object(body, '{"action": "drain", "for": "10m"}')
    for member in value:
        if member not in _MEMBERS:
            known = ", ".join(f"`{known}`" for known in _MEMBERS)
            raise BadRequest(f"Unknown member {member[:40]!r}; there are {known}.", param=member[:40])
    action = value.get("action")
    if action not in _ACTIONS:
        raise BadRequest("`action` must be `drain`, `eject` or `restore`.", param="action")
    if action == "restore" and "for" in value:
        raise BadRequest("`restore` lasts until something else happens; leave out `for`.", param="for")
    seconds = 0.0 if action == "restore" else _seconds(value.get("for", _DEFAULT_FOR))
    return Order(cast(Action, action), seconds, _reason(value.get("reason", "")))


def _seconds(written: Any) -> float:
    if not isinstance(written, str):
        raise BadRequest("`for` must be a duration in quotes, like `10m`.", param="for")
    try:
        seconds = float(Duration.parse(written[:40]))
    except ValueError as error:
        raise BadRequest(f"`for`: {error}.", param="for") from None
    if not SHORTEST <= seconds <= LONGEST:
        raise BadRequest("`for` must be from 1s to 24h.", param="for")
    return seconds


def _reason(written: Any) -> str:
    """It stands in the log, so it is one short line."""
    if not isinstance(written, str) or len(written) > MAX_REASON or not written.isprintable():
        raise BadRequest(f"`reason` must be text of one line, at most {MAX_REASON} characters.", param="reason")
    return written


# What is answered by whom. A path may name one thing: `{name}`, or `{name…}` where names have slashes.
HANDLERS: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/admin/whoami", keys_api.whoami),
    ("GET", "/admin/targets", _list),
    ("GET", "/admin/targets/{name…}", _show),
    ("POST", "/admin/targets/{name…}", _obey),
    ("GET", "/admin/canaries", canaries_api.list_canaries),
    ("GET", "/admin/canaries/{name}", canaries_api.get_canary),
    ("POST", "/admin/canaries/{name}", canaries_api.act_on_canary),
    ("GET", "/admin/keys", keys_api.list_keys),
    ("POST", "/admin/keys", keys_api.create_key),
    ("GET", "/admin/keys/{name}", keys_api.get_key),
    ("PATCH", "/admin/keys/{name}", keys_api.update_key),
    ("DELETE", "/admin/keys/{name}", keys_api.revoke_key),
    ("POST", "/admin/keys/{name}/rotate", keys_api.rotate_key),
    ("GET", "/admin/flags", flags_api.list_flags),
    ("GET", "/admin/flags/{name}", flags_api.get_flag),
    ("PUT", "/admin/flags/{name}", flags_api.set_flag),
    ("POST", "/admin/flags/{name}", flags_api.set_flag),
    ("GET", "/admin/audit", audit_api.list_audit),
    ("GET", "/admin/usage", usage_api.get_usage),
    ("GET", "/admin/requests", requests_api.list_requests),
    ("GET", "/admin/requests/{name}", requests_api.get_request),
    ("GET", "/admin/limits", limits_api.list_limits),
    ("GET", "/admin/cache", cache_api.show_caches),
    ("GET", "/admin/cache/prefixes", prefixes_api.get_prefixes),
    ("POST", "/admin/cache", cache_api.invalidate),
    ("DELETE", "/admin/cache", cache_api.invalidate),
    ("GET", "/admin/experiments", experiments_api.list_experiments),
    ("GET", "/admin/experiments/{name}", experiments_api.get_experiment),
    ("GET", "/admin/budgets", limits_api.list_budgets),
)
_ROUTES: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    (method, re.compile(path.replace("{name…}", "(?P<name>.+)").replace("{name}", "(?P<name>[^/]+)")), handler)
    for method, path, handler in HANDLERS
)
