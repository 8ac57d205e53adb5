"""The policy `webhook`: what it asks, and which answers are answers. The wire is in ``tests/e2e``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from policies.guardrails._consulted import Finding, Said, Span, check
from policies.guardrails.webhook import Webhook, WebhookConfig
from proxy.exchange import Exchange, Identity
from proxy.guarding.service import ServiceFailed
from proxy.policy import CompileContext
from proxy.units import Duration, Secret
from tests.policies.conftest import Context


class Asking(Context):
    """With a service that answers as told, and keeps what it was asked."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[Any] = []

    def service(self, url: str, secret: str | None, patience: float) -> Asking:
        """Itself."""
        self.asked.append((url, secret, patience))
        return self

    async def ask(self, identity: str, body: bytes) -> bytes:  # type: ignore[override]
        """See ``proxy.guarding.service.Service``."""
        self.asked.append((identity, msgspec.json.decode(body)))
        return self.answer


def _webhook(context: Asking, **more: Any) -> Webhook:
    config = WebhookConfig(url="https://guard.example/", secret=Secret("c2VjcmV0"), timeout=Duration(0.5), **more)
    return Webhook.compile(config, cast(CompileContext, context))


async def _consult(answer: bytes, x: Exchange) -> Finding:
    return await _webhook(Asking(answer)).consult(x, "input", [Said("a", "user", "Hi")])


async def test_what_is_asked(exchange: Callable[..., Exchange]) -> None:
    context, x = Asking(b'{"verdict":"pass"}'), exchange()
    x.identity, x.route = Identity("acme", "search", "web"), "chat"
    await _webhook(context).consult(x, "output", [Said("a", "user", "Hi")])
    assert context.asked[0] == ("https://guard.example/", "c2VjcmV0", 0.5)
    assert context.asked[1] == (
        "guard_req_test_output",
        {
            "version": 1,
            "phase": "output",
            "request_id": "req_test",
            "route": "chat",
            "model": "gpt-4o",
            "identity": {"organisation": "acme", "team": "search", "key": "web"},
            "texts": [{"path": "a", "place": "user", "text": "Hi"}],
        },
    )


async def test_what_is_answered(exchange: Callable[..., Exchange]) -> None:
    assert await _consult(b'{"verdict":"warn"}', exchange()) == Finding("warn")
    answer = b'{"verdict":"redact","spans":[{"text":0,"start":0,"end":2,"label":"X"}]}'
    assert (await _consult(answer, exchange())).spans == (Span(0, 0, 2, "X"),)
    long = msgspec.json.encode({"verdict": "block", "message": "n" * 5000})
    assert len((await _consult(long, exchange())).message) == 1000
    assert (await _consult(b'{"verdict":"block","message":"a\\nb"}', exchange())).message == ""


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"[]",
        b'"pass"',
        b'{"verdict":"PASS"}',
        b'{"verdict":"pass","error":1}',
        b'{"verdict":null}',
        b"\xff",
    ],
)
async def test_what_is_none(answer: bytes, exchange: Callable[..., Exchange]) -> None:
    with pytest.raises(ServiceFailed, match="contract"):
        await _consult(answer, exchange())


@pytest.mark.parametrize("action", ["warn", "shadow"])
@pytest.mark.parametrize(
    ("answer", "finds"),
    [
        (b'{"verdict":"pass"}', False),
        (b'{"verdict":"warn"}', True),
        (b'{"verdict":"block","message":"No"}', True),
        (b'{"verdict":"redact","spans":[{"text":0,"start":0,"end":2}]}', True),
    ],
)
async def test_a_service_may_be_tried_out(
    action: Any, answer: bytes, finds: bool, exchange: Callable[..., Exchange]
) -> None:
    """What it says is told, and nothing is done about it; what is no answer is a failure all the same."""
    policy = _webhook(Asking(answer), action=action)
    found = await policy.consult(exchange(), "input", [Said("a", "user", "Hi")])
    assert found == Finding(action if finds else "pass")
    for wrong in (
        b"{}",
        b'{"verdict":"redact","spans":[]}',
        b'{"verdict":"pass","spans":[{"text":0,"start":0,"end":9}]}',
    ):
        policy = _webhook(Asking(wrong), action=action)
        with pytest.raises(ServiceFailed):
            check(await policy.consult(exchange(), "input", [Said("a", "user", "Hi")]), [Said("a", "user", "Hi")])
