"""Accounts at AWS Bedrock against the fake upstream: addresses, proofs, streams, what the file says of guardrails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from botocore.credentials import Credentials  # type: ignore[import-untyped]
from botocore.serialize import create_serializer  # type: ignore[import-untyped]

from proxy.asking import consult
from proxy.errors import BadCredential, ContextTooLong, Overloaded, RateLimited, Rejected, Unsupported
from proxy.policy import Timeouts
from proxy.providers.bedrock import Bedrock
from proxy.targets.leaf import Leaf
from tests.support.aws import check_signature
from tests.support.compiled import make_exchange
from tests.support.heard.bedrock import model as description
from tests.support.journal import body_of, header_of
from tests.support.judged.bedrock import judge
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
OWN = Credentials("AKIDEXAMPLE", "secret/+key")
STATIC = {"access_key_id": OWN.access_key, "secret_access_key": OWN.secret_key}
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"
CHAT: dict[str, Any] = {"model": "any", "messages": [{"role": "user", "content": "hi"}]}
STREAM = CHAT | {"stream": True}
ANTHROPIC: dict[str, Any] = {"model": "any", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def bedrock(account: Make, upstream: FakeUpstream) -> Make:
    """``bedrock(…)``: an account at the fake upstream, with credentials of the file."""

    def make(**config: Any) -> Any:
        wanted = {"region": "us-east-1", "base_url": upstream.origin} | config
        return account("bedrock", **(wanted if "api_key" in config else STATIC | wanted))

    return make


@pytest.mark.parametrize("model", [CLAUDE, PROFILE, "amazon.nova-lite-v1:0"])
@pytest.mark.parametrize("token", [None, "to/ken=="])
async def test_requests_are_signed(
    model: str, token: str | None, bedrock: Make, upstream: FakeUpstream, ask: Make
) -> None:
    """The colons and slashes of a model's name are encoded, in the path once and in what is signed twice."""
    provider = bedrock(**({"session_token": token} if token else {}))
    answer = await ask(provider, CHAT, model=model)
    sent = upstream.journal().requests()[0]
    assert sent["path"] == f"/model/{quote(model, safe='')}/converse"
    check_signature(upstream.origin, sent, Credentials(OWN.access_key, OWN.secret_key, token), "bedrock", "us-east-1")
    assert judge(body_of(sent), sent["path"]).model == model
    assert msgspec.json.decode(answer.body)["object"] == "chat.completion"


@pytest.mark.parametrize("model", [CLAUDE, PROFILE, "amazon.nova-lite-v1:0"])
async def test_paths_are_those_of_the_official_client(
    model: str, bedrock: Make, upstream: FakeUpstream, ask: Make
) -> None:
    await ask(bedrock(), CHAT, model=model)
    given = {"modelId": model, "messages": [{"role": "user", "content": [{"text": "hi"}]}]}
    theirs = create_serializer("rest-json").serialize_to_request(given, description().operation_model("Converse"))
    assert upstream.journal().requests()[-1]["path"] == theirs["url_path"]


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
async def test_streams_come_however_they_are_framed(
    framing: str, bedrock: Make, upstream: FakeUpstream, ask: Make
) -> None:
    """Also one that has come whole before anybody looked."""
    upstream.tell(CLAUDE, framing=framing, text="to be or not")
    answer = await ask(bedrock(), STREAM, model=CLAUDE)
    upstream.tell(CLAUDE)
    sent = upstream.journal().requests()[-1]
    assert sent["path"].endswith("/converse-stream")
    assert answer.is_sse
    assert dict(answer.headers)[b"content-type"].startswith(b"text/event-stream")
    assert answer.body.endswith(b"data: [DONE]\n\n")
    deltas = [msgspec.json.decode(line[6:]) for line in answer.body.split(b"\n\n")[:-2]]
    said = [one["choices"][0]["delta"].get("content") or "" for one in deltas if one["choices"]]
    assert "".join(said) == "to be or not"


async def test_tokens_are_counted_by_bedrock(bedrock: Make, upstream: FakeUpstream, ask: Make) -> None:
    counting = {name: value for name, value in ANTHROPIC.items() if name != "max_tokens"}
    answer = await ask(bedrock(), counting, "/v1/messages/count_tokens", model=CLAUDE)
    sent = upstream.journal().requests()[-1]
    assert sent["path"].endswith("/count-tokens")
    judge(body_of(sent), sent["path"])
    assert msgspec.json.decode(answer.body)["input_tokens"] > 0


async def test_tokens_are_counted_by_the_model_and_else_by_its_profile(
    bedrock: Make, upstream: FakeUpstream, ask: Make
) -> None:
    """AWS takes the model's own id, but not in every region."""
    counting = {name: value for name, value in ANTHROPIC.items() if name != "max_tokens"}
    plain = CLAUDE.removeprefix("us.")
    for script, wanted in ({}, [plain]), ({"fails": "rejected"}, [plain, CLAUDE]):
        upstream.journal().mark()
        upstream.tell(plain, **script)
        answer = await ask(bedrock(), counting, "/v1/messages/count_tokens", model=CLAUDE)
        upstream.tell(plain)
        asked = [sent["path"] for sent in upstream.journal().requests() if sent["path"].startswith("/model/")]
        assert asked == [f"/model/{quote(one, safe='')}/count-tokens" for one in wanted]
        assert msgspec.json.decode(answer.body)["input_tokens"] > 0


async def test_what_cannot_count_is_not_asked(bedrock: Make, ask: Make) -> None:
    with pytest.raises(Unsupported):
        await ask(bedrock(), ANTHROPIC, "/v1/messages/count_tokens", model="mistral.pixtral-large-2502-v1:0")
    with pytest.raises(Unsupported):
        await ask(bedrock(), {"model": "m", "input": "x"}, "/v1/embeddings")


async def test_keys_of_bedrock_are_bearer_tokens(bedrock: Make, upstream: FakeUpstream, ask: Make) -> None:
    """In place of a signature; whatever the caller sends as its own credential stays behind."""
    forward = [(b"authorization", b"Bearer client"), (b"x-api-key", b"client"), (b"anthropic-version", b"1")]
    await ask(bedrock(api_key="bedrock-key-1"), CHAT, model=CLAUDE, forward=forward)
    sent = upstream.journal().requests()[-1]
    assert header_of(sent, "authorization") == "Bearer bedrock-key-1"
    assert {name for name, _ in sent["headers"]} <= {
        "host", "accept-encoding", "content-length", "content-type", "user-agent", "authorization",
    }  # fmt: skip


async def test_the_guardrail_of_the_file_stands_in_every_request(
    bedrock: Make, upstream: FakeUpstream, ask: Make
) -> None:
    """How it goes with a stream is said of streams alone."""
    guardrail = {"id": "gr1abc2def3", "version": "3", "trace": "enabled", "stream": "async"}
    provider = bedrock(guardrail=guardrail, latency="optimized")
    for body in (CHAT, STREAM):
        await ask(provider, body, model=CLAUDE)
    whole, stream = upstream.journal().requests()[-2:]
    said = {"guardrailIdentifier": "gr1abc2def3", "guardrailVersion": "3", "trace": "enabled"}
    found = msgspec.json.decode(body_of(whole))
    assert found["guardrailConfig"] == said
    assert found["performanceConfig"] == {"latency": "optimized"}
    found = msgspec.json.decode(body_of(stream))
    assert found["guardrailConfig"] == said | {"streamProcessingMode": "async"}
    for sent in (whole, stream):
        judge(body_of(sent), sent["path"])


async def test_a_failure_before_the_first_content_is_the_attempts(
    bedrock: Make, upstream: FakeUpstream, ask: Make
) -> None:
    with pytest.raises(RateLimited):
        await ask(bedrock(base_url=upstream.scripted(fails="rate_limited").removesuffix("/v1")), STREAM, model=CLAUDE)


@pytest.mark.parametrize(
    ("fails", "meaning"),
    [
        ("rate_limited", RateLimited),
        ("overloaded", Overloaded),
        ("context_too_long", ContextTooLong),
        ("bad_credential", BadCredential),
        ("rejected", Rejected),
    ],
)
async def test_refusals_have_their_meaning(
    fails: str, meaning: type[Exception], bedrock: Make, upstream: FakeUpstream, ask: Make
) -> None:
    provider = bedrock(base_url=upstream.scripted(fails=fails).removesuffix("/v1"))
    with pytest.raises(meaning):
        await ask(provider, CHAT, model=CLAUDE)


@pytest.mark.parametrize(
    ("config", "at"),
    [
        ({"base_url": "ftp://x"}, "base_url"),
        ({"region": "moon"}, "region"),
        ({"secret_access_key": None}, "secret_access_key"),
        ({"access_key_id": ""}, "access_key_id"),
        ({"session_token": "a", "access_key_id": None, "secret_access_key": None}, "access_key_id"),
        ({"profile": "p"}, "profile"),
        ({"external_id": "e"}, "external_id"),
        ({"api_key": "k", "profile": "p"}, "api_key"),
        ({"access_key_id": "a\nb"}, "access_key_id"),
        ({"headers": {"host": "x"}}, "headers.host"),
    ],
)
def test_what_makes_no_sense_is_a_problem_of_the_file(config: Any, at: str, bedrock: Make, context: Any) -> None:
    bedrock(**config)
    assert at in [place for place, _ in context.problems]


def test_an_account_says_where_it_goes_and_what_its_models_can(account: Make) -> None:
    provider: Bedrock = account("bedrock", region="eu-central-1", **STATIC)
    assert provider.describe() == "https://bedrock-runtime.eu-central-1.amazonaws.com"
    assert account("bedrock", region="cn-north-1", **STATIC).describe().endswith(".amazonaws.com.cn")
    assert provider.aim(CLAUDE).capabilities.thinking == "budget"
    assert provider.speaks == ("bedrock",)


@pytest.mark.parametrize(
    ("model", "guardrail", "version"),
    [
        ("gr1abc2def3:7", "gr1abc2def3", "7"),
        ("gr1abc2def3:DRAFT", "gr1abc2def3", "DRAFT"),
        ("gr1abc2def3", "gr1abc2def3", "DRAFT"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1abc2def3:7",
            "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1abc2def3",
            "7",
        ),
        (
            "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1abc2def3",
            "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1abc2def3",
            "DRAFT",
        ),
    ],
)
async def test_a_guardrail_is_asked_where_the_official_client_asks_it(
    model: str, guardrail: str, version: str, bedrock: Make, upstream: FakeUpstream
) -> None:
    """Signed like everything else, with the bytes of who asks."""
    upstream.tell("guardrail", body={"action": "NONE", "outputs": [], "assessments": []})
    x = make_exchange()
    x.deadline = x.received + 60
    asked = b'{ "source":"INPUT","content":[{"text":{"text":"hi"}}]}'
    leaf = Leaf("acc/guardrail", bedrock(), model, Timeouts())
    found = await consult(leaf, x, "/v1/guardrail", asked, 30.0)
    assert found is not None
    sent = upstream.journal().requests()[-1]
    given = {"guardrailIdentifier": guardrail, "guardrailVersion": version, "source": "INPUT", "content": []}
    serializer = create_serializer("rest-json")
    theirs = serializer.serialize_to_request(given, description().operation_model("ApplyGuardrail"))
    assert (sent["method"], sent["path"]) == (theirs["method"], theirs["url_path"])
    assert body_of(sent) == asked
    check_signature(upstream.origin, sent, OWN, "bedrock", "us-east-1")
