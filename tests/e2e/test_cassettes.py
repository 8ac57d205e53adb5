"""What was recorded is replayed byte for byte, in every inbound dialect, without a provider and without a secret."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import httpx2
import openai
import pytest

from proxy.cassettes.cassette import load
from tests.e2e.test_commands import run
from tests.support import books
from tests.support.environment import ROOT, clean_environment
from tests.support.gateway import Gateway
from tests.support.upstream import FakeUpstream

MakeGateway = Any
OWN, CALLERS, TOLD = "sk-own-canary-0123456789", "sk-callers-canary-0123456789", "cus_77777"
CALL = {"kind": "call", "name": "f", "id": "call_1", "pieces": ['{"city": ', '"Paris"}']}
SCRIPTS: dict[str, dict[str, Any]] = {
    "says": {"tokens": ["Par", "is", " é"], "gap_ms": 1},
    "calls": {"say": {"parts": [CALL], "stop": "tool_calls"}},
    "refuses": {"status": 400, "body": {"error": {"message": "No.", "type": "invalid_request_error", "code": "bad"}}},
    "fails": {"status": 500},
    "breaks": {"tokens": ["Par", "is", ".", ".", "."], "die_after": 3, "how": "reset"},
}
NO_NETWORK = """
import sys

def refuse(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] not in ("127.0.0.1", "localhost", "::1"):
        raise RuntimeError(f"a connection beyond the loopback: {args[1]}")
    if event == "socket.getaddrinfo" and args[0] not in ("127.0.0.1", "localhost", "::1", None):
        raise RuntimeError(f"a name beyond the loopback: {args[0]}")

sys.addaudithook(refuse)
"""
_FUNCTION: dict[str, Any] = {"name": "f", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}


def asked(dialect: str, model: str, *, stream: bool, text: str = "Hello") -> tuple[str, dict[str, Any]]:
    """Path and body of a question with a tool, in one of the inbound dialects."""
    said: Any = [{"role": "user", "content": text}]
    shape = _FUNCTION["parameters"]
    if dialect == "openai_chat":
        tools: Any = [{"type": "function", "function": _FUNCTION}]
        return "/v1/chat/completions", {"model": model, "messages": said, "tools": tools, "stream": stream}
    if dialect == "openai_responses":
        tools = [{"type": "function", **_FUNCTION}]
        return "/v1/responses", {"model": model, "input": text, "tools": tools, "stream": stream}
    if dialect == "anthropic_messages":
        tools = [{"name": "f", "input_schema": shape}]
        return "/v1/messages", {"model": model, "messages": said, "tools": tools, "stream": stream, "max_tokens": 99}
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    contents = [{"role": "user", "parts": [{"text": text}]}]
    return f"/v1beta/models/{model}:{verb}", {"contents": contents, "tools": [{"functionDeclarations": [_FUNCTION]}]}


DIALECTS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")
CASES = [(dialect, model, stream) for dialect in DIALECTS for model in SCRIPTS for stream in (False, True)]
SECRETS = f"My key is {CALLERS}, yours {OWN}, I am {TOLD}."


def config(url: str, folder: Path, *, live: str = "") -> str:
    """Providers that speak one dialect, so that three of four inbound ones are translated. ``live``: beside the one of
    which all is recorded."""
    taped = (
        "".join(f"  {model}: {{models: [taped-{model}], target: tape/{model}}}\n" for model in SCRIPTS) if live else ""
    )
    return f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: {OWN}}}
  live: {{kind: openai, base_url: "{live or url}", api_key: sk-live}}
{f"  tape: {{kind: replay, cassette: {folder}/all.yaml}}" if live else ""}
routes:
{taped}
  many: {{models: [many], policies: [record: {{cassette: {folder}/many.yaml, mode: new}}], target: live/*}}
  all:
    policies: [record: {{cassette: {folder}/all.yaml, mode: once, redact: ["cus_[0-9]+"]}}]
    target: up/*
"""


async def ask(client: httpx2.AsyncClient, url: str, body: Any) -> tuple[int, str, bytes, bool]:
    """Status, type and body; whether it came to its end."""
    content, is_whole = b"", True
    async with client.stream("POST", url, json=body) as answer:
        try:
            async for chunk in answer.aiter_bytes():
                content += chunk
        except httpx2.RemoteProtocolError:
            is_whole = False
    return answer.status_code, answer.headers["content-type"], content, is_whole


def caller() -> httpx2.AsyncClient:
    """With a credential. Its certificates take a while to read, so there is one for each test."""
    return httpx2.AsyncClient(timeout=30, headers={"authorization": f"Bearer {CALLERS}"})


async def ask_all(running: Gateway, prefix: str = "") -> list[tuple[int, str, bytes, bool]]:
    """Every case, at once."""
    questions = (asked(case[0], prefix + case[1], stream=case[2], text=SECRETS) for case in CASES)
    async with caller() as client:
        return await asyncio.gather(*(ask(client, running.origin + path, body) for path, body in questions))


async def written(path: Path, count: int) -> None:
    """Wait until so many takes are on a cassette."""
    end = time.monotonic() + 20
    while len(load(path).entries) != count:
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


class Tape(NamedTuple):
    """A cassette with every case on it, the answers as their callers had them, and a gateway that replays it."""

    path: Path
    answers: list[tuple[int, str, bytes, bool]]
    recording: Gateway
    replaying: Gateway


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory, module_gateway: MakeGateway, upstream_process: FakeUpstream) -> Tape:
    """Recorded once."""
    folder = tmp_path_factory.mktemp("tape") / "cassettes"
    for model, script in SCRIPTS.items():
        upstream_process.tell(model, **script)
    recording = module_gateway(config(upstream_process.url, folder))
    answers = asyncio.run(ask_all(recording))
    asyncio.run(written(folder / "all.yaml", len(CASES)))
    replaying = module_gateway(config("http://127.0.0.1:9/v1", folder, live=upstream_process.url))
    return Tape(folder / "all.yaml", answers, recording, replaying)


async def test_every_case_is_what_it_should_be(tape: Tape) -> None:
    """Else the other tests would compare one failure with another."""
    by_case = dict(zip(CASES, tape.answers, strict=True))
    for dialect in DIALECTS:
        for stream in (False, True):
            assert by_case[dialect, "says", stream][0] == 200
            assert "é".encode() in by_case[dialect, "says", stream][2]
            assert b"city" in by_case[dialect, "calls", stream][2]
            assert by_case[dialect, "refuses", stream][0] == 400
            assert by_case[dialect, "fails", stream][0] >= 500
        assert b"error" in by_case[dialect, "breaks", True][2]


async def test_replays_are_byte_for_byte(tape: Tape, upstream: FakeUpstream) -> None:
    """By the policy, on a route whose provider cannot be reached."""
    for case, before, after in zip(CASES, tape.answers, await ask_all(tape.replaying), strict=True):
        assert after == before, case
    assert not upstream.journal().requests()


async def test_a_cassette_is_a_provider(tape: Tape, upstream: FakeUpstream) -> None:
    """The same from `kind: replay`, whose failures are held against nobody: all of them are told again and again."""
    for _ in range(2):
        for case, before, after in zip(CASES, tape.answers, await ask_all(tape.replaying, "taped-"), strict=True):
            assert after == before, case
    assert not upstream.journal().requests()


def test_no_secret_is_recorded(tape: Tape) -> None:
    """Of the file, of the caller, and what the file says is one; in no body, header, event or log line."""
    written = tape.path.read_text()
    for secret in (OWN, CALLERS, TOLD):
        assert secret not in written
        assert secret not in tape.recording.output() + tape.replaying.output()
    assert "My key is ***, yours ***, I am ***." in written
    assert tape.path.stat().st_mode & 0o777 == 0o600


def test_everything_is_recorded(tape: Tape) -> None:
    """Each case once; also what failed and what broke off (before its head, where a stream begins with no content)."""
    found = load(tape.path)
    assert not found.flaws
    assert len(found.entries) == len(CASES)
    cut = {entry.take.request.path for entry in found.entries if entry.take.response.cut is not None}
    assert cut == {"/v1/chat/completions", "/v1/messages", "/v1beta/models/breaks:streamGenerateContent"}


async def test_replays_cost_nothing_and_are_flagged(tape: Tape) -> None:
    """No attempt, no row of the ledger, a header, a note, a metric."""
    path, body = asked("openai_chat", "says", stream=False, text=SECRETS)
    async with caller() as client:
        answer = await client.post(tape.replaying.origin + path, json=body)
    assert answer.headers["x-sluicegate-cassette"] == "replayed"
    assert answer.headers["x-sluicegate-attempts"] == "0"
    assert float(answer.headers["x-sluicegate-cost"]) == 0
    line = await tape.replaying.logged("request", request_id=answer.headers["x-request-id"])
    assert line["notes"]["record"] == f"replayed: {tape.path}"
    assert "cost_usd" not in line
    assert b'sluicegate_cassette_requests_total{result="replayed",route="all"}' in tape.replaying.get("/metrics")[1]
    assert books.rows(books.state(tape.replaying)) == []


@pytest.mark.parametrize("prefix", ["", "taped-"], ids=["record", "replay"])
async def test_a_miss_shows_the_nearest_request(tape: Tape, prefix: str) -> None:
    """With take, line, path and both values; no secret among them."""
    path, body = asked("openai_chat", f"{prefix}calls", stream=False, text=SECRETS.replace("My key", "Your key"))
    async with caller() as client:
        status, _, content, _ = await ask(client, tape.replaying.origin + path, body | {"temperature": 0.5})
    error = json.loads(content)["error"]
    assert (status, error["code"]) == (404, "cassette_miss")
    message = error["message"]
    assert f"{tape.path} holds no answer to this POST /v1/chat/completions" in message
    assert 'messages[0].content: recorded "My key is ***' in message
    assert 'sent "Your key is ***' in message
    assert "temperature: recorded nothing, sent 0.5" in message
    assert "calls" not in message.partition("differs in")[2], "the same model is nearer than another"
    assert CALLERS not in message


async def test_official_clients_read_replays(tape: Tape) -> None:
    """As they read a provider: text, calls of tools, errors."""
    origin = tape.replaying.origin
    with openai.OpenAI(base_url=f"{origin}/v1", api_key=CALLERS, max_retries=0) as chat:
        _, body = asked("openai_chat", "says", stream=True, text=SECRETS)
        pieces = [
            event.choices[0].delta.content or "" for event in chat.chat.completions.create(**body) if event.choices
        ]
        assert "".join(pieces) == "Paris é"
        _, body = asked("openai_responses", "calls", stream=False, text=SECRETS)
        assert json.loads(chat.responses.create(**body).output[0].arguments) == {"city": "Paris"}
        _, body = asked("openai_chat", "refuses", stream=False, text=SECRETS)
        with pytest.raises(openai.BadRequestError, match="No"):
            chat.chat.completions.create(**body)
    with anthropic.Anthropic(base_url=origin, api_key=CALLERS, max_retries=0) as claude:
        _, body = asked("anthropic_messages", "says", stream=False, text=SECRETS)
        assert claude.messages.create(**body).content[0].text == "Paris é"


async def test_new_records_what_is_missing_by_many_at_once(tape: Tape, upstream: FakeUpstream) -> None:
    """Two gateways on one cassette: no take is lost or torn; what is there is asked of nobody, also just before it is
    written."""
    upstream.tell("many", text="Yes")
    both = tape.recording, tape.replaying

    async def one(client: httpx2.AsyncClient, number: int) -> int:
        path, body = asked("openai_chat", "many", stream=bool(number % 3), text=str(number))
        return (await ask(client, both[number % 2].origin + path, body))[0]

    async with caller() as client:
        assert set(await asyncio.gather(*(one(client, number) for number in range(60)))) == {200}
        assert await one(client, 7) == 200
    assert len(upstream.journal().requests()) == 60
    await written(tape.path.with_name("many.yaml"), 60)


def test_a_foreign_or_broken_cassette_is_named(tape: Tape, tmp_path: Path) -> None:
    """`check` says file, line, column, what is wrong, and how much is not read."""
    text = tape.path.read_text()
    (tmp_path / "later.yaml").write_text(text.replace('{"cassette": 1}', '{"cassette": 2}', 1))
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines) if '"method"' in line)
    lines[at] = lines[at].replace('"method"', "method")
    (tmp_path / "broken.yaml").write_text("\n".join(lines)[:-30])
    file = "providers: {p: {kind: simulated}}\nroutes:\n"
    for name in ("later", "broken", "absent"):
        record = f"[record: {{cassette: {name}.yaml, mode: none}}]"
        file += f"  {name}: {{models: [{name}], policies: {record}, target: p/x}}\n"
    (tmp_path / "gateway.yaml").write_text(file)
    done = run("check", cwd=tmp_path)
    said = done.stderr
    assert done.returncode == 2
    version = "later.yaml:1:1: a cassette of version 2, of which this gateway reads version 1"
    assert f"gateway.yaml:3:58 routes.later.policies[0].record.cassette: {version}" in said
    assert f"{len(CASES)} takes not read" in said
    assert f"broken.yaml:{at + 1}:" in said
    assert "the take breaks off; the take is not read" in said
    assert "absent.yaml: there is no such cassette" in said


def test_the_tests_of_an_app_run_on_a_cassette_without_network(tmp_path: Path) -> None:
    """The example's own suite; nothing in it, or in the gateway that it starts, may look beyond the loopback."""
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "examples/tests-on-a-cassette"],
        cwd=ROOT,
        env=clean_environment(PYTHONPATH=f"{tmp_path}:{ROOT}", PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()[-3000:]
    assert b"5 passed" in done.stdout
    probe = [sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 80), 1)"]
    refused = subprocess.run(
        probe, env=clean_environment(PYTHONPATH=str(tmp_path)), capture_output=True, timeout=30, check=False
    )
    assert b"beyond the loopback" in refused.stderr
