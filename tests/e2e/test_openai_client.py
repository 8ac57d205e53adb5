"""The official client works through the gateway, and raises its own classes when it should."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests.support.journal import body_of, header_of

MakeClient = Callable[..., AsyncOpenAI]

_TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
_MESSAGES: Any = [{"role": "user", "content": "Hello, 世界"}]


def config(url: str, **more: str) -> str:
    """One route for every model, straight to the fake upstream."""
    return f"""
listen: 127.0.0.1:0
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-upstream}}
routes:
  renamed:
    models: [fast]
    target: up/gpt-4o-mini
  all:
    target: up/*
"""


@pytest.fixture
def gateway_url(module_gateway: Any, upstream: Any, request: pytest.FixtureRequest) -> str:
    """One gateway for this file."""
    cache: dict[str, Any] = request.module.__dict__.setdefault("_running", {})
    if "gateway" not in cache:
        cache["gateway"] = module_gateway(config(upstream.url).replace("127.0.0.1:0", "127.0.0.1:8080"))
    url: str = cache["gateway"].url
    return url


async def test_chat(gateway_url: str, client: MakeClient, upstream: Any) -> None:
    """The model's name is the only thing that changes on the way."""
    answer = await client(gateway_url).chat.completions.with_raw_response.create(model="fast", messages=_MESSAGES)
    found = answer.parse()
    assert found.choices[0].message.content
    assert found.usage is not None
    assert answer.headers["x-sluicegate-route"] == "renamed"
    assert answer.headers["x-sluicegate-target"] == "up/gpt-4o-mini"
    assert answer.headers["x-sluicegate-attempts"] == "1"
    assert answer.headers["x-request-id"].startswith("req_")
    assert float(answer.headers["x-sluicegate-overhead-ms"]) < 1000
    (seen,) = upstream.journal().requests()
    assert json.loads(body_of(seen)) == {"messages": _MESSAGES, "model": "gpt-4o-mini"}
    assert header_of(seen, "authorization") == "Bearer sk-upstream"


async def test_chat_stream_with_usage(gateway_url: str, client: MakeClient) -> None:
    """Every event arrives, the usage event too."""
    stream = await client(gateway_url).chat.completions.create(
        model="fast", messages=_MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    events = [event async for event in stream]
    assert "".join(event.choices[0].delta.content or "" for event in events if event.choices)
    assert [event.choices[0].finish_reason for event in events if event.choices][-1] == "stop"
    assert events[-1].usage is not None


async def test_parallel_tool_calls_streamed(gateway_url: str, client: MakeClient) -> None:
    """Ids, indexes and argument pieces stay apart."""
    script = [{"id": f"call_{at}", "name": "get_weather", "arguments": {"city": at}} for at in ("Paris", "Oslo")]
    asked: Any = {
        "model": "fast",
        "messages": _MESSAGES,
        "tools": _TOOLS,
        "extra_body": {"script": {"tool_calls": script}},
    }
    whole = await client(gateway_url).chat.completions.create(**asked)
    assert whole.choices[0].message.tool_calls is not None
    found = [json.loads(call.function.arguments) for call in whole.choices[0].message.tool_calls]
    assert found == [{"city": "Paris"}, {"city": "Oslo"}]
    arguments: dict[int, str] = {}
    async for event in await client(gateway_url).chat.completions.create(**asked, stream=True):
        for choice in event.choices:
            for call in choice.delta.tool_calls or []:
                assert call.function is not None
                arguments[call.index] = arguments.get(call.index, "") + (call.function.arguments or "")
    assert [json.loads(text) for text in arguments.values()] == found


async def test_responses_and_their_stream(gateway_url: str, client: MakeClient) -> None:
    """Typed events to the end."""
    answer = await client(gateway_url).responses.create(model="fast", input="Hello")
    assert answer.output_text
    kinds = [
        event.type async for event in await client(gateway_url).responses.create(model="fast", input="x", stream=True)
    ]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
async def test_every_other_endpoint(gateway_url: str, client: MakeClient) -> None:
    """Completions, embeddings, moderations, images, audio, files, batches: JSON, forms and bytes."""
    found = client(gateway_url)
    assert (await found.completions.create(model="fast", prompt="Hello")).choices[0].text
    assert len((await found.embeddings.create(model="fast", input=["a", "b"])).data) == 2
    assert (await found.moderations.create(model="fast", input="Hello")).results
    assert (await found.moderations.create(input="Hello")).results
    image = await found.images.generate(model="fast", prompt="a lock", response_format="b64_json")
    assert image.data is not None
    assert base64.b64decode(image.data[0].b64_json or "")
    edited = await found.images.edit(model="fast", image=("a.png", b"\x89PNG"), prompt="two locks")
    assert edited.data
    speech = await found.audio.speech.create(model="fast", voice="alloy", input="Hello")
    assert speech.content
    heard = await found.audio.transcriptions.create(model="fast", file=("a.wav", b"RIFF\r\n--x\x00"))
    assert heard.text
    assert (await found.audio.translations.create(model="fast", file=("a.wav", b"RIFF"))).text
    stored = await found.files.create(file=("a.jsonl", b"{}\n"), purpose="batch")
    assert (await found.files.retrieve(stored.id)).id == stored.id
    assert [one.id async for one in await found.files.list()]
    assert (await found.files.content(stored.id)).content is not None
    batch = await found.batches.create(
        input_file_id=stored.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    assert (await found.batches.retrieve(batch.id)).id == batch.id
    assert (await found.files.delete(stored.id)).deleted


async def test_a_forms_model_is_replaced_and_its_file_untouched(
    gateway_url: str, client: MakeClient, upstream: Any
) -> None:
    """The file part is bytes, whatever they look like."""
    wave = bytes(range(256)) * 40 + b'\r\nContent-Disposition: form-data; name="model"\r\n\r\nfast'
    await client(gateway_url).audio.transcriptions.create(model="fast", file=("a.wav", wave))
    (seen,) = upstream.journal().requests(path="/v1/audio/transcriptions")
    body = body_of(seen)
    assert wave in body
    assert b'name="model"\r\n\r\ngpt-4o-mini\r\n' in body


async def test_models_are_listed_by_name(gateway_url: str, client: MakeClient) -> None:
    """Exact names of the file; one of them by itself; an unknown one is a 404."""
    found = client(gateway_url)
    assert [model.id async for model in await found.models.list()] == ["fast"]
    assert (await found.models.retrieve("fast")).id == "fast"
    with pytest.raises(openai.NotFoundError):
        await found.models.retrieve("slow")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (413, openai.APIStatusError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (502, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
async def test_a_providers_errors_raise_the_clients_classes(
    status: int, kind: type[openai.APIStatusError], gateway_url: str, client: MakeClient
) -> None:
    """In OpenAI's shape, with a code; a provider's 5xx is the gateway's 502 or 503."""
    for stream in (False, True):
        with pytest.raises(kind) as caught:
            await client(gateway_url).chat.completions.create(
                model="fast", messages=_MESSAGES, stream=stream, extra_body={"script": {"status": status}}
            )
        assert caught.value.body
        assert caught.value.status_code == (502 if status == 500 else status) or status >= 500
        assert caught.value.request_id


@pytest.mark.parametrize("status", [401, 403])
async def test_the_gateways_own_credential_is_never_the_callers_problem(
    status: int, gateway_url: str, client: MakeClient
) -> None:
    """A provider that refuses the account is a 502 to the caller."""
    script = {"status": status, "body": {"error": {"message": "Incorrect API key provided: sk-upstream"}}}
    with pytest.raises(openai.InternalServerError) as caught:
        await client(gateway_url).chat.completions.create(
            model="fast", messages=_MESSAGES, extra_body={"script": script}
        )
    assert caught.value.status_code == 502
    assert caught.value.code == "upstream_credential_refused"
    assert "sk-upstream" not in str(caught.value.body)


async def test_a_stream_that_breaks_raises_in_the_client(gateway_url: str, client: MakeClient) -> None:
    """The text that came is there, then an error: no silent end."""
    text = []
    with pytest.raises(openai.APIError):
        async for event in await client(gateway_url).chat.completions.create(
            model="fast", messages=_MESSAGES, stream=True, extra_body={"script": {"tokens": 20, "die_after": 5}}
        ):
            text.append(event.choices[0].delta.content)
    assert len(text) >= 2
