"""``kind: bedrock``: models of AWS Bedrock by Converse and ConverseStream; its guardrails by ApplyGuardrail."""

from __future__ import annotations

import re
from typing import Any, Literal

from yarl import URL

from proxy.dialects.dialect import Aim
from proxy.errors import Header, ModelNotFound, Rejected
from proxy.exchange import Exchange
from proxy.policy import Answer, Timeouts
from proxy.policy import Config as Plain
from proxy.providers.account import Call
from proxy.providers.aws import Access, AWSAccount, AWSConfig, check_access, check_base, check_headers, segment
from proxy.providers.capabilities import Known
from proxy.providers.provider import ProviderContext
from proxy.translation.attempt import Turn
from proxy.units import Secret

# An inference profile over several regions. Tokens are counted by the model alone, mostly.
_PROFILE = re.compile(r"(?:us|us-gov|eu|apac|jp|au|ca|sa|global)\.(?=[a-z0-9-]+\.)")
_VERSION = re.compile(r"[1-9][0-9]{0,7}|DRAFT")  # of a guardrail
_MAX_DOORS = 1024  # addresses that are remembered; models' names may come from callers


class Guardrail(Plain, frozen=True, kw_only=True):
    """A guardrail of the account that every request passes."""

    id: str
    version: str = "DRAFT"
    trace: Literal["enabled", "disabled", "enabled_full"] | None = None
    stream: Literal["sync", "async"] | None = None


class Bedrock(AWSAccount):
    """Models, inference profiles and whatever else Bedrock takes for a model: ids and ARNs."""

    __slots__ = ("_adds", "_doors")

    service = "bedrock"

    class Config(AWSConfig, frozen=True, kw_only=True):
        """As in ``schemas/providers/bedrock.json``."""

        kind: Literal["bedrock"] = "bedrock"
        api_key: Secret | None = None
        api_keys: list[Secret] = []
        guardrail: Guardrail | None = None
        latency: Literal["standard", "optimized"] | None = None

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> Bedrock | None:
        """Check region and address, find out how to prove who we are."""
        constant = check_headers(config, context)
        access = check_access(config, context, api_keys=True)
        base = check_base(config, f"bedrock-runtime.{config.region}", context)
        if access is None or base is None:
            return None
        return cls(name, base, access, constant, config, context)

    def __init__(
        self,
        name: str,
        base: URL,
        access: Access,
        constant: list[Header],
        config: Config,
        context: ProviderContext,
    ) -> None:
        super().__init__(name, base, access, constant, config, context, speaks=("bedrock",))
        self.known = Known("bedrock", config.models)
        self._adds: dict[str, Any] = {}
        if config.guardrail is not None:
            self._adds["guardrailConfig"] = _guardrail(config.guardrail)
        if config.latency is not None:
            self._adds["performanceConfig"] = {"latency": config.latency}
        self._doors: dict[tuple[str, str], URL] = {}

    def aim(self, model: str) -> Aim:
        """By the model's name."""
        return Aim(model=model, capabilities=self.known.of(model), adds=self._adds)

    def address(self, x: Exchange, model: str | None) -> URL:
        """Of a guardrail, which is called by its id or ARN, and perhaps its version behind a colon."""
        if x.endpoint.name != "guardrail":
            return super().address(x, model)
        name = model or x.model
        guardrail, _, version = name.rpartition(":")
        if not _VERSION.fullmatch(version):
            guardrail, version = name, "DRAFT"
        return URL(f"{self._base}/guardrail/{segment(guardrail)}/version/{version}/apply", encoded=True)

    def door(self, x: Exchange, turn: Turn, model: str) -> URL:
        """The model stands in the path, with the colons and slashes of an ARN encoded."""
        if turn.counts:
            return self._door(_PROFILE.sub("", model, count=1), "count-tokens")
        return self._door(model, "converse-stream" if turn.stream else "converse")

    def _door(self, model: str, verb: str) -> URL:
        found = self._doors.get((model, verb))
        if found is None:
            if len(self._doors) >= _MAX_DOORS:
                self._doors.clear()
            found = URL(f"{self._base}/model/{segment(model)}/{verb}", encoded=True)
            self._doors[model, verb] = found
        return found

    async def _dispatch(self, x: Exchange, call: Call, model: str, timeouts: Timeouts) -> Answer:
        """Some regions know a model by its profile only: then that is asked to count."""
        try:
            return await super()._dispatch(x, call, model, timeouts)
        except (ModelNotFound, Rejected):
            profile = self._door(model, "count-tokens")
            if x.endpoint.operation != "count_tokens" or call.url == profile:
                raise
        return await super()._dispatch(x, call._replace(url=profile), model, timeouts)


def _guardrail(config: Guardrail) -> dict[str, Any]:
    """As Converse takes it."""
    said = {"guardrailIdentifier": config.id, "guardrailVersion": config.version}
    if config.trace is not None:
        said["trace"] = config.trace
    if config.stream is not None:
        said["streamProcessingMode"] = config.stream
    return said
