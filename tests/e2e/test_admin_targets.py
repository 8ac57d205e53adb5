"""Operators see targets and take them out, while requests come in; nobody else does."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream

KEY = "sk-operator-of-the-tests"
_numbers = itertools.count(1)


class Operated:
    """A gateway that balances over two models of the fake upstream."""

    def __init__(self, gateway: Callable[..., Gateway], upstream: FakeUpstream) -> None:
        number = next(_numbers)
        self.upstream = upstream
        self.models = [f"operated{number}-{at}" for at in range(2)]
        self.names = [f"up/{model}" for model in self.models]
        self.gateway = gateway(self.config())

    def config(self, more: str = "") -> str:
        """The file, with ``more`` at its top."""
        return f"""{more}
health: {{failures: 3, eject: 300s}}
retries: {{max: 0}}
providers:
  up: {{kind: openai, base_url: "{self.upstream.url}", api_key: sk-upstream}}
routes:
  chat: {{models: [chat], target: {{balance: {{by: round_robin, of: [{", ".join(self.names)}]}}}}}}
"""

    def call(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """An operator's request as curl sends it; status and answer. Names of headers with ``_`` for ``-``."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=10)
        try:
            content = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", path, content, sent)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def tell(self, at: int, **order: str) -> dict[str, Any]:
        """Do something to one of the two; what it is then."""
        status, found = self.call(f"/admin/targets/{self.names[at]}", order)
        assert status == 200, found
        seen: dict[str, Any] = found
        return seen

    def states(self) -> list[str]:
        """Of both."""
        return [one["state"] for one in self.call("/admin/targets")[1]["targets"]]

    def asked(self, count: int = 8) -> list[int]:
        """Send so many requests, all of which must be answered; how many reached each model, by the journal."""
        self.upstream.journal().mark()
        for _ in range(count):
            body = {"model": "chat", "messages": [{"role": "user", "content": "Hello"}]}
            assert self.call("/v1/chat/completions", body)[0] == 200
        found = Counter(json.loads(body_of(request))["model"] for request in self.upstream.journal().requests())
        return [found[model] for model in self.models]


@pytest.fixture
def operated(gateway: Callable[..., Gateway], upstream: FakeUpstream) -> Operated:
    return Operated(gateway, upstream)


@pytest.mark.parametrize(("action", "state"), [("drain", "drained"), ("eject", "open")])
async def test_a_target_that_is_taken_out_is_not_asked(operated: Operated, action: str, state: str) -> None:
    """Others answer for it, at once and for all callers; over a change of the file; until it is restored."""
    assert min(operated.asked()) >= 3
    seen = operated.tell(0, action=action, **{"for": "1h", "reason": "work on the line"})
    assert (seen["state"], seen["routes"]) == (state, ["chat"])
    assert operated.asked() == [0, 8]

    line = await operated.gateway.logged("admin.targets", target=operated.names[0])
    assert (line["action"], line["seconds"], line["reason"], line["who"]) == (
        action,
        3600.0,
        "work on the line",
        "(loopback)",
    )

    operated.gateway.write(operated.config("timeouts: {connect: 4s}"))
    await operated.gateway.reloaded(2)
    assert operated.states() == [state, "closed"]
    assert operated.asked() == [0, 8]

    assert operated.tell(0, action="restore")["state"] == "closed"
    assert min(operated.asked()) >= 3


def test_when_all_are_drained_callers_are_told(operated: Operated) -> None:
    """A drained target is not even tried, unlike an ejected one."""
    for at in range(2):
        operated.tell(at, action="drain")
    operated.upstream.journal().mark()
    body = {"model": "chat", "messages": [{"role": "user", "content": "Hello"}]}
    status, answer = operated.call("/v1/chat/completions", body)
    assert (status, answer["error"]["code"]) == (503, "no_target_available")
    assert not operated.upstream.journal().requests()


def test_what_happened_is_seen(operated: Operated) -> None:
    """Real failures and real answers; as a table too."""
    operated.upstream.tell(operated.models[0], status=503)
    assert operated.asked(12)[0] == 3, "the other answers, and after three failures it is left alone"
    bad, good = operated.call("/admin/targets")[1]["targets"]
    assert (bad["name"], bad["state"], bad["ejections"]) == (operated.names[0], "open", 1)
    assert bad["last_failure"] in ("unavailable", "overloaded")
    assert 200 < bad["seconds"] <= 300
    assert (good["state"], good["seconds"], good["last_failure"], good["in_flight"]) == ("closed", None, None, 0)
    assert 0 < good["first_token_ms"]["p50"] <= good["first_token_ms"]["p95"]
    status, text = operated.gateway.get("/admin/targets?format=text")
    assert status == 200
    assert [line.split()[:2] for line in text.decode().splitlines()[1:]] == [
        [operated.names[0], "open"],
        [operated.names[1], "closed"],
    ]
    operated.upstream.tell(operated.models[0])
    operated.tell(0, action="restore")
    assert min(operated.asked()) >= 3


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://localhost:3000"},
        {"host": "evil.example"},
        {"x_forwarded_for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"content_type": "text/plain"},
    ],
    ids=["a page", "a name made to point here", "a proxy", "another proxy", "a form"],
)
def test_who_is_no_operator_is_refused(operated: Operated, headers: dict[str, str]) -> None:
    """Nothing is done, and nothing but a sentence is said."""
    path = f"/admin/targets/{operated.names[0]}"
    status, answer = operated.call(path, {"action": "drain"}, **headers)
    assert (status, answer["error"]["code"]) == (403, "admin_not_allowed")
    if "content_type" not in headers:
        assert operated.call("/admin/targets", **headers)[0] == 403
    assert operated.states() == ["closed", "closed"]
    assert not operated.gateway.log("admin.targets")


async def test_with_keys_in_the_file_one_is_needed(operated: Operated) -> None:
    """From the next generation on, also from this machine; removed, the old way holds again."""
    assert operated.states() == ["closed", "closed"]
    hashed = hashlib.sha256(KEY.encode()).hexdigest()
    operated.gateway.write(operated.config(f'admin: {{keys: {{ada: {{hash: "sha256:{hashed}"}}}}}}'))
    await operated.gateway.reloaded(2)
    path = f"/admin/targets/{operated.names[0]}"
    for sent in ({}, {"authorization": "Bearer sk-wrong"}, {"x_api_key": KEY}):
        for body in (None, {"action": "drain"}):
            status, answer = operated.call(path, body, **sent)
            assert (status, answer["error"]["code"]) == (401, "invalid_admin_key")
    good = {"authorization": f"Bearer {KEY}", "host": "gateway.example", "x_forwarded_for": "10.0.0.1"}
    assert operated.call(path, {"action": "drain"}, **good)[1]["state"] == "drained"
    assert (await operated.gateway.logged("admin.targets"))["who"] == "ada"
    assert KEY not in operated.gateway.output()
    assert hashed not in operated.gateway.output()

    operated.gateway.write(operated.config())
    await operated.gateway.reloaded(3)
    assert operated.states() == ["drained", "closed"]


def test_a_body_has_a_bound(operated: Operated) -> None:
    """A long one is refused, and the gateway goes on."""
    path = f"/admin/targets/{operated.names[0]}"
    status, answer = operated.call(path, {"action": "drain", "reason": "x" * 20_000})
    assert (status, answer["error"]["code"]) == (413, "body_too_large")
    assert operated.states() == ["closed", "closed"]
