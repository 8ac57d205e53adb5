"""``/admin/targets``: look at targets, and drain, eject or restore one.

What is done here is done in this process, at once; it survives a change of the file, and not a restart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast, get_args
from urllib.parse import parse_qs, unquote

import msgspec

from proxy.admin.access import who
from proxy.admin.targets import Action, CheckResult, TargetView, act, clock, health_of, table, target, targets
from proxy.errors import BadRequest, GatewayError, Header, render_openai
from proxy.exchange import JSON_HEADERS, Reply
from proxy.runtime import Runtime
from proxy.telemetry.log import Logger
from proxy.units import Duration

PREFIX = b"/admin/"
MAX_BODY = 16 * 2**10
MAX_REASON = 200
SHORTEST, LONGEST = 1.0, 86_400.0  # seconds
_LIST = "/admin/targets"
_ONE = "/admin/targets/"
_ACTIONS = get_args(Action)
_MEMBERS = ("action", "for", "reason")
_DEFAULT_FOR = "10m"
_NO_STORE = ((b"cache-control", b"no-store"),)
_TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Order(msgspec.Struct, frozen=True):
    """What an operator wants done."""

    action: Action
    seconds: float
    reason: str


class NoSuchTarget(GatewayError):
    status = 404
    code = "target_not_found"


async def answer(runtime: Runtime, scope: Scope, receive: Receive, log: Logger) -> Reply:
    """The answer to a request whose path begins with ``PREFIX``; refusals included."""
    try:
        found = await _answer(runtime, scope, receive, log)
    except GatewayError as error:
        body = render_openai(error.http_status, error.error_code, error.message, error.param)
        found = Reply(error.http_status, body, JSON_HEADERS + error.headers, error.error_code)
    found.headers += _NO_STORE
    return found


async def _answer(runtime: Runtime, scope: Scope, receive: Receive, log: Logger) -> Reply:
    method, headers = scope["method"], scope["headers"]
    peer = scope["client"][0] if scope.get("client") else ""
    operator = who(runtime.operators.keys, headers, peer, writes=method not in ("GET", "HEAD"))
    path = scope["raw_path"].decode("latin-1")
    if path == _LIST:
        _allow(method, "GET")
        return _list(runtime, headers, scope["query_string"])
    if not path.startswith(_ONE) or path == _ONE:
        message = f"There is no {path[:200]} here; there are {_LIST} and {_ONE}PROVIDER/MODEL."
        raise GatewayError(message, status=404, code="unknown_path")
    name = unquote(path[len(_ONE) :])
    _allow(method, "GET", "POST")
    if health_of(runtime.router, name) is None:
        raise NoSuchTarget(f"No route has the target {name[:200]!r}; GET {_LIST} lists all.")
    if method == "POST":
        order = read_order(await _read(receive))
        _obey(runtime, name, order)
        fields = {"action": order.action, "seconds": order.seconds, "reason": order.reason}
        log.info("admin.targets", who=operator, target=name, **fields)
    view = target(runtime.router, name, *clock(), _checks(runtime))
    return Reply(200, msgspec.json.encode(view))


def _allow(method: str, *methods: str) -> None:
    if method not in methods:
        error = GatewayError(
            f"This path takes {' and '.join(methods)}, not {method[:20]}.", status=405, code="method_not_allowed"
        )
        error.headers = ((b"allow", ", ".join(methods).encode()),)
        raise error


# Look


def _list(runtime: Runtime, headers: list[Header], query: bytes) -> Reply:
    found = targets(runtime.router, *clock(), _checks(runtime))
    if _wants_text(headers, query):
        return Reply(200, table(found).encode(), _TEXT)
    body: dict[str, int | list[TargetView]] = {"generation": runtime.generation, "targets": found}
    return Reply(200, msgspec.json.encode(body))


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


def _obey(runtime: Runtime, name: str, order: Order) -> None:
    if order.action == "eject" and not runtime.operators.ejects:
        message = "The file has `health: {enabled: false}`, so an ejected target is asked all the same; drain it."
        raise GatewayError(message, status=409, code="health_disabled", param="action")
    health = health_of(runtime.router, name)
    if health is None:
        raise NoSuchTarget(f"No route has the target {name[:200]!r} any more.")
    act(health, order.action, order.seconds, clock()[0])


async def _read(receive: Receive) -> bytes:
    """The body, as far as it may be long."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise BadRequest(f"The body is longer than {MAX_BODY} bytes.", status=413, code="body_too_large")
    return body


def read_order(body: bytes) -> Order:
    """What ``body`` asks for.

    Raises:
        BadRequest: it cannot be understood, or asks for too much.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadRequest('The body must be a JSON object like {"action": "drain", "for": "10m"}.', code="invalid_json")
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
