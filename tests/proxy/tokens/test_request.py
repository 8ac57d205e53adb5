"""How many tokens a request has: at most, and as counted."""

from __future__ import annotations

import base64
import json
import random
from contextlib import suppress
from typing import Any

import pytest

from proxy.dialects.paths import endpoint_for
from proxy.dialects.splice import read_envelope
from proxy.errors import BadRequest
from proxy.exchange import Exchange
from proxy.tokens.encodings import count, load
from proxy.tokens.request import bound, counted

CHAT, RESPONSES, MESSAGES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"
GEMINI = "/v1beta/models/gemini-2.5-pro:generateContent"
ALPHABETS = ("abc ", "äöüß ", "где ", "中文字", "\U0001f600\U0001f9d1", '{}[]":,\\\n', "\u0301\u200d", "ꙮ𓀀")
USER, ASSISTANT = "example_user", "example_assistant"
# https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
EXAMPLE = [
    {
        "role": "system",
        "content": "You are a helpful, pattern-following assistant that translates corporate jargon into plain"
        " English.",
    },
    {"role": "system", "name": USER, "content": "New synergies will help drive top-line growth."},
    {"role": "system", "name": ASSISTANT, "content": "Things working well together will increase revenue."},
    {
        "role": "system",
        "name": USER,
        "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased"
        " leverage.",
    },
    {
        "role": "system",
        "name": ASSISTANT,
        "content": "Let's talk later when we're less busy about how to do better.",
    },
    {
        "role": "user",
        "content": "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    },
]


def _request(path: str, body: Any, model: str = "gpt-4o") -> Exchange:
    x = Exchange("req_test", "POST", path, b"", [], 0.0, 0)
    x.endpoint = endpoint_for("POST", path)
    x.body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    x.model = model
    with suppress(BadRequest):  # as inbound reads it; what is refused there comes no further
        x.maxima = read_envelope(x.body).maxima
    return x


def _say(content: Any, model: str = "gpt-4o", **more: Any) -> Exchange:
    return _request(CHAT, {"model": model, "messages": [{"role": "user", "content": content}], **more}, model)


@pytest.mark.parametrize(("model", "tokens"), [("gpt-4", 129), ("gpt-4-0613", 129), ("gpt-4o", 124)])
async def test_the_published_example(model: str, tokens: int) -> None:
    """Just what OpenAI's API reports for these messages."""
    assert await counted(_request(CHAT, {"model": model, "messages": EXAMPLE}, model)) == tokens


@pytest.mark.parametrize(
    ("path", "body", "most"),
    [
        (CHAT, {"max_completion_tokens": 7, "max_tokens": 9}, 7),
        (CHAT, {"max_tokens": 9}, 9),
        (CHAT, {"max_tokens": 9, "n": 3}, 27),
        (CHAT, {"max_tokens": 9, "n": 0}, None),
        (CHAT, {"max_tokens": None, "n": None}, None),
        (CHAT, {"max_tokens": 8.5}, 9),
        (CHAT, {"max_tokens": 0}, 0),
        (CHAT, {"max_tokens": -1}, None),
        (CHAT, {"max_tokens": 10_000_000}, 10_000_000),
        (CHAT, {"max_tokens": 10_000_001}, None),
        (CHAT, {"max_tokens": 6_000_000, "n": 2}, None),
        (CHAT, {"max_tokens": "NaN"}, None),
        (CHAT, {"max_tokens": [9]}, None),
        (CHAT, {"max_output_tokens": 9}, None),
        (RESPONSES, {"max_output_tokens": 11}, 11),
        (RESPONSES, {"max_tokens": 11}, None),
        (MESSAGES, {"max_tokens": 13}, 13),
        (GEMINI, {"generationConfig": {"maxOutputTokens": 5}}, 5),
        (GEMINI, {"generationConfig": {"maxOutputTokens": "5", "candidateCount": 4}}, 20),
        (GEMINI, {"generationConfig": None}, None),
        (GEMINI, {"max_tokens": 5}, None),
        (EMBEDDINGS, {"input": "x"}, 0),
        ("/v1/messages/count_tokens", {"messages": []}, 0),
        ("/v1/completions", {"max_tokens": 5}, None),
        ("/nowhere", {"max_tokens": 5}, None),
    ],
)
def test_the_maximum_of_the_answer(path: str, body: Any, most: int | None) -> None:
    """As the caller set it, in the words of each dialect."""
    assert bound(_request(path, body))[1] == most


@pytest.mark.parametrize("number", [b"1e400", b"1" + b"0" * 400, b"nan", b'"', b"\xff"])
def test_a_number_that_is_none(number: bytes) -> None:
    """Sets no maximum, and is no error here."""
    assert bound(_request(CHAT, b'{"messages":[],"max_tokens":' + number + b"}"))[1] is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"messages":3,"input":{"a":1}}'])
@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES, GEMINI, EMBEDDINGS, "/v1/files", "/nowhere"])
async def test_a_bad_body_is_estimated(path: str, body: bytes) -> None:
    """It is refused elsewhere; here its length is all that is known."""
    x = _request(path, body)
    assert bound(x)[0] == len(body) + 16
    assert 0 < await counted(x) <= len(body) + 16


@pytest.mark.parametrize("model", ["gpt-4", "gpt-4o", "claude-sonnet-4-5"])
async def test_a_count_is_within_its_bound(model: str) -> None:
    """Whatever the alphabet, even where each byte is a token and a margin comes on top."""
    rng = random.Random(model)
    for _ in range(60):
        texts = ["".join(rng.choices(rng.choice(ALPHABETS), k=rng.randrange(300))) for _ in range(rng.randrange(1, 9))]
        messages = [{"role": "user", "name": "ab", "content": text} for text in texts]
        x = _request(CHAT, {"model": model, "messages": messages}, model)
        found = await counted(x)
        assert found <= bound(x)[0]
        if model != "claude-sonnet-4-5":
            assert found == 3 + sum(5 + count("ab", model) + count(text, model) for text in texts)


async def test_the_margin_ends_at_the_bound() -> None:
    """A token has one byte at least, whoever counts it."""
    text = "".join(chr(0x13000 + at % 1000) for at in range(3000))
    x = _say(text, "claude-sonnet-4-5")
    assert count(text, "claude-sonnet-4-5") > bound(x)[0]
    assert await counted(x) == bound(x)[0]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ],
)
async def test_what_is_only_named_has_an_allowance(part: Any) -> None:
    """Few bytes may stand for a large picture: the bound leaves room for what it is counted as."""
    x = _say([part])
    assert bound(x)[0] >= len(x.body) + 2_000
    assert 1_100 < await counted(x) < bound(x)[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (MESSAGES, b'{"type":"image","source":{"type":"url","url":"https://example.com/a"}}'),
        (MESSAGES, b'{"type": "image", "source": {"type": "base64", "data": ""}}'),
        (RESPONSES, b'{"type":"input_image","file":"x"}'),
        (RESPONSES, b'{"type":"input_file","file_id":"file-1"}'),
        (GEMINI, b'{"fileData":{"fileUri":"https://example.com/a"}}'),
        (GEMINI, b'{"inlineData":{"data":""}}'),
        (GEMINI, b'{"inline_data":{"data":""}}'),
    ],
)
def test_the_allowance_in_other_dialects(path: str, source: bytes) -> None:
    """One for each such thing."""
    assert bound(_request(path, source))[0] == len(source) + 16 + 2_000
    assert bound(_request(path, source * 3))[0] == 3 * (len(source) + 2_000) + 16


def test_words_of_a_text_have_no_allowance() -> None:
    """Its quotes are escaped."""
    x = _say('{"image_url": {"type": "url"}, "file_id": 1}')
    assert bound(x)[0] == len(x.body) + 16


async def test_pictures() -> None:
    """By their detail, not by their bytes."""
    data = base64.b64encode(bytes(30_000)).decode()
    picture = {"url": f"data:image/png;base64,{data}"}
    words = await counted(_say([{"type": "text", "text": "What is it?"}]))
    parts: list[Any] = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": picture}]
    assert await counted(_say(parts)) == words + 1_100
    parts[1]["image_url"] = {**picture, "detail": "low"}
    assert await counted(_say(parts)) == words + 85
    assert await counted(_say([*parts, parts[1]])) == words + 170


async def test_a_document_of_text_is_text() -> None:
    """It is counted as what it says, not as a page."""
    text = "Where is the next station? " * 50
    source = {"type": "text", "media_type": "text/plain", "data": text}
    messages = [{"role": "user", "content": [{"type": "document", "source": source}]}]
    body = {"model": "m", "max_tokens": 9, "messages": messages}
    assert await counted(_request(MESSAGES, body)) == 7 + count(text, "gpt-4o")


async def test_tools_and_schemas_are_counted() -> None:
    """Names, descriptions and schemas, calls and their results."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "weather", "description": "Tells it.", "parameters": schema}}
    plain = await counted(_say("Hello"))
    compact = json.dumps(schema, separators=(",", ":"))
    expected = sum(count(text, "gpt-4o") for text in ("weather", "Tells it.", compact))
    assert await counted(_say("Hello", tools=[tool])) == plain + expected
    shape = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    expected = sum(count(text, "gpt-4o") for text in ("answer", compact))
    assert await counted(_say("Hello", response_format=shape)) == plain + expected
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "It rains."},
    ]
    expected = sum(count(text, "gpt-4o") for text in ("weather", '{"city":"Rome"}', "It rains."))
    assert await counted(_request(CHAT, {"model": "m", "messages": messages})) == plain + 8 + expected


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RESPONSES, {"model": "m", "instructions": "Be brief.", "input": "Hello there"}),
        (
            MESSAGES,
            {
                "model": "m",
                "max_tokens": 9,
                "system": "Be brief.",
                "messages": [{"role": "user", "content": "Hello there"}],
            },
        ),
        (
            GEMINI,
            {
                "systemInstruction": {"parts": [{"text": "Be brief."}]},
                "contents": [{"role": "user", "parts": [{"text": "Hello there"}]}],
            },
        ),
    ],
)
async def test_the_same_in_every_dialect(path: str, body: Any) -> None:
    """A system prompt counts like a message, wherever it stands."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello there"}]
    assert await counted(_request(path, body)) == await counted(_request(CHAT, {"model": "m", "messages": messages}))


@pytest.mark.parametrize(
    ("given", "tokens"),
    [("Hello there", 2), (["Hello", "there"], 2), ([1, 2, 3], 3), ([[1, 2], [3, 4, 5]], 5)],
)
async def test_embeddings(given: Any, tokens: int) -> None:
    """Texts, or what the caller has made tokens of already."""
    x = _request(EMBEDDINGS, {"model": "text-embedding-3-small", "input": given}, "text-embedding-3-small")
    assert await counted(x) == tokens


@pytest.mark.parametrize("text", ["a" * 300_000, "Hello there " * 60_000])
async def test_a_long_text(text: str) -> None:
    """It is read and counted off the loop, with the same result."""
    load()
    assert await counted(_say(text)) == 7 + count(text, "gpt-4o")


async def test_a_huge_request_is_estimated() -> None:
    """Above 2 MiB it is not read: its text has about a token in four bytes, its picture is one."""
    text = "word " * 600_000
    assert 600_000 < await counted(_say(text)) < 800_000
    data = base64.b64encode(bytes(3 << 20)).decode()
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    assert await counted(_say([picture])) < 2_000
