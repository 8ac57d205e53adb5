"""Every client with every provider: one gateway that leads to all five dialects, and what each pair cannot do."""

from __future__ import annotations

import itertools
from typing import Any

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.judged.request import Request
from tests.support.judged.table import JUDGES
from tests.support.talk.table import CLIENTS
from tests.support.talk.talk import OUT, Talk, Wishes
from tests.support.upstream import FakeUpstream
from tests.upstream.dialects.table import place_of
from tests.upstream.failures import SECRET

# By outbound dialect: the kind of provider, and a model that can do as much as any of its kind.
PROVIDERS = {
    "openai_chat": "kind: openai, api_key: {secret}, base_url: {origin}/v1",
    "openai_responses": "kind: openai, api: responses, api_key: {secret}, base_url: {origin}/v1",
    "anthropic_messages": "kind: anthropic, api_key: {secret}, base_url: {origin}",
    "gemini": "kind: gemini, api_key: {secret}, base_url: {origin}",
    "bedrock": "kind: bedrock, region: us-east-1, base_url: {origin}",
}
MODELS = {
    "openai_chat": "gpt-5.1-{}",
    "openai_responses": "gpt-5.1-{}",
    "anthropic_messages": "claude-sonnet-4-5-{}",
    "gemini": "gemini-2.5-flash-{}",
    "bedrock": "anthropic.claude-sonnet-4-5-{}",
}
INBOUND = list(CLIENTS)
OUTBOUND = list(PROVIDERS)
PAIRS = [(inbound, outbound) for inbound in INBOUND for outbound in OUTBOUND]
_AWS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_NUMBERS = itertools.count(1)


def is_spliced(inbound: str, outbound: str) -> bool:
    """Whether the provider speaks the client's dialect; an account of OpenAI's speaks both of OpenAI's."""
    return inbound == outbound or {inbound, outbound} == {"openai_chat", "openai_responses"}


def spoken(inbound: str, outbound: str) -> str:
    """The dialect in which the provider is asked."""
    return inbound if is_spliced(inbound, outbound) else outbound


def config(origin: str) -> str:
    """A file with a provider for each dialect; a header of the client's chooses."""
    lines = ["listen: 127.0.0.1:8080", "providers:"]
    for name, text in PROVIDERS.items():
        lines.append(f"  {name}: {{{text.format(secret=SECRET, origin=origin)}}}")
    lines.append("routes:")
    for name in PROVIDERS:
        lines += [f"  {name}:", f"    match: {{header: {{{OUT}: {name}}}}}", f"    target: {name}/*"]
    return "\n".join(lines) + "\n"


def start(make: Any, upstream: FakeUpstream) -> Gateway:
    """The gateway of a test file."""
    found: Gateway = make(config(upstream.origin), env=_AWS)
    return found


class Pair:
    """One client and one provider, and what they say to each other."""

    def __init__(self, gateway: Gateway, upstream: FakeUpstream, inbound: str, outbound: str) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.inbound = inbound
        self.outbound = outbound
        self.spoken = spoken(inbound, outbound)
        self.model = MODELS[outbound].format(next(_NUMBERS))
        self._talks: list[Talk] = []

    def talk(self, **wishes: Any) -> Talk:
        """A conversation of the client."""
        made = CLIENTS[self.inbound](self.gateway.origin, self.outbound, self.model, Wishes(**wishes))
        self._talks.append(made)
        return made

    def says(self, **script: Any) -> None:
        """What the provider answers from now on."""
        self.upstream.tell(self.model, **script)

    def asked(self) -> Request:
        """What the provider was asked last."""
        seen = self.upstream.journal().requests()[-1]
        place = place_of(seen["path"])
        assert place is not None
        assert place.counts or place.dialect == self.spoken
        return JUDGES[place.dialect](body_of(seen), seen["path"])

    async def close(self) -> None:
        """Close the client's connections."""
        for talk in self._talks:
            await talk.close()
