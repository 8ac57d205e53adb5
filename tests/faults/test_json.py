"""BAD-04, and a taste of BAD-05: no JSON makes the gateway stumble; what it cannot read is a 400 in OpenAI's shape."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.traffic import CHAT, HEADERS, MESSAGES, at_once, code_of, config, named
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

SEED = 20260104
_REST = b', "messages": []}'

# What cannot be read, or can be read in two ways.
REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "spaces": b"  \n ",
    "not json": b"hello",
    "half": b'{"model": "fast", "messages": [',
    "trailing bytes": b'{"model": "fast"} x',
    "trailing document": b'{"model": "fast"}{"model": "slow"}',
    "trailing NUL": b'{"model": "fast"}\0',
    "trailing comma": b'{"model": "fast",}',
    "comment": b'{"model": "fast" /* c */}',
    "single quotes": b"{'model': 'fast'}",
    "NaN": b'{"model": "fast", "temperature": NaN}',
    "Infinity": b'{"model": "fast", "temperature": -Infinity}',
    "leading zero": b'{"model": "fast", "n": 01}',
    "plus sign": b'{"model": "fast", "n": +1}',
    "bare dot": b'{"model": "fast", "n": 1.}',
    "hex": b'{"model": "fast", "n": 0x10}',
    "arrays 100000 deep": b'{"model": "fast", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "objects 100000 deep": b'{"model": "fast", "x": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "unclosed 100000 deep": b'{"model": "fast", "x": ' + b"[" * 100_000,
    "byte order mark": b'\xef\xbb\xbf{"model": "fast"}',
    "utf-16": '{"model": "fast"}'.encode("utf-16"),
    "utf-32": '{"model": "fast"}'.encode("utf-32"),
    "latin-1": '{"model": "fast", "x": "é"}'.encode("latin-1"),
    "overlong utf-8": b'{"model": "fast", "x": "\xc0\xaf"}',
    "raw surrogate": b'{"model": "fast", "x": "\xed\xa0\x80"}',
    "cut utf-8": b'{"model": "fast", "x": "\xf0\x9f\x98"}',
    "NUL in a string": b'{"model": "fast", "x": "a\0b"}',
    "line end in a string": b'{"model": "fast", "x": "a\nb"}',
    "bad escape": b'{"model": "fast", "x": "\\q"}',
    "short escape": b'{"model": "fast", "x": "\\u12"}',
    "model twice": b'{"model": "fast", "model": "slow"' + _REST,
    "model twice, equal": b'{"model": "fast", "model": "fast"' + _REST,
    "model twice, once escaped": b'{"model": "fast", "mod\\u0065l": "slow"' + _REST,
    "model only escaped": b'{"mod\\u0065l": "fast"' + _REST,
    "model of the wrong type": b'{"model": 5}',
    "model null": b'{"model": null}',
    "model list": b'{"model": ["fast"]}',
    "model missing": b'{"messages": []}',
    "stream of the wrong type": b'{"model": "fast", "stream": "yes"}',
    "array": b'[{"model": "fast"}]',
    "string": b'"fast"',
    "number": b"5",
    "null": b"null",
    "lone surrogate as model": b'{"model": "\\ud800"' + _REST,
    "lone surrogate": b'{"model": "fast", "x": "\\ud800"}',
    "NUL in the model": b'{"model": "a\\u0000b"' + _REST,
    "line end in the model": b'{"model": "a\\r\\nset-cookie: evil=1"' + _REST,
    "U+2028 in the model": '{"model": "a\u2028b"'.encode() + _REST,
    "model of 300 characters": b'{"model": "' + b"x" * 300 + b'"' + _REST,
    "many members called model": b'{"model": "fast", "x": [' + b'{"model": "x"},' * 5000 + b"1]}",
}
# Odd, but JSON: these reach the provider as they are.
PASSED: dict[str, bytes] = {
    "integer of 5000 digits": b'{"model": "slow", "seed": ' + b"9" * 5000 + b"}",
    "1e400": b'{"model": "slow", "temperature": 1e400}',
    "-0": b'{"model": "slow", "temperature": -0}',
    "number of 10000 decimals": b'{"model": "slow", "temperature": 0.' + b"1" * 10_000 + b"}",
    "string of 9 MB": b'{"model": "slow", "x": "' + b"x" * 9_000_000 + b'"}',
    "escapes of 6 MB": b'{"model": "slow", "x": "' + b"\\u0041" * 1_000_000 + b'"}',
    "10^6 keys": b'{"model": "slow"' + b"".join(b',"%d":0' % number for number in range(700_000)) + b"}",
    "10^6 elements": b'{"model": "slow", "x": [' + b"0," * 1_000_000 + b"0]}",
    "10^6 times the same key": b'{"model": "slow"' + b',"a":0' * 1_000_000 + b"}",
    "pair of surrogates": b'{"model": "slow", "x": "\\ud83d\\ude00"}',
    "escaped NUL": b'{"model": "slow", "x": "a\\u0000b"}',
    "500 deep": b'{"model": "slow", "x": ' + b"[" * 500 + b"]" * 500 + b"}",
    "empty key": b'{"": 1, "model": "slow"}',
    "a model inside": b'{"x": {"model": "fast"}, "model": "slow", "y": "\\"model\\": \\"fast\\""}',
    "other members twice": b'{"model": "slow", "user": "a", "user": "b"}',
}


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file, every policy on; its upstream takes anything."""
    return module_gateway(config(upstream_process.scripted(body={"ok": True})))


async def post(wire: Wire, body: bytes, path: str = CHAT, **headers: str) -> tuple[int, bytes]:
    """Status and body of the answer to a JSON body."""
    await wire.request("POST", path, body, {**HEADERS, **headers})
    return await wire.answer()


def _unhurt(running: Gateway) -> None:
    """No traceback, no crash, nothing the log would shout about."""
    assert "Traceback" not in running.output()
    quiet = (line for line in running.log() if line["event"] != "ledger.unpriced")
    assert not [line for line in quiet if line["level"] != "info" or line.get("status", 0) == 500]


@pytest.mark.parametrize("path", [CHAT, "/v1/responses", "/v1/embeddings"])
async def test_what_is_no_json_is_a_400(path: str, running: Gateway, upstream: FakeUpstream) -> None:
    """In OpenAI's shape, with a code and a sentence; the upstream sees nothing of it."""

    async def one(wire: Wire, name: str) -> None:
        status, body = await post(wire, REFUSED[name], path)
        assert status == 400, (name, status, body[:300])
        assert code_of(body) in {"invalid_json", "invalid_type", "missing_model", "invalid_model"}, (name, body)
        assert len(body) < 2000

    await at_once(running.port, REFUSED, one, connections=4)
    assert not upstream.journal().requests()
    _unhurt(running)


async def test_odd_json_passes_untouched(running: Gateway, upstream: FakeUpstream) -> None:
    """Valid is valid, however large or strange."""

    async def one(wire: Wire, name: str) -> None:
        status, body = await post(wire, PASSED[name], **{"idempotency-key": name})
        assert status == 200, (name, status, body[:300])

    await at_once(running.port, PASSED, one, connections=2)
    seen = named(upstream.journal().requests())
    for name, body in PASSED.items():
        assert body_of(seen[name]) == body, name
    _unhurt(running)


async def test_one_byte_too_many_is_a_413(running: Gateway, upstream: FakeUpstream) -> None:
    """The limit of the body, by its length and by its chunks."""
    body = b'{"model": "slow", "x": "' + b"x" * (10 << 20) + b'"}'
    wire = await Wire.open(running.port)
    try:
        await wire.request("POST", CHAT, body, HEADERS)
        status, answer = await wire.answer()
    finally:
        wire.close()
    assert (status, code_of(answer)) == (413, "body_too_large")
    assert not upstream.journal().requests()


_ODD: list[Any] = [
    *(None, True, False, 0, -1, 1e308, -1e-308, 10**30, 2**63, "", "x", "\0", "\ud800", "é" * 50, "x" * 20_000),
    *([], {}, [[]], [None], [{}], {"": None}, {"$ref": "#"}, {"model": "x"}, ["user"] * 500, {"a": {"a": {"a": []}}}),
]
_BASE: dict[str, Any] = {
    "model": "slow",
    "messages": [*MESSAGES, {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {}}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "stream": False,
    "stream_options": {"include_usage": True},
    "temperature": 1.0,
    "max_tokens": 5,
    "n": 1,
    "stop": ["x"],
    "user": "ada",
    "metadata": {"a": "b"},
    "response_format": {"type": "json_object"},
    "logit_bias": {"1": 2},
}


def _mutate(chance: random.Random) -> bytes:
    """A chat request with one to four things wrong, and now and then some bytes."""
    request = copy.deepcopy(_BASE)
    for _ in range(chance.randint(1, 4)):
        place: Any = request
        while True:
            keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = chance.choice(keys)
            if isinstance(place[key], (dict, list)) and place[key] and chance.random() < 0.6:
                place = place[key]
                continue
            action = chance.random()
            if action < 0.15:
                del place[key]
            elif action < 0.25 and isinstance(place, dict):
                place[f"{key}_"] = place.pop(key)
            else:
                place[key] = copy.deepcopy(chance.choice(_ODD))
            break
    body = bytearray(json.dumps(request, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass"))
    if chance.random() < 0.25:
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
    return bytes(body)


async def test_mutated_requests_never_break_it(running: Gateway) -> None:
    """2,000 seeded requests: passed on, or refused with 4xx in OpenAI's shape; a healthy request still works after."""
    chance = random.Random(SEED)
    bodies = [_mutate(chance) for _ in range(2000)]

    async def one(wire: Wire, body: bytes) -> int:
        status, answer = await post(wire, body)
        if status != 200:
            assert 400 <= status < 500, (status, answer, body)
            assert code_of(answer)
            assert b"Traceback" not in answer
        return status

    statuses = await at_once(running.port, bodies, one)
    assert statuses.count(200) > 500
    assert statuses.count(400) > 100
    _unhurt(running)


async def test_mutated_forms_never_break_it(running: Gateway) -> None:
    """300 seeded multipart bodies and content types with bytes changed."""
    chance = random.Random(SEED + 1)
    whole = (
        b'--xyz\r\nContent-Disposition: form-data; name="model"\r\n\r\nslow\r\n--xyz\r\n'
        b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
        b"RIFF\r\n--xyz--\r\n"
    )
    kinds = [
        "multipart/form-data; boundary=xyz",
        'multipart/form-data; boundary="xyz"',
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 3000,
        "multipart/form-data; boundary*=utf-8''xyz",
        "multipart/mixed; boundary=xyz",
        "application/json",
        "; ; ;",
        "é",
    ]

    async def one(wire: Wire, _: int) -> int:
        body = bytearray(whole)
        for _ in range(chance.randint(0, 4)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 8)] = chance.randbytes(chance.randint(0, 4))
        kind = chance.choice(kinds[:2] if chance.random() < 0.7 else kinds)
        path = chance.choice(["/v1/audio/transcriptions", "/v1/images/edits"])
        status, answer = await post(wire, bytes(body), path, **{"content-type": kind})
        if status != 200:
            assert 400 <= status < 500, (status, answer, kind, bytes(body))
            assert code_of(answer)
        return status

    statuses = await at_once(running.port, range(300), one)
    assert {200, 400} <= set(statuses)
    _unhurt(running)
