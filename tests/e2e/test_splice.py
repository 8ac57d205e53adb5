"""What the client sent is what the provider gets, but for the model's name; and only the headers that may pass."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.traffic import CHAT, HEADERS, KEY, answer_of, as_named, ask, at_once, config, named
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

SEED = 20260101
_SPACE = ["", "", "", " ", "\n", "\t", "\r\n  ", "   "]
_WORDS = [
    "hi",
    "",
    "世界",
    "\u2028\u0085",
    "\U0001f600",
    'say "model": "fast"',
    "\\",
    "\x7f",
    "a/b",
    "{",
    '"}',
    "model",
]
_KEYS = ["messages", "temperature", "x-unknown", "модель", "", "Model", "models", "metadata", "n", "model_"]


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file, every policy on."""
    return module_gateway(config(upstream_process.url))


class _Writer:
    """Writes JSON that no encoder would: odd spaces, any escapes, any spelling of a number."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def space(self) -> str:
        return self.chance.choice(_SPACE)

    def text(self, value: str) -> str:
        parts = []
        for sign in value:
            if self.chance.random() < 0.1:
                units = sign.encode("utf-16-be")
                parts += [f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)]
            elif sign in '"\\' or ord(sign) < 0x20:
                parts.append(json.dumps(sign)[1:-1])
            else:
                parts.append("\\/" if sign == "/" and self.chance.random() < 0.5 else sign)
        return '"' + "".join(parts) + '"'

    def scalar(self) -> str:
        choose = self.chance.choice
        numbers = ["0", "-0", "1.0", "2e5", "1E+2", "0.1000", "12345678901234567890123", "1e-7", "-0.0"]
        return choose([choose(numbers), choose(["true", "false", "null"]), self.text(choose(_WORDS))])

    def value(self, depth: int) -> str:
        kind = self.chance.random()
        if depth == 0 or kind < 0.5:
            return self.scalar()
        if kind < 0.7:
            inner = [self.space() + self.value(depth - 1) + self.space() for _ in range(self.chance.randint(0, 4))]
            return "[" + ",".join(inner) + "]"
        keys = self.chance.choices([*_KEYS, "model", "model"], k=self.chance.randint(0, 4))
        return self.object([(self.text_key(key), self.value(depth - 1)) for key in keys])

    def text_key(self, key: str) -> str:
        return json.dumps(key, ensure_ascii=self.chance.random() < 0.5)

    def object(self, members: list[tuple[str, str]]) -> str:
        space = self.space
        pairs = [f"{space()}{key}{space()}:{space()}{value}{space()}" for key, value in members]
        return "{" + (",".join(pairs) or space()) + "}"

    def request(self, model: str) -> tuple[bytes, bytes]:
        """A body, and the same with the model's value replaced."""
        mark = "\x00model\x00"
        members = [(self.text_key(key), self.value(3)) for key in self.chance.sample(_KEYS, self.chance.randint(0, 6))]
        members.insert(self.chance.randint(0, len(members)), ('"model"', mark))
        whole = self.space() + self.object(members) + self.space()
        return whole.replace(mark, self.text(model)).encode(), whole.replace(mark, '"gpt-4o-mini"').encode()


async def test_bodies_reach_the_provider_byte_for_byte(running: Gateway, upstream: FakeUpstream) -> None:
    """300 seeded bodies under a route that renames: equal but for the model's own bytes."""
    writer = _Writer(random.Random(SEED))
    cases = [writer.request("fast") for _ in range(300)]
    sent = await _send(running, [body for body, _ in cases])
    seen = named(upstream.journal().requests(path=CHAT))
    for number, (body, expected) in enumerate(cases):
        assert sent[number] == 200, body
        assert body_of(seen[str(number)]) == expected


async def test_bodies_that_keep_their_model_are_identical(running: Gateway, upstream: FakeUpstream) -> None:
    """300 seeded bodies under `up/*`: not one byte differs, however the model is spelled."""
    writer = _Writer(random.Random(SEED + 1))
    bodies = [writer.request(writer.chance.choice(["slow", "a/b", "模型", 'q"t']))[0] for _ in range(300)]
    sent = await _send(running, bodies)
    seen = named(upstream.journal().requests(path=CHAT))
    for number, body in enumerate(bodies):
        assert sent[number] == 200, body
        assert body_of(seen[str(number)]) == body


async def _send(running: Gateway, bodies: list[bytes]) -> list[int]:
    async def one(wire: Wire, job: tuple[int, bytes]) -> int:
        await wire.request("POST", CHAT, job[1], as_named(str(job[0])))
        return (await wire.answer())[0]

    return await at_once(running.port, enumerate(bodies), one)


async def test_forms_reach_the_provider_byte_for_byte(running: Gateway, upstream: FakeUpstream) -> None:
    """Files hold anything, even what looks like the field; only the field's own value is replaced."""
    chance = random.Random(SEED + 2)
    cases, mark = [], b"\0the model's place\0"
    for _ in range(40):
        file = chance.randbytes(chance.randint(0, 400)) + b'\r\n name="model"\r\n\r\nfast\r\n--other\r\n'
        parts = [
            b'Content-Disposition: form-data; name="file"; filename="model"\r\nContent-Type: audio/wav\r\n\r\n' + file,
            b'content-disposition: form-data; name="language"\r\n\r\nde',
        ]
        parts.insert(chance.randint(0, 2), b'Content-Disposition: form-data; name="model"\r\n\r\n' + mark)
        whole = b"".join(b"--xyz\r\n" + part + b"\r\n" for part in parts) + b"--xyz--\r\n"
        cases.append((whole.replace(mark, b"fast"), whole.replace(mark, b"gpt-4o-mini")))
    path = "/v1/audio/transcriptions"

    async def one(wire: Wire, job: tuple[int, bytes]) -> int:
        headers = {**as_named(str(job[0])), "content-type": "multipart/form-data; boundary=xyz"}
        await wire.request("POST", path, job[1], headers)
        return (await wire.answer())[0]

    assert set(await at_once(running.port, enumerate([body for body, _ in cases]), one)) == {200}
    seen = named(upstream.journal().requests(path=path))
    assert [body_of(seen[str(number)]) for number in range(len(cases))] == [expected for _, expected in cases]


async def test_answers_reach_the_client_byte_for_byte(running: Gateway) -> None:
    """100 seeded JSON bodies, framed by length, by chunks or by the connection's end."""
    writer = _Writer(random.Random(SEED + 3))
    bodies = [writer.request("fast")[0] for _ in range(100)]

    async def one(wire: Wire, body: bytes) -> bytes:
        framing = writer.chance.choice(["length", "chunked", "close"])
        script = answer_of(body, "application/json", framing=framing, split=writer.chance.choice([1, 7, 1000]))
        await wire.request("POST", CHAT, ask(**script), HEADERS)
        status, got = await wire.answer()
        assert status == 200
        return got

    assert await at_once(running.port, bodies, one) == bodies


# What the client sends beside the request itself, and whether the provider may see it.
_PASS = {
    "accept": "application/json",
    "content-type": "application/json",
    "idempotency-key": "c",
    "openai-beta": "d",
    "traceparent": "00-e",
    "tracestate": "f",
    "x-passed": "by the policy",
}
_STOP = {
    "accept-encoding": "gzip, br",
    "accept-language": "de",
    "anthropic-beta": "a",  # for Anthropic alone
    "anthropic-version": "b",
    "api-key": "sk-canary",
    "authorization": f"Bearer {KEY}",
    "cookie": "session=canary",
    "dnt": "1",
    "forwarded": "for=10.0.0.1",
    "keep-alive": "timeout=5",
    "openai-organization": "org-canary",
    "openai-project": "proj-canary",
    "origin": "http://evil",
    "proxy-authorization": "Basic canary",
    "proxy-connection": "keep-alive",
    "referer": "http://evil",
    "te": "trailers",
    "trailer": "x-trailer",
    "user-agent": "canary/1",
    "via": "1.1 canary",
    "x-api-key": KEY,
    "x-forwarded-for": "10.0.0.1",
    "x-forwarded-host": "canary",
    "x-forwarded-proto": "https",
    "x-goog-api-key": KEY,
    "x-http-method-override": "DELETE",
    "x-original-url": "/admin",
    "x-real-ip": "10.0.0.1",
    "x-request-id": "canary",
    "x-sluicegate-tags": "user=ada",
    "x-team": "forged",
    "x-user-id": "canary",
}


async def test_only_listed_headers_reach_the_provider(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """No credential, no cookie, nothing about the client's connection, nothing that claims an identity."""
    found = await wire(running.port)
    await found.request("POST", CHAT, ask(), {**_STOP, **_PASS})
    assert (await found.answer())[0] == 200
    (seen,) = upstream.journal().requests(path=CHAT)
    own = {
        "host": f"127.0.0.1:{upstream.port}",
        "accept-encoding": "identity",
        "authorization": "Bearer sk-upstream",
        "content-length": str(seen["size"]),
        "user-agent": "sluicegate",
        "x-team": "search",
    }
    assert sorted(map(tuple, seen["headers"])) == sorted((_PASS | own).items())


async def test_headers_named_by_connection_end_here(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """A listed header that the client declares hop-by-hop does not pass; the others do."""
    found = await wire(running.port)
    headers = {**HEADERS, "connection": "keep-alive, X-Passed, traceparent", "x-passed": "a", "traceparent": "b"}
    await found.request("POST", CHAT, ask(), {**headers, "tracestate": "c"})
    assert (await found.answer())[0] == 200
    (seen,) = upstream.journal().requests(path=CHAT)
    names = {name for name, _ in seen["headers"]}
    assert "tracestate" in names
    assert not names & {"connection", "x-passed", "traceparent"}


async def test_connection_cannot_take_a_credential_away(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """Naming `authorization` as hop-by-hop is refused; it would make the request look anonymous to the next reader."""
    for named_one in ("authorization", "x-api-key", "content-length", "host"):
        found = await wire(running.port)
        await found.request("POST", CHAT, ask(), {**HEADERS, "connection": named_one})
        assert (await found.answer())[0] == 400
    assert not upstream.journal().requests()


@pytest.mark.parametrize("stream", [False, True])
async def test_only_listed_headers_reach_the_client(stream: bool, running: Gateway, wire: Any) -> None:
    """No cookie, no account, no limits of the account, nothing hop-by-hop; the gateway's own words are its own."""
    sent = {
        "set-cookie": ["a=1", "b=2"],
        "server": "canary",
        "alt-svc": "h3=canary",
        "openai-organization": "org-canary",
        "x-ratelimit-remaining-requests": "1",
        "x-sluicegate-route": "forged",
        "x-served-by": "forged",
        "access-control-allow-origin": "*",
        "strict-transport-security": "max-age=1",
        "keep-alive": "timeout=1",
        "connection": "keep-alive, x-hop",
        "x-hop": "canary",
        "retry-after": "3",
        "location": "http://evil",
        "www-authenticate": "Basic",
        "x-request-id": "req-theirs",
        "openai-processing-ms": "12",
        "openai-version": "2020",
        "content-language": "de",
    }
    found = await wire(running.port)
    await found.request("POST", CHAT, ask(stream=stream, headers=sent), HEADERS)
    assert (await found.answer())[0] == 200
    got = dict(found.headers)
    assert len(got) == len(found.headers)
    framing = "transfer-encoding" if stream else "content-length"
    passed = {"content-type", "content-language", "openai-processing-ms", "openai-version", "x-upstream-request-id"}
    own = {"x-request-id", "x-served-by", *(f"x-sluicegate-{name}" for name in _OWN)}
    own |= set() if stream else {"x-sluicegate-cost"}  # of a stream it is not known yet
    assert set(got) == {"date", framing} | passed | own
    assert (got["x-upstream-request-id"], got["x-sluicegate-route"], got["x-served-by"]) == (
        "req-theirs",
        "renamed",
        "gate",
    )
    assert got["x-request-id"].startswith("req_")


_OWN = ("route", "attempts", "generation", "overhead-ms", "target")
