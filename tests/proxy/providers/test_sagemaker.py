"""Endpoints of SageMaker against the fake upstream: addresses, proofs, and streams inside streams."""

from __future__ import annotations

import base64
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from botocore.credentials import Credentials  # type: ignore[import-untyped]

from proxy.errors import BadAnswer, ModelNotFound, Overloaded, RateLimited, UpstreamError
from proxy.providers.sagemaker import SageMaker, Unwrapped
from tests.support.aws import check_signature
from tests.support.journal import body_of, header_of
from tests.support.sayings import cut, saying
from tests.support.upstream import FakeUpstream
from tests.upstream.dialects.bedrock import exception, frame
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked

Make = Callable[..., Any]
OWN = Credentials("AKIDEXAMPLE", "secret/+key")
STATIC = {"access_key_id": OWN.access_key, "secret_access_key": OWN.secret_key, "region": "eu-west-1"}
CHAT: dict[str, Any] = {"model": "any", "messages": [{"role": "user", "content": "hi"}]}
STREAM = CHAT | {"stream": True}
ANTHROPIC: dict[str, Any] = {"model": "any", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
ENDS = ((b"data", b"[DONE]"),)
EVENTS = "application/vnd.amazon.eventstream"


def part(payload: bytes) -> bytes:
    """A message of a response stream."""
    kind = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}
    return frame(kind, payload)


def told(seed: int, *, done: bool = True) -> bytes:
    """What a container streams: an answer as OpenAI's chat format has it."""
    events = RENDERERS["openai_chat"].frames(saying(seed), Asked(model="m", stream=True))
    return b"".join(events if done else events[:-1])


def wrapped(seed: int, text: bytes) -> bytes:
    """The same as AWS sends it: in pieces cut anywhere."""
    return b"".join(part(piece) for piece in cut(random.Random(seed), text))


def at(upstream: FakeUpstream, body: bytes, **more: Any) -> str:
    """A base URL that answers with these bytes."""
    script = {"body64": base64.b64encode(body).decode(), "content_type": EVENTS} | more
    return upstream.scripted(**script).removesuffix("/v1")


@pytest.fixture
def sagemaker(account: Make) -> Make:
    """``sagemaker(base_url, …)``: an account with credentials of the file."""

    def make(base_url: str, **config: Any) -> Any:
        return account("sagemaker", base_url=base_url, **(STATIC | config))

    return make


async def test_an_endpoint_is_asked_and_the_request_signed(sagemaker: Make, upstream: FakeUpstream, ask: Make) -> None:
    whole = RENDERERS["openai_chat"].body(saying(1), Asked(model="m"))
    base = at(upstream, whole, content_type="application/json")
    provider = sagemaker(base, inference_component="part-1", headers={"x-amzn-sagemaker-target-variant": "v 1"})
    answer = await ask(provider, CHAT, model="my-endpoint")
    sent = upstream.journal().requests()[-1]
    assert sent["path"].endswith("/endpoints/my-endpoint/invocations")
    assert header_of(sent, "x-amzn-sagemaker-inference-component") == "part-1"
    check_signature(upstream.origin, sent, OWN, "sagemaker", "eu-west-1")
    assert msgspec.json.decode(body_of(sent)) == CHAT | {"model": "my-endpoint"}
    assert answer.body == whole


async def test_the_body_may_call_the_model_otherwise(sagemaker: Make, upstream: FakeUpstream, ask: Make) -> None:
    """By the caller's own bytes, and by a translation."""
    whole = RENDERERS["openai_chat"].body(saying(1), Asked(model="m"))
    base = at(upstream, whole, content_type="application/json")
    provider = sagemaker(base, served_model="org/Model-1")
    await ask(provider, CHAT, model="my-endpoint")
    await ask(provider, ANTHROPIC, "/v1/messages", model="my-endpoint")
    for sent in upstream.journal().requests()[-2:]:
        assert sent["path"].endswith("/endpoints/my-endpoint/invocations")
        assert msgspec.json.decode(body_of(sent))["model"] == "org/Model-1"


@pytest.mark.parametrize("seed", range(8))
async def test_a_stream_is_what_the_container_said(
    seed: int, sagemaker: Make, upstream: FakeUpstream, ask: Make
) -> None:
    """Byte for byte, whatever it was cut into."""
    text = told(seed)
    base = at(upstream, wrapped(seed, text), slicer=50 + seed * 100, framing="chunked")
    answer = await ask(sagemaker(base), STREAM, model="my-endpoint")
    assert upstream.journal().requests()[-1]["path"].endswith("/endpoints/my-endpoint/invocations-response-stream")
    assert answer.body == text
    assert answer.is_sse
    assert dict(answer.headers)[b"content-type"].startswith(b"text/event-stream")


async def test_a_stream_is_translated_for_callers_of_other_dialects(
    sagemaker: Make, upstream: FakeUpstream, ask: Make
) -> None:
    base = at(upstream, wrapped(3, told(3)), framing="length")
    answer = await ask(sagemaker(base), ANTHROPIC | {"stream": True}, "/v1/messages", model="my-endpoint")
    assert answer.body.startswith(b"event: message_start\n")
    assert b"event: message_stop\n" in answer.body


async def _chunks(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _unwrap(pieces: list[bytes]) -> bytes:
    unwrapped = Unwrapped(_chunks(pieces), ENDS)
    await unwrapped.begin()
    found = [chunk async for chunk in unwrapped]
    assert all(chunk.endswith(b"\n\n") for chunk in found), "an event of our own may follow any chunk"
    return b"".join(found)


async def test_however_it_is_cut_the_text_is_the_same() -> None:
    for seed in range(60):
        text = told(seed)
        assert await _unwrap(cut(random.Random(seed + 1), wrapped(seed, text))) == text


async def test_a_container_that_forgets_the_mark_has_told_all_if_it_said_why_it_stopped() -> None:
    text = told(4, done=False)
    assert await _unwrap([wrapped(4, text)]) == text + b"data: [DONE]\n\n"
    assert await _unwrap([wrapped(4, text.rstrip(b"\n"))]) == text + b"data: [DONE]\n\n"


async def test_a_stream_that_stops_early_is_never_whole() -> None:
    """Between two messages, inside one, and with nothing at all."""
    first = told(5).partition(b"\n\n")[0] + b"\n\n"
    for pieces in ([part(first)], [part(first), part(b"data: {}\n\n")[:-3]], [part(first[:20])], []):
        with pytest.raises(BadAnswer):
            await _unwrap(pieces)


async def test_a_failure_inside_the_stream_has_its_meaning() -> None:
    first = part(told(5).partition(b"\n\n")[0] + b"\n\n")
    for name, meaning in (("ModelStreamError", UpstreamError), ("InternalStreamFailure", UpstreamError)):
        with pytest.raises(meaning):
            await _unwrap([first, exception(name, "the container broke")])


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (429, {"message": "Rate exceeded"}, RateLimited),
        (503, {"message": "Service Unavailable"}, Overloaded),
        (400, {"message": "Endpoint my-endpoint of account 123456789012 not found."}, ModelNotFound),
    ],
)
async def test_refusals_have_their_meaning(
    status: int, body: Any, meaning: type[Exception], sagemaker: Make, upstream: FakeUpstream, ask: Make
) -> None:
    base = upstream.scripted(status=status, body=body, content_type="application/json").removesuffix("/v1")
    for asked in (CHAT, STREAM):
        with pytest.raises(meaning):
            await ask(sagemaker(base), asked, model="my-endpoint")


def test_an_account_says_where_it_goes(account: Make) -> None:
    provider: SageMaker = account("sagemaker", **STATIC)
    assert provider.describe() == "https://runtime.sagemaker.eu-west-1.amazonaws.com"
    assert provider.speaks == ("openai_chat",)
    assert not provider.aim("my-endpoint").capabilities.files


def test_what_makes_no_sense_is_a_problem_of_the_file(account: Make, context: Any) -> None:
    account("sagemaker", region="moon", **{name: value for name, value in STATIC.items() if name != "region"})
    account("sagemaker", region="eu-west-1", access_key_id="a")
    assert [place for place, _ in context.problems] == ["region", "secret_access_key"]
