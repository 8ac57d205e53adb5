"""From a request line to a pipeline."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.errors import BadRequest
from proxy.exchange import Exchange, Reply
from proxy.inbound import FORWARDED, admit, read_body
from proxy.pipeline import Pipeline
from proxy.policy import Policy
from tests.support.compiled import Canned, make_exchange, make_rule, make_runtime

BODY = b'{"model":"fast","stream":true}'


class Guard(Policy):
    """Lets nobody in without the word."""

    at_door = True

    def on_request(self, x: Exchange) -> Reply | None:
        return None if x.header(b"x-word") == b"please" else x.refuse(401, "invalid_api_key", "no")


async def pieces(*bodies: bytes) -> Any:
    """A ``receive`` that gives a body in pieces."""
    left = list(bodies)

    async def receive() -> dict[str, Any]:
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    return receive


async def test_a_request_finds_its_pipeline_and_its_fields() -> None:
    """Model, stream flag, deadline, and the headers that may go on."""
    headers = [(b"accept", b"*/*"), (b"cookie", b"a=b"), (b"authorization", b"Bearer x"), (b"openai-beta", b"y")]
    x = make_exchange(headers=headers)
    found = await admit(make_runtime(make_rule(Canned())), x, await pieces(b'{"model":"fa', b'st","stream"', b":true}"))
    assert isinstance(found, Pipeline)
    assert (x.body, x.model, x.stream, x.route) == (BODY, "fast", True, "chat")
    assert x.forward == [(b"accept", b"*/*"), (b"openai-beta", b"y")]
    assert x.deadline == x.received + 600


def test_no_credential_is_forwarded_by_default() -> None:
    """Whatever is added to the list, these are not."""
    assert not FORWARDED & {b"authorization", b"cookie", b"x-api-key", b"x-goog-api-key", b"api-key", b"host", b"te"}


async def test_the_door_is_before_the_body() -> None:
    """Who is refused there is refused before a byte of the body is read; an open route opens the door."""
    guard = Guard()

    async def unread() -> dict[str, Any]:
        raise AssertionError("the body was read")

    closed = make_runtime(make_rule(Canned(), policies=[("guard", guard)]))
    x = make_exchange()
    found = await admit(closed, x, unread)
    assert isinstance(found, Reply)
    assert (found.status, x.notes["refused_by"]) == (401, "guard")
    admitted = await admit(closed, make_exchange(headers=[(b"x-word", b"please")]), await pieces(BODY))
    assert isinstance(admitted, Pipeline)
    rest = make_rule(Canned(), name="rest", models=None)
    half_open = make_runtime(make_rule(Canned(), policies=[("guard", guard)]), rest)
    assert isinstance(await admit(half_open, make_exchange(), await pieces(BODY)), Pipeline)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/chat/completions/", 404, "unknown_path"),
        ("DELETE", "/v1/embeddings", 405, "method_not_allowed"),
        ("POST", "/v1/nothing", 404, "unknown_path"),
        ("POST", "//v1/chat/completions", 404, "unknown_path"),
        ("POST", "/v1/../admin", 404, "unknown_path"),
        ("POST", "/V1/chat/completions", 404, "unknown_path"),
        ("GET", "/v1/files/../models", 404, "unknown_path"),
        ("GET", "/v1/files/a%2fb", 404, "unknown_path"),
        ("GET", "/v1/files/f-1", 404, "no_route"),
        ("POST", "/v1/models", 405, "method_not_allowed"),
        ("GET", "/v1/models/unknown", 404, "model_not_found"),
        ("POST", "/v1/realtime", 405, "method_not_allowed"),
    ],
)
async def test_what_is_not_routed_is_refused(method: str, path: str, status: int, code: str) -> None:
    """By the raw path: nothing is decoded or normalised into something else."""
    found = await admit(make_runtime(make_rule(Canned())), make_exchange(path, method=method), await pieces(b""))
    assert isinstance(found, Reply)
    assert (found.status, found.code) == (status, code)
    assert set(json.loads(found.body)["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"model":null}', b'{"model":1}', b'{"model":"a","model":"b"}', b"\xff"])
async def test_a_body_that_names_no_model_is_a_bad_request(body: bytes) -> None:
    """The reader is told what is missing."""
    with pytest.raises(BadRequest):
        await admit(make_runtime(make_rule(Canned())), make_exchange(), await pieces(body))


@pytest.mark.parametrize("path", ["/v1/moderations", "/v1/images/generations"])
async def test_some_paths_need_no_model(path: str) -> None:
    """They go to a route that takes any."""
    runtime = make_runtime(make_rule(Canned()), make_rule(Canned(), name="rest", models=None))
    x = make_exchange(path)
    assert isinstance(await admit(runtime, x, await pieces(b'{"input":"x"}')), Pipeline)
    assert x.route == "rest"


async def test_routes_by_tag_read_the_tags_header() -> None:
    """Only if some route looks at tags; a malformed one is refused then."""
    rule = make_rule(Canned(), tags=(("env", ("dev*",)),))
    x = make_exchange(headers=[(b"x-sluicegate-tags", b"env=devel")])
    assert isinstance(await admit(make_runtime(rule), x, await pieces(BODY)), Pipeline)
    refused = await admit(make_runtime(rule), make_exchange(), await pieces(BODY))
    assert isinstance(refused, Reply)
    with pytest.raises(BadRequest):
        await admit(make_runtime(rule), make_exchange(headers=[(b"x-sluicegate-tags", b"!")]), await pieces(BODY))
    plain = make_exchange(headers=[(b"x-sluicegate-tags", b"!")])
    assert isinstance(await admit(make_runtime(make_rule(Canned())), plain, await pieces(BODY)), Pipeline)


async def test_a_websocket_names_its_model_in_the_query() -> None:
    """Once."""
    runtime = make_runtime(make_rule(Canned()))
    x = make_exchange("/v1/realtime", method="WEBSOCKET", query=b"model=fast&x=1")
    assert isinstance(await admit(runtime, x, await pieces()), Pipeline)
    for query in (b"", b"model=a&model=b", b"model=a" + b"&x=1" * 40):
        with pytest.raises(BadRequest):
            await admit(runtime, make_exchange("/v1/realtime", method="WEBSOCKET", query=query), await pieces())


async def test_models_list_what_the_caller_may_use() -> None:
    """Exact names, once each, without those behind a closed door."""
    runtime = make_runtime(
        make_rule(Canned(), name="a", models=("fast", "gpt-*")),
        make_rule(Canned(), name="b", models=("slow", "fast"), paths=("/v1/chat/*",)),
        make_rule(Canned(), name="c", models=("secret",), policies=[("guard", Guard())]),
    )

    async def names(*headers: tuple[bytes, bytes]) -> list[str]:
        found = await admit(runtime, make_exchange("/v1/models", method="GET", headers=headers), await pieces(b""))
        assert isinstance(found, Reply)
        assert found.status == 200
        return [model["id"] for model in json.loads(found.body)["data"]]

    assert await names() == ["fast", "slow"]
    assert await names((b"x-word", b"please")) == ["fast", "slow", "secret"]


async def test_a_body_is_joined_from_its_pieces() -> None:
    """And a single piece is not copied."""
    whole = b"x" * 1000
    assert await read_body(await pieces(whole)) is whole
    assert await read_body(await pieces(b"a", b"", b"bc")) == b"abc"
