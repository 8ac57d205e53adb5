"""Stored answers are fetched by their id, if they are ours and the caller's."""

from __future__ import annotations

import json

import pytest

from proxy.chat import Choice, Completion, Text
from proxy.conversations.earlier import Conversations, new_id
from proxy.conversations.retrieval import stored
from proxy.dialects.openai_responses.answer import write_answer
from proxy.dialects.openai_responses.request import read_request
from proxy.dialects.paths import endpoint_for
from proxy.errors import BadRequest
from proxy.exchange import Exchange, Identity, Reply
from proxy.store.memory import MemoryStore
from tests.support.compiled import make_exchange

_CHAT = read_request(b'{"model":"m","input":[{"role":"user","content":"Hi"},{"role":"user","content":"there"}]}')


async def _kept(scope: str = "") -> tuple[Conversations, str]:
    conversations = Conversations(MemoryStore(1 << 20), 100)
    completion = Completion(id=new_id(), model="m", choices=[Choice(parts=[Text("Hello")])])
    await conversations.keep(scope, completion.id, _CHAT, completion, write_answer(completion, _CHAT))
    return conversations, completion.id


def _x(path: str, method: str = "GET", query: bytes = b"") -> Exchange:
    x = make_exchange(path, method=method, query=query)
    x.endpoint = endpoint_for(method, path)
    return x


async def _ask(conversations: Conversations | None, path: str, method: str = "GET", query: bytes = b"") -> Reply:
    reply = await stored(conversations, _x(path, method, query))
    assert reply is not None
    return reply


async def test_an_answer_is_fetched_and_deleted() -> None:
    conversations, response = await _kept()
    found = await _ask(conversations, f"/v1/responses/{response}")
    assert (found.status, json.loads(found.body)["id"]) == (200, response)
    gone = await _ask(conversations, f"/v1/responses/{response}", "DELETE")
    assert json.loads(gone.body) == {"id": response, "object": "response", "deleted": True}
    for method in ("GET", "DELETE"):
        missing = await _ask(conversations, f"/v1/responses/{response}", method)
        assert (missing.status, missing.code) == (404, "response_not_found")


async def test_what_led_to_it_is_listed() -> None:
    conversations, response = await _kept()
    path = f"/v1/responses/{response}/input_items"

    async def texts(query: bytes = b"") -> list[str]:
        page = json.loads((await _ask(conversations, path, query=query)).body)
        return [item["content"][0]["text"] for item in page["data"]]

    assert await texts() == ["there", "Hi"]
    assert await texts(b"order=asc") == ["Hi", "there"]
    assert await texts(b"limit=1&include[]=x") == ["there"]
    first = json.loads((await _ask(conversations, path, query=b"limit=1")).body)["last_id"]
    assert await texts(b"after=" + first.encode()) == ["Hi"]


@pytest.mark.parametrize(
    "path", ["/v1/responses/resp_68aa", "/v1/responses", "/v1/responses/resp_sg_a/other", "/v1/chat/completions/x"]
)
async def test_other_paths_are_left_to_others(path: str) -> None:
    conversations, _ = await _kept()
    assert await stored(conversations, _x(path)) is None


async def test_an_answer_of_another_key_is_not_there() -> None:
    conversations, response = await _kept("acme/search/web")
    x = _x(f"/v1/responses/{response}")
    x.identity = Identity("acme", "search", "other")
    reply = await stored(conversations, x)
    assert reply is not None
    assert reply.status == 404
    x.identity = Identity("acme", "search", "web")
    reply = await stored(conversations, x)
    assert reply is not None
    assert reply.status == 200


async def test_without_a_memory_nothing_is_there() -> None:
    assert (await _ask(None, f"/v1/responses/{new_id()}")).status == 404


@pytest.mark.parametrize(
    ("rest", "query", "param"),
    [
        ("", b"stream=true", "stream"),
        ("/input_items", b"order=up", "order"),
        ("/input_items", b"limit=0", "limit"),
        ("/input_items", b"limit=101", "limit"),
        ("/input_items", b"limit=-1", "limit"),
        ("/input_items", b"limit=\xb2", "limit"),
        ("/input_items", b"after=other", "after"),
        ("/input_items", b"&".join([b"a=1"] * 40), None),
    ],
)
async def test_what_is_wrong_in_the_query_is_named(rest: str, query: bytes, param: str | None) -> None:
    conversations, response = await _kept()
    with pytest.raises(BadRequest) as caught:
        await stored(conversations, _x(f"/v1/responses/{response}{rest}", query=query))
    assert caught.value.param == param


async def test_what_is_complete_cannot_be_cancelled() -> None:
    conversations, response = await _kept()
    with pytest.raises(BadRequest) as caught:
        await stored(conversations, _x(f"/v1/responses/{response}/cancel", "POST"))
    assert caught.value.error_code == "cannot_cancel"
    assert (await _ask(conversations, f"/v1/responses/{new_id()}/cancel", "POST")).status == 404


async def test_other_methods_are_refused() -> None:
    conversations, response = await _kept()
    assert (await _ask(conversations, f"/v1/responses/{response}", "POST")).status == 405
