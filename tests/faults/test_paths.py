"""SEC-07: a path is what its bytes say. What is not exactly a route never reaches a provider, however it is spelled."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.traffic import HEADERS, as_named, at_once, code_of, config, named, told
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

SEED = 20260105
COUNT = 5000
_BODY = b'{"model": "slow", "input": "x", "messages": []}'
# Written down anew from the documented API, not taken from the gateway.
EXACT = {
    *(
        ("POST", f"/v1/{name}")
        for name in ("chat/completions", "completions", "embeddings", "responses", "moderations")
    ),
    *(("POST", f"/v1/{name}") for name in ("rerank", "images/generations", "audio/speech", "files", "batches")),
    *(("GET", f"/v1/{name}") for name in ("files", "batches", "chat/completions")),
}
BELOW = [
    ("GET", "/v1/files/file-1"),
    ("DELETE", "/v1/files/file-1"),
    ("GET", "/v1/files/file-1/content"),
    ("GET", "/v1/batches/batch_1"),
    ("POST", "/v1/batches/batch_1/cancel"),
    ("GET", "/v1/responses/resp_1"),
    ("DELETE", "/v1/responses/resp_1"),
    ("POST", "/v1/responses/resp_1/cancel"),
    ("GET", "/v1/chat/completions/chatcmpl-1"),
    ("GET", "/v1/chat/completions/chatcmpl-1/messages"),
]
# Below these anything may be named, as long as it is a name.
_NAMES = re.compile(r"/v1/(files|batches|responses|chat/completions)(/[\w:~-][\w.:~-]*)+", re.ASCII)
_ELSEWHERE = [
    "/admin",
    "/v1/admin",
    "/",
    "/v1",
    "/v2/files",
    "/metrics",
    "/healthz",
    "/readyz",
    "/v1/fine_tuning/jobs",
    "/v1/models",
]
_BETWEEN = [
    "//",
    "/./",
    "/../",
    "/..;/",
    "/%2e/",
    "/%2e%2e/",
    "%2f",
    "%2F",
    "%5c",
    "\\",
    "/;/",
    "/%00/",
    "/%252e%252e/",
    "/.%2e/",
    "///",
    "/v1/",
]
_BEHIND = [
    "/",
    ".",
    "..",
    "/.",
    "/..",
    "/../admin",
    ";",
    ";a=b",
    "%20",
    "%00",
    "%0d%0a",
    "#x",
    "?",
    "?a=b",
    "?model=x",
    "*",
    "~",
    "/../../metrics",
    "%2e",
    "%3f",
    "%23",
    ":",
    "@evil",
]
_BEFORE = [
    "/",
    "//",
    "/.",
    "/..",
    "/./",
    "/v1/..",
    "/admin/..",
    "http://test",
    "http://TEST",
    "https://test",
    "http://test:80",
    "http://evil",
    "http://test@evil",
    "//evil",
    "*",
    "\\",
    "test",
    "",
    "/%2e%2e",
    "/x/%2e%2e",
]


def _spell(chance: random.Random, path: str) -> str:
    """One more way to write ``path``, or nearly."""
    kind = chance.randrange(7)
    slashes = [at for at, sign in enumerate(path) if sign == "/"] or [0]
    at = chance.randrange(len(path)) if path else 0
    if kind == 0:
        at = chance.choice(slashes)
        return path[:at] + chance.choice(_BETWEEN) + path[at + 1 :]
    if kind == 1:
        return path + chance.choice(_BEHIND)
    if kind == 2:
        return chance.choice(_BEFORE) + path
    if kind == 3:
        return path[:at] + path[at : at + 1].swapcase() + path[at + 1 :]
    if kind == 4:
        sign = path[at : at + 1].encode("latin-1")
        code = "".join(f"%{byte:02x}" if chance.random() < 0.5 else f"%{byte:02X}" for byte in sign)
        return path[:at] + (code if chance.random() < 0.8 else code.replace("%", "%25")) + path[at + 1 :]
    if kind == 5:
        return path[:at] + chance.choice(["é", "\x01", "\t", " ", "%", "%g0", "&", "=", ",", "..", "_"]) + path[at:]
    return path[:at] + path[at + 1 :]


def _targets() -> list[tuple[str, str]]:
    chance = random.Random(SEED)
    roots = [*sorted(EXACT), *BELOW, *((method, path) for path in _ELSEWHERE for method in ("GET", "POST"))]
    found = [*sorted(EXACT), *BELOW]
    while len(found) < COUNT:
        method, path = chance.choice(roots)
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            path = _spell(chance, path)
        found.append(
            (method if chance.random() < 0.8 else chance.choice(["GET", "POST", "DELETE", "PUT", "HEAD"]), path)
        )
    return found


def _path_of(target: str) -> str:
    """The path of a request target; of an absolute one, if it names the host of the `Host` header."""
    return re.sub(r"^https?://test(:80)?(?=/)", "", target, flags=re.IGNORECASE).partition("?")[0]


def _is_route(method: str, target: str) -> bool:
    """Whether these bytes, and no interpretation of them, name a route."""
    path = _path_of(target)
    return (method, path) in EXACT or (_NAMES.fullmatch(path) is not None and method in ("GET", "POST", "DELETE"))


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file, every policy on."""
    return module_gateway(config(upstream_process.url))


async def test_only_exact_paths_reach_the_provider(running: Gateway, upstream: FakeUpstream) -> None:
    """5,000 seeded spellings, all with a valid key: the provider sees the routes, byte for byte, and nothing else."""
    targets = _targets()

    async def one(wire: Wire, job: tuple[int, tuple[str, str]]) -> tuple[int, bytes]:
        number, (method, target) = job
        if method == "HEAD":  # without a body in its answer it would confuse this client
            method = "PATCH"
        await wire.request(method, target, _BODY if method != "GET" else b"", as_named(str(number)))
        status, body, how = await told(wire)
        assert how == "whole", (method, target)
        return status, body

    answers = await at_once(running.port, enumerate(targets), one)
    seen = named(upstream.journal().requests())
    for number, (method, target) in enumerate(targets):
        status, body = answers[number]
        reached = seen.get(str(number))
        if reached is None:
            assert not (_is_route(method, target) and status == 200), (method, target)
            # 401 and 403: what begins with /admin/ is no business of a caller.
            assert status in (200, 400, 401, 403, 404, 405, 414), (method, target, status)
            if status != 200:
                assert code_of(body)
            else:  # the gateway's own, and only by their own names
                assert _path_of(target) in _OWN, target
            continue
        assert _is_route(method, target), (method, target, reached["path"])
        assert (reached["method"], reached["path"]) == (method, _path_of(target))
        assert not re.search(r"%|//|/\.|;|\\", reached["path"])
    assert len(upstream.journal().requests()) == len(seen)
    assert all(str(number) in seen for number in range(len(EXACT) + len(BELOW)))
    assert len(seen) > len(EXACT) + len(BELOW) + 100
    assert "Traceback" not in running.output()


_OWN = {"/healthz", "/readyz", "/metrics", "/v1/models"}


async def test_the_host_header_decides_nothing(running: Gateway, upstream: FakeUpstream) -> None:
    """Whatever is said about the host, path and verdict stay the same, and none of it reaches the provider."""
    hosts = [
        "evil",
        "evil/v1/files?",
        "test@evil",
        "127.0.0.1:1",
        "[::1]",
        "a" * 250,
        "/",
        "",
        "evil#",
        "evil\\x",
        "x y",
    ]

    async def one(wire: Wire, host: str) -> int:
        lines = [
            f"POST /v1/embeddings HTTP/1.1\r\nhost: {host}",
            *(f"{key}: {value}" for key, value in HEADERS.items()),
        ]
        await wire.send("\r\n".join([*lines, f"content-length: {len(_BODY)}", "", ""]).encode() + _BODY)
        return (await told(wire))[0]

    assert set(await at_once(running.port, hosts, one)) <= {200, 400}
    for request in upstream.journal().requests():
        assert (request["path"], body_of(request)) == ("/v1/embeddings", _BODY)
        assert "evil" not in str(request["headers"])


async def test_headers_that_rewrite_paths_are_ignored(running: Gateway, upstream: FakeUpstream) -> None:
    """`X-Original-URL` and its like change neither route nor target."""
    names = [
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-prefix",
        "x-forwarded-uri",
        "x-http-method-override",
        "x-script-name",
    ]

    async def one(wire: Wire, name: str) -> int:
        await wire.request("POST", "/v1/embeddings", _BODY, {**HEADERS, name: "/admin"})
        return (await told(wire))[0]

    assert set(await at_once(running.port, names, one)) == {200}
    assert {request["path"] for request in upstream.journal().requests()} == {"/v1/embeddings"}
