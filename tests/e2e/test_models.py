"""The official clients list the models that are open to their key, in their own shapes and pages."""

from __future__ import annotations

import hashlib
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types

# Google's client extends a class of aiohttp's.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")

OPEN = [f"model-{number}" for number in range(5)]


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


CONFIG = f"""
listen: 127.0.0.1:8080
providers:
  sim: {{kind: simulated}}
tenants:
  acme:
    teams:
      some: {{models: ["model-*"], keys: {{web: {{hash: "sha256:{_hash("sk-some")}"}}}}}}
      all: {{keys: {{web: {{hash: "sha256:{_hash("sk-all")}"}}}}}}
policies:
  standard: [authenticate, allow_models]
routes:
  many: {{models: [{", ".join(OPEN)}], policies: [{{use: standard}}], target: sim/echo}}
  hidden: {{models: [secret], policies: [{{use: standard}}], target: sim/echo}}
"""


@pytest.fixture
def running(gateway: Any) -> Any:
    """A gateway with six models, one of which is not for everybody."""
    return gateway(CONFIG)


@pytest.mark.parametrize(("key", "found"), [("sk-some", OPEN), ("sk-all", [*OPEN, "secret"])])
def test_openais_client_lists_what_is_open(key: str, found: list[str], running: Any) -> None:
    with openai.OpenAI(base_url=running.url, api_key=key, max_retries=0) as client:
        assert [model.id for model in client.models.list()] == found
        assert client.models.retrieve("model-3").id == "model-3"
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve("secret" if key == "sk-some" else "other")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(("key", "found"), [("sk-some", OPEN), ("sk-all", [*OPEN, "secret"])])
def test_anthropics_client_pages_through_what_is_open(key: str, found: list[str], running: Any) -> None:
    """Forwards and backwards."""
    with anthropic.Anthropic(base_url=running.origin, api_key=key, max_retries=0) as client:
        assert [model.id for model in client.models.list(limit=2)] == found
        assert [model.id for model in client.models.list(limit=2, before_id="model-3")] == [
            "model-1",
            "model-2",
            "model-0",
        ]
        one = client.models.retrieve("model-3")
        assert (one.id, one.display_name, one.type, one.created_at.year) == ("model-3", "model-3", "model", 1970)
        with pytest.raises(anthropic.NotFoundError) as missing:
            client.models.retrieve("secret" if key == "sk-some" else "other")
        with pytest.raises(anthropic.BadRequestError):
            client.models.list(limit=-1)
    assert missing.value.type == "not_found_error"


@pytest.mark.parametrize("version", ["v1beta", "v1"])
@pytest.mark.parametrize(("key", "found"), [("sk-some", OPEN), ("sk-all", [*OPEN, "secret"])])
def test_googles_client_pages_through_what_is_open(key: str, found: list[str], version: str, running: Any) -> None:
    options = types.HttpOptions(base_url=running.origin, api_version=version)
    with genai.Client(api_key=key, http_options=options) as client:
        assert [model.name for model in client.models.list(config={"page_size": 2})] == [f"models/{n}" for n in found]
        one = client.models.get(model="model-3")
        assert (one.name, one.display_name) == ("models/model-3", "model-3")
        assert one.supported_actions == ["generateContent", "countTokens"]
        with pytest.raises(errors.ClientError) as caught:
            client.models.get(model="secret" if key == "sk-some" else "other")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_a_wrong_key_is_refused_in_each_dialect(running: Any) -> None:
    """Nobody learns what is here."""
    with (
        openai.OpenAI(base_url=running.url, api_key="no", max_retries=0) as first,
        anthropic.Anthropic(base_url=running.origin, api_key="no", max_retries=0) as second,
        genai.Client(api_key="no", http_options=types.HttpOptions(base_url=running.origin)) as third,
    ):
        with pytest.raises(openai.AuthenticationError):
            first.models.list()
        with pytest.raises(anthropic.AuthenticationError):
            second.models.list()
        with pytest.raises(errors.ClientError) as caught:
            list(third.models.list())
    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")
