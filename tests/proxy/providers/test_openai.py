"""OpenAI-compatible accounts against the fake upstream: addresses, headers, bytes, keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from proxy.errors import BadAnswer, BadCredential, RateLimited, UpstreamTimeout
from proxy.policy import Timeouts
from tests.support.journal import body_of, header_of
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
FORM = (
    b'--B\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n'
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\x00\xff\r\n--B--\r\n'
)
FORM_TYPE = [(b"content-type", b"multipart/form-data; boundary=B")]


async def test_the_body_arrives_byte_for_byte(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Odd spaces, escapes, duplicate unknown members: nothing is parsed and dumped."""
    body = b'{ "model" :"m","messages":[{"role":"user","content":"\\u00e9 \xc3\xa9"}],\n "zz":1e400, "zz":2 }'
    answer = await ask(account("openai", base_url=upstream.url), body)
    assert answer.status == 200
    assert body_of(upstream.journal().requests()[0]) == body


async def test_only_the_model_is_replaced(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """In JSON and in a form."""
    provider = account("openai", base_url=upstream.url)
    body = b'{ "messages":[{"role":"user","content":"model"}] , "model":\t"m" }'
    await ask(provider, body, model="other")
    await ask(provider, FORM, "/v1/audio/transcriptions", model="other", headers=FORM_TYPE)
    first, second = upstream.journal().requests()
    assert body_of(first) == body.replace(b'"m"', b'"other"')
    assert body_of(second) == FORM.replace(b"whisper", b"other")
    assert header_of(second, "content-type") == "multipart/form-data; boundary=B"


async def test_paths_are_put_below_the_base_url(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Fixed ones, ones with ids, and the query but for credentials."""
    provider = account("openai", base_url=f"{upstream.origin}/deep/v1/")
    await ask(provider, CHAT)
    await ask(provider, path="/v1/files/file-abc/content?after=x&api_key=s&limit=2&Key=t", method="GET")
    first, second = upstream.journal().requests()
    assert (first["method"], first["path"]) == ("POST", "/deep/v1/chat/completions")
    assert (second["method"], second["path"], second["query"]) == (
        "GET",
        "/deep/v1/files/file-abc/content",
        "after=x&limit=2",
    )


async def test_headers_that_must_not_pass_do_not(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Whatever was let through: no credential, cookie or connection header of the client, none of our own."""
    forward = [
        (b"authorization", b"Bearer client"),
        (b"x-api-key", b"client"),
        (b"api-key", b"client"),
        (b"cookie", b"a=b"),
        (b"connection", b"x-secret"),
        (b"transfer-encoding", b"chunked"),
        (b"x-sluicegate-tags", b"user=ada"),
        (b"host", b"evil.example"),
        (b"x-team", b"client"),
        (b"openai-beta", b"assistants=v2"),
        (b"content-type", b"application/json"),
    ]
    provider = account(
        "openai",
        base_url=upstream.url,
        api_key="sk-ours",
        organization="org-1",
        project="proj-1",
        headers={"X-Team": "a"},
    )
    await ask(provider, CHAT, forward=forward)
    request = upstream.journal().requests()[0]
    assert dict(request["headers"]) == {
        "host": f"127.0.0.1:{upstream.port}",
        "accept-encoding": "identity",
        "openai-beta": "assistants=v2",
        "content-type": "application/json",
        "user-agent": "sluicegate",
        "x-team": "a",
        "openai-organization": "org-1",
        "openai-project": "proj-1",
        "authorization": "Bearer sk-ours",
        "content-length": str(request["size"]),
    }
    assert len(request["headers"]) == 10


async def test_without_a_key_no_credential_is_sent(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Ollama and vLLM want none; an empty variable counts as none."""
    await ask(account("openai", base_url=upstream.url, api_key=""), CHAT)
    assert header_of(upstream.journal().requests()[0], "authorization") is None


async def test_keys_are_used_in_turn(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Round robin over all keys, each once even if it is given twice."""
    provider = account("openai", base_url=upstream.url, api_keys=["a", "b", "c", "a", ""])
    for _ in range(6):
        await ask(provider, CHAT)
    seen = [header_of(request, "authorization") for request in upstream.journal().requests()]
    assert sorted(map(str, seen[:3])) == ["Bearer a", "Bearer b", "Bearer c"]
    assert seen[:3] == seen[3:]


async def test_a_limited_key_rests_until_its_reset(
    upstream: FakeUpstream, account: Make, ask: Make, exchange: Make
) -> None:
    """The next key answers, both tries are counted, and the limited one is left alone, also after a reload."""
    limited = {"status": 429, "headers": {"retry-after": "30"}}
    config: dict[str, Any] = {"base_url": upstream.scripted(at={"a": limited}), "api_keys": ["a", "b"]}
    provider = account("openai", **config)
    exchanges = [exchange(CHAT) for _ in range(4)]
    for x in exchanges:
        assert (await provider.send(x, None, Timeouts())).status == 200
    seen = [header_of(request, "authorization") for request in upstream.journal().requests()]
    assert seen.count("Bearer a") == 1
    assert seen.count("Bearer b") == 4
    assert sorted(len(x.attempts) for x in exchanges) == [1, 1, 1, 2]
    reloaded = account("openai", **config, max_connections=7)
    for _ in range(2):
        await ask(reloaded, CHAT)
    assert len(upstream.journal().requests()) == 7


async def test_a_key_is_limited_for_its_model_only(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Providers limit by model."""
    base = upstream.scripted(at={"m": {"status": 429, "headers": {"retry-after": "30"}}})
    provider = account("openai", base_url=base, api_keys=["a", "b"])
    with pytest.raises(RateLimited):
        await ask(provider, CHAT)
    assert (await ask(provider, CHAT | {"model": "n"})).status == 200


async def test_when_all_keys_rest_nothing_is_sent(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """The caller is told the soonest reset."""
    limits = {
        "a": {"status": 429, "headers": {"retry-after": "20"}},
        "b": {"status": 429, "headers": {"retry-after": "9"}},
    }
    provider = account("openai", base_url=upstream.scripted(at=limits), api_keys=["a", "b"])
    for _ in range(3):
        with pytest.raises(RateLimited) as limited:
            await ask(provider, CHAT)
        assert 8 < (limited.value.retry_after or 0) <= 9
    assert len(upstream.journal().requests()) == 2


async def test_a_refused_key_is_skipped(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """One bad key of several costs one try; all bad is our fault, not the caller's."""
    provider = account("openai", base_url=upstream.scripted(at={"a": {"status": 401}}), api_keys=["a", "b"])
    for _ in range(4):
        await ask(provider, CHAT)
    seen = [header_of(request, "authorization") for request in upstream.journal().requests()]
    assert seen.count("Bearer a") == 1
    all_bad = account("openai", base_url=upstream.scripted(status=401), api_keys=["c", "d"])
    for _ in range(2):
        with pytest.raises(BadCredential) as refused:
            await ask(all_bad, CHAT)
        assert refused.value.http_status == 502


async def test_a_used_up_quota_is_no_short_limit(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """The key rests for all models; no wait is named."""
    body = {"error": {"message": "quota", "type": "insufficient_quota", "code": "insufficient_quota"}}
    provider = account("openai", base_url=upstream.scripted(status=429, body=body), api_keys=["a", "b"])
    with pytest.raises(RateLimited):
        await ask(provider, CHAT)
    with pytest.raises(RateLimited):
        await ask(provider, CHAT | {"model": "n"})
    assert len(upstream.journal().requests()) == 2


async def test_one_key_is_always_tried(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Nothing to switch to: the provider decides each time."""
    script = {"status": 429, "headers": {"retry-after": "30"}}
    provider = account("openai", base_url=upstream.scripted(**script), api_key="a")
    for _ in range(2):
        with pytest.raises(RateLimited) as limited:
            await ask(provider, CHAT)
        assert limited.value.retry_after == 30
    assert len(upstream.journal().requests()) == 2


async def test_our_key_is_never_repeated_to_the_caller(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Not even by a provider that quotes it."""
    body = {"error": {"message": "strange header sk-ours", "type": "invalid_request_error"}}
    provider = account("openai", base_url=upstream.scripted(status=400, body=body), api_key="sk-ours")
    with pytest.raises(Exception, match="refused") as refused:
        await ask(provider, CHAT)
    assert b"sk-ours" not in refused.value.raw[2]  # type: ignore[attr-defined]
    assert "sk-ours" not in repr(provider) + provider.describe() + str(refused.value)


async def test_streams_flow_and_end(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """The bytes of the stream, and an error when its end is missing."""
    provider = account("openai", base_url=upstream.url)
    body = CHAT | {"stream": True}
    answer = await ask(provider, body)
    assert answer.is_sse
    assert answer.body.endswith(b"data: [DONE]\n\n")
    with pytest.raises(BadAnswer):
        await ask(provider, body | {"script": {"done": False}})


async def test_a_silent_provider_times_out(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """By the route's first_token."""
    provider = account("openai", base_url=upstream.scripted(timeout=0))
    with pytest.raises(UpstreamTimeout):
        await ask(provider, CHAT, timeouts=Timeouts(first_token=0.05))


async def test_html_is_never_an_answer(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Neither with 200 nor with 404."""
    for status in (200, 404, 500):
        base = upstream.scripted(status=status, body="<html>no</html>", content_type="text/html")
        with pytest.raises(Exception, match="provider") as failed:
            await ask(account("openai", base_url=base), CHAT)
        assert failed.value.http_status == 502  # type: ignore[attr-defined]
        assert getattr(failed.value, "raw", None) is None


async def test_a_websocket_opens_with_our_key_and_model(upstream: FakeUpstream, account: Make, exchange: Make) -> None:
    """Status 101 with a socket; the key in the client's subprotocol stays here."""
    provider = account("openai", base_url=upstream.url, api_key="sk-ours")
    headers = [(b"sec-websocket-protocol", b"realtime, openai-insecure-api-key.sk-client")]
    x = exchange(path="/v1/realtime?model=mine&x=1", method="WEBSOCKET", headers=headers, forward=[])
    answer = await provider.send(x, "theirs", Timeouts())
    try:
        assert (answer.status, answer.socket.protocol) == (101, "realtime")
        assert "session.created" in await answer.socket.receive()
        await answer.socket.send("ping")
        assert await answer.socket.receive() == "ping"
    finally:
        await answer.socket.close()
    request = upstream.journal().requests()[0]
    assert request["query"] == "x=1&model=theirs"
    assert header_of(request, "authorization") == "Bearer sk-ours"
    assert "sk-client" not in str(request)


async def test_a_refused_websocket_means_what_its_status_means(
    upstream: FakeUpstream, account: Make, exchange: Make
) -> None:
    """401 is our credential, not the caller's."""
    provider = account("openai", base_url=upstream.scripted(status=401))
    x = exchange(path="/v1/realtime?model=m", method="WEBSOCKET")
    with pytest.raises(BadCredential):
        await provider.send(x, None, Timeouts())


async def test_a_cancelled_request_closes_the_connection(upstream: FakeUpstream, account: Make, exchange: Make) -> None:
    """Within the second."""
    provider = account("openai", base_url=upstream.scripted(timeout=0))
    task = asyncio.ensure_future(provider.send(exchange(CHAT), None, Timeouts()))
    request = await upstream.journal().wait("request")
    task.cancel()
    await upstream.journal().wait("closed", id=request["id"], timeout=1.0)
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("config", "at"),
    [
        ({"base_url": "ftp://x/v1"}, "base_url"),
        ({"base_url": "http://u:p@x/v1"}, "base_url"),
        ({"base_url": "http://x/v1?a=b"}, "base_url"),
        ({"base_url": "http://x:99999/v1"}, "base_url"),
        ({"headers": {"Host": "x"}}, "headers.Host"),
        ({"headers": {"x": "a\r\nb"}}, "headers.x"),
        ({"headers": {"x y": "a"}}, "headers.x y"),
        ({"api_key": "a", "api_keys": ["b"]}, "api_keys"),
        ({"api_key": "a\nb"}, "api_key"),
        ({"api_keys": ["good", "sk-…"]}, "api_keys"),
    ],
)
async def test_a_bad_setting_is_a_problem(account: Make, context: Any, config: dict[str, Any], at: str) -> None:
    """Told with its place."""
    account("openai", **config)
    assert [place for place, _ in context.problems] == [at]
