"""A guard of your own: a service that is asked what to think of requests and answers."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import msgspec

from policies.guardrails._consulted import Consulted, ConsultedConfig, Finding, Said, Span, check
from proxy.exchange import Exchange
from proxy.guarding.service import Service, ServiceFailed
from proxy.guarding.verdict import Direction
from proxy.policy import CompileContext
from proxy.units import Secret

_LONGEST = 1000  # characters of a message to the caller


class WebhookConfig(ConsultedConfig, frozen=True, kw_only=True):
    """``secret``: base64 of the key by which questions are signed. ``action``: do as the service says, or only tell of
    it."""

    url: str
    secret: Secret | None = None
    action: Literal["follow", "warn", "shadow"] = "follow"


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a service may say; anything else is no answer."""

    verdict: Literal["pass", "block", "redact", "warn"]
    spans: list[Span] = []
    message: str = ""


_READ = msgspec.json.Decoder(_Answer)


class Webhook(Consulted):
    """Asks in JSON; the contract stands in the schema."""

    __slots__ = ("_action", "_service")

    name: ClassVar[str] = "webhook"
    Config = WebhookConfig

    def __init__(self, config: WebhookConfig, service: Service, context: CompileContext) -> None:
        super().__init__(config, context)
        self._action = config.action
        self._service = service

    @classmethod
    def compile(cls, config: WebhookConfig, context: CompileContext) -> Self:
        secret = None if config.secret is None else config.secret.reveal()
        return cls(config, context.service(config.url, secret, float(config.timeout)), context)

    async def consult(self, x: Exchange, phase: Direction, texts: list[Said]) -> Finding:
        who = x.identity
        asked = {
            "version": 1,
            "phase": phase,
            "request_id": x.request_id,
            "route": x.route,
            "model": x.model,
            "identity": None if who is None else {"organisation": who.organisation, "team": who.team, "key": who.key},
            "texts": [one._asdict() for one in texts],
        }
        body = await self._service.ask(f"guard_{x.request_id}_{phase}", msgspec.json.encode(asked))
        try:
            found = _READ.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ServiceFailed("an answer that is none of the contract's") from None
        message = found.message if found.message.isprintable() else ""
        finding = Finding(found.verdict, (), tuple(found.spans), message[:_LONGEST])
        if self._action == "follow" or finding.verdict == "pass":
            return finding
        check(finding, texts)
        return Finding(self._action)
