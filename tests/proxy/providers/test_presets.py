"""Services by name: every row makes sense, and requests to them are edited no more than they must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from proxy.dialects.fit import REFUSABLE
from proxy.dialects.openai_chat.body import QUIRKS
from proxy.dialects.table import DIALECTS
from proxy.errors import Unsupported
from proxy.providers.presets import COHERE, MISTRAL, PRESETS, REFUSED, Preset
from proxy.providers.provider import Provider
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
LOCAL = {"llamacpp", "lmstudio", "ollama", "vllm"}
ALL = {**PRESETS, "mistral": MISTRAL, "cohere": COHERE}


@pytest.mark.parametrize("name", ALL)
def test_a_preset_names_only_what_there_is(name: str) -> None:
    preset: Preset = ALL[name]
    url, source = urlsplit(preset.base_url), urlsplit(preset.source)
    assert url.scheme == ("http" if name in LOCAL else "https")
    assert (url.hostname == "127.0.0.1") is (name in LOCAL)
    assert not preset.base_url.endswith("/")
    assert source.scheme == "https"
    assert preset.quirks <= QUIRKS.keys()
    assert preset.refuses <= REFUSABLE
    assert set(preset.speaks) <= DIALECTS.keys()
    assert REFUSED[name] == preset.refuses


def test_every_quirk_has_somebody_who_has_it() -> None:
    """Those that depend on the model are added by the kind of account."""
    assert QUIRKS.keys() - {"low_to_high"} == set().union(*(preset.quirks for preset in ALL.values())) | {
        "none_or_high"
    }


def test_a_preset_brings_address_and_abilities(account: Make) -> None:
    provider: Provider = account("openai", preset="groq")
    assert provider.describe() == "https://api.groq.com/openai/v1"
    assert provider.speaks == ("openai_chat",)
    aim = provider.aim("llama-3.3-70b-versatile")
    assert {"logit_bias", "n"} <= aim.capabilities.refuses
    assert "no_names" in aim.quirks


def test_the_file_has_the_last_word(account: Make) -> None:
    models = {"*": {"accepts": ["logit_bias"], "refuses": ["seed"]}}
    provider: Provider = account(
        "openai", preset="groq", base_url="http://127.0.0.1:9/v1", api="responses", models=models
    )
    assert provider.describe() == "http://127.0.0.1:9/v1"
    assert provider.speaks[0] == "openai_responses"
    refused = provider.aim("any").capabilities.refuses
    assert "logit_bias" not in refused
    assert {"seed", "logprobs"} <= refused


def test_a_preset_that_does_not_exist_is_a_problem(account: Make, context: Any) -> None:
    assert account("openai", preset="grok") is None
    assert [place for place, _ in context.problems] == ["preset"]


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if "openai_chat" in preset.speaks])
async def test_a_plain_request_passes_byte_for_byte(
    name: str, upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    """Odd spaces, escapes, members that nobody knows."""
    body = b'{ "zz":[1e400, "\\u00e9"] ,"model" :\t"m","messages":[{"role":"user","content":"hi \xc3\xa9"}],"zz":2 }'
    answer = await ask(account("openai", preset=name, base_url=upstream.url), body)
    assert body_of(upstream.journal().requests()[0]) == body
    assert answer.dropped == ()


async def test_what_a_service_refuses_is_cut_out_and_named(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    body = (
        b'{"logit_bias": {"1": 5}, "model":"m","n":1,  "messages":[{"role":"user","content":"\\u00e9","name":"ada"}],'
        b'"logprobs":false ,"top_logprobs":null}'
    )
    answer = await ask(account("openai", preset="groq", base_url=upstream.url), body, model="other")
    assert body_of(upstream.journal().requests()[0]) == (
        b'{"model":"other",  "messages":[{"role":"user","content":"\\u00e9"}]}'
    )
    assert answer.dropped == ("logit_bias", "messages[0].name")


async def test_a_route_that_refuses_losses_asks_another(account: Make, exchange: Make) -> None:
    x = exchange({"model": "m", "messages": [{"role": "user", "content": "hi"}], "logit_bias": {"1": 1}})
    x.on_loss = "refuse"
    with pytest.raises(Unsupported, match="logit_bias"):
        account("openai", preset="groq").preview(x, "m")


async def test_without_a_preset_nothing_is_cut(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    body = msgspec.json.encode({"model": "gpt-5", "messages": [], "temperature": 0.5, "logit_bias": {"1": 5}})
    await ask(account("openai", base_url=upstream.url), body)
    assert body_of(upstream.journal().requests()[0]) == body


async def test_a_service_without_state_is_asked_in_chat(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """So that conversations of the Responses API can be kept here."""
    provider = account("openai", preset="groq", base_url=upstream.url)
    await ask(provider, {"model": "m", "input": "hi"}, "/v1/responses")
    assert upstream.journal().requests()[0]["path"] == "/v1/chat/completions"
