"""Which headers travel: from the client to the provider, and from the gateway to the client."""

from __future__ import annotations

from typing import Self

from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.policy import Answer, CompileContext, Config, Policy
from proxy.units import Secret

# Never settable or passable: they frame the message, carry credentials, or are the gateway's own word.
_RESERVED = frozenset(
    {
        "api-key", "authorization", "connection", "content-encoding", "content-length", "cookie", "host", "keep-alive",
        "proxy-authenticate", "proxy-authorization", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade",
        "x-api-key", "x-goog-api-key", "x-request-id",
    }
)  # fmt: skip
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


class RequestHeaders(Config, frozen=True, rename={"pass_": "pass"}):
    """Towards the provider: ``set`` (replacing), ``remove``, and ``pass``: client headers let through besides the
    default ones."""

    set: dict[str, Secret] = {}
    remove: tuple[str, ...] = ()
    pass_: tuple[str, ...] = ()


class ResponseHeaders(Config, frozen=True):
    """Towards the client: ``set`` (replacing) and ``remove``."""

    set: dict[str, str] = {}
    remove: tuple[str, ...] = ()


class HeadersConfig(Config, frozen=True):
    """Both directions."""

    request: RequestHeaders = RequestHeaders()
    response: ResponseHeaders = ResponseHeaders()


class Headers(Policy):
    """Sets, removes and passes headers. What is not passed by default or by name does not reach the provider."""

    __slots__ = ("_drop", "_pass", "_response_drop", "_response_set", "_secrets", "_set")

    Config = HeadersConfig

    def __init__(
        self,
        pass_: frozenset[bytes],
        drop: frozenset[bytes],
        set_: tuple[Header, ...],
        response_drop: frozenset[bytes],
        response_set: tuple[Header, ...],
    ) -> None:
        self._pass = pass_
        self._drop = drop
        self._set = set_
        self._secrets = tuple(value for _, value in set_)
        self._response_drop = response_drop
        self._response_set = response_set

    @classmethod
    def compile(cls, config: HeadersConfig, context: CompileContext) -> Self:
        request, response = config.request, config.response
        set_ = _pairs({name: value.reveal() for name, value in request.set.items()}, context, "request.set")
        response_set = _pairs(response.set, context, "response.set")
        return cls(
            _names(request.pass_, context, "request.pass"),
            _names(request.remove, context, "request.remove") | {name for name, _ in set_},
            set_,
            _names(response.remove, context, "response.remove") | {name for name, _ in response_set},
            response_set,
        )

    def on_request(self, x: Exchange) -> None:
        if self._pass:
            x.forward += [header for header in x.headers if header[0] in self._pass]
        if self._drop:
            x.forward = [header for header in x.forward if header[0] not in self._drop]
            x.forward += self._set
            x.secrets += self._secrets

    def on_response(self, x: Exchange, answer: Answer) -> None:
        if self._response_drop:
            answer.headers = [header for header in answer.headers if header[0] not in self._response_drop]
            answer.headers += self._response_set

    def explain(self, x: Exchange) -> str:
        sets = ", ".join(name.decode() for name, _ in self._set)
        return f"sends {len(x.forward)} headers upstream" + (f", sets {sets}" if sets else "")


def _names(names: tuple[str, ...], context: CompileContext, at: str) -> frozenset[bytes]:
    for index, name in enumerate(names):
        _check(name, context, f"{at}[{index}]")
    return frozenset(name.lower().encode() for name in names)


def _pairs(pairs: dict[str, str], context: CompileContext, at: str) -> tuple[Header, ...]:
    found: list[Header] = []
    for name, value in pairs.items():
        _check(name, context, f"{at}.{name}")
        if not value.isascii() or not value.isprintable():
            context.fail("a header value holds printable ASCII only", f"{at}.{name}")
        else:
            found.append((name.lower().encode(), value.encode()))
    return tuple(found)


def _check(name: str, context: CompileContext, at: str) -> None:
    if not name or not set(name.lower()) <= _TOKEN:
        context.fail(f"{name!r} is not a header name", at)
    elif name.lower() in _RESERVED or name.lower().startswith("x-sluicegate-"):
        context.fail(f"{name!r} is the gateway's own to handle", at)
