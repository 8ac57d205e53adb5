"""SEC-03: thirty secrets, hundreds of failures, and not a trace of one in anything that leaves the process."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.environment import ROOT, clean_environment, free_port
from tests.support.gateway import Gateway
from tests.support.nursery import sluicegate
from tests.support.traffic import CHAT, at_once, told
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

_PIECE = 12  # so many characters in a row give a secret away


def _canary(name: str) -> str:
    """A secret that nothing else contains; the same in every run. Every second one needs escaping in a URL."""
    digest = hashlib.sha256(f"canary {name}".encode()).digest()
    text = base64.b85encode(digest).decode() if digest[0] % 2 else base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return "".join(sign if sign not in "\"'\\{}#$:&*!|>%@`<?" else "+" for sign in text)


NAMES = [
    *(f"literal {number}" for number in range(4)),
    *(f"env {number}" for number in range(6)),
    *(f"file {number}" for number in range(4)),
    *(f"header {number}" for number in range(4)),
    *(f"client {number}" for number in range(6)),
    *(f"bystander {number}" for number in range(6)),
]
CANARY = {name: _canary(name) for name in NAMES}


def _traces(secret: str) -> Iterator[str]:
    """Everything that would tell on a secret."""
    raw = secret.encode()
    for whole in (secret, raw.hex(), quote(secret, safe=""), hashlib.sha256(raw).hexdigest()):
        yield from (whole[at : at + _PIECE] for at in range(len(whole) - _PIECE + 1))
    for shift in range(3):  # base64 depends on what stands before
        coded = base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4].decode()
        for text in (coded, coded.replace("+", "-").replace("/", "_")):
            yield from (text[at : at + _PIECE] for at in range(len(text) - _PIECE + 1))


TRACES = {trace: name for name, secret in CANARY.items() for trace in _traces(secret)}


def search(text: str, where: str) -> None:
    """Fails if a trace of any secret is in ``text``."""
    for at in range(len(text) - _PIECE + 1):
        found = TRACES.get(text[at : at + _PIECE])
        assert found is None, f"{where} tells on {found!r}: …{text[max(0, at - 60) : at + 60]}…"


def test_the_search_finds_what_it_should() -> None:
    """Plain, in part, percent-encoded, in base64 at any place, in hex, hashed."""
    for secret in CANARY.values():
        raw = secret.encode()
        for text in (
            f"key={secret};",
            f"key={secret[5:18]}…",
            quote(secret, safe=""),
            base64.b64encode(b"user:" + raw).decode(),
            base64.urlsafe_b64encode(b"x" + raw + b"yz").decode(),
            raw.hex(),
            "sha256:" + hashlib.sha256(raw).hexdigest()[:20],
        ):
            with pytest.raises(AssertionError):
                search(text, "this")
    search("no secret at all, only a log line with req_0123456789abcdef01234567", "this")


def _config(upstream: FakeUpstream, folder: Path) -> str:
    """A secret in every place that holds one."""
    files = []
    for number in range(4):
        path = folder / f"secret{number}"
        path.write_text(CANARY[f"file {number}"] + "\n")
        files.append(f'"${{file:{path}}}"')
    keys = [hashlib.sha256(CANARY[f"client {number}"].encode()).hexdigest() for number in range(6)]
    header = [CANARY[f"header {number}"] for number in range(4)]
    plain = [f'"{CANARY[f"literal {number}"]}"' for number in range(4)]
    return f"""
listen: 127.0.0.1:8080
timeouts: {{first_token: 300ms, gap: 300ms, total: 700ms}}
log: {{level: debug}}
providers:
  literal: {{kind: openai, base_url: "{upstream.url}", api_key: {plain[0]}, headers: {{x-secret: "{header[0]}"}}}}
  env: {{kind: openai, base_url: "{upstream.url}", api_keys: ["${{env:CANARY0}}", "${{env:CANARY1}}"]}}
  file: {{kind: openai, base_url: "{upstream.url}", api_key: {files[0]}, headers: {{x-secret: "{header[1]}"}}}}
  spread: {{kind: openai, base_url: "{upstream.url}", api_keys: [{plain[1]}, {files[1]}, "${{env:CANARY2}}"]}}
  azure: {{kind: azure_openai, base_url: "{upstream.origin}", api_key: "${{env:CANARY3}}", api_version: v1}}
  nobody: {{kind: openai, base_url: "http://127.0.0.1:{free_port()}/v1", api_key: {plain[2]}}}
  tls: {{kind: openai, base_url: "https://127.0.0.1:{upstream.port}/v1", api_key: {plain[3]}}}
  nowhere: {{kind: openai, base_url: "http://nowhere.invalid/v1", api_key: {files[2]}}}
tenants:
  acme:
    teams:
      search:
        keys: {{a: {{hash: "sha256:{keys[0]}"}}, b: {{hash: "sha256:{keys[1]}", models: [none]}}}}
      old:
        keys: {{c: {{hash: "sha256:{keys[2]}", expires: 2020-01-01}}, d: {{hash: "sha256:{keys[3]}"}}}}
policies:
  all:
    - authenticate
    - allow_models
    - headers:
        request: {{set: {{x-one: "{header[2]}", x-two: "${{env:CANARY4}}", x-three: {files[3]}}}, pass: [x-passed]}}
    - tags: {{accept: [user]}}
routes:
  literal: {{models: ["literal-*"], policies: [{{use: all}}], target: literal/*}}
  env: {{models: ["env-*"], policies: [{{use: all}}], target: env/*}}
  file: {{models: ["file-*"], policies: [{{use: all}}], target: file/*}}
  spread: {{models: ["spread-*"], policies: [{{use: all}}], target: spread/*}}
  azure: {{models: ["azure-*"], policies: [{{use: all}}], target: azure/*}}
  nobody: {{models: ["nobody-*"], policies: [{{use: all}}], target: nobody/*}}
  tls: {{models: ["tls-*"], policies: [{{use: all}}], target: tls/*}}
  nowhere: {{models: ["nowhere-*"], policies: [{{use: all}}], target: nowhere/*}}
  chain:
    models: ["chain-*"]
    policies: [{{use: all}}]
    target: {{fallback: [nobody/x, tls/x, literal/x, file/x]}}
  any: {{policies: [{{use: all}}], match: {{path: ["/v1/files*"]}}, target: literal/*}}
"""


def _environment() -> dict[str, str]:
    found = {f"CANARY{number}": CANARY[f"env {number}"] for number in range(6)}
    bystanders = [
        "AWS_SECRET_ACCESS_KEY",
        "OPENAI_API_KEY",
        "DATABASE_URL",
        "GITHUB_TOKEN",
        "PGPASSWORD",
        "SESSION_SECRET",
    ]
    return found | {name: CANARY[f"bystander {number}"] for number, name in enumerate(bystanders)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the file and the secrets of this module are."""
    return tmp_path_factory.mktemp("secrets")


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream, folder: Path) -> Gateway:
    """One gateway for this file, its log as talkative as it gets."""
    return module_gateway(_config(upstream_process, folder), env=_environment(), args=("--log-level", "debug"))


# A provider that repeats the account's key in every way it fails, and other failures of every kind.
_ECHOES = ["Incorrect API key provided: {}. Authorization: Bearer {}", "{} may not do that, says {}"]
_KEYS_OF = {
    "literal": ["literal 0", "header 0", "header 2"],
    "env": ["env 0", "env 1"],
    "file": ["file 0", "header 1", "header 2"],
    "spread": ["literal 1", "file 1", "env 2"],
    "azure": ["env 3"],
}
_REACHED = [*_KEYS_OF, "chain"]
_SCRIPTS: list[dict[str, Any]] = [
    *({"status": status} for status in (400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504)),
    *({"status": status, "body": "<h1>no</h1>", "content_type": "text/html"} for status in (200, 400, 401, 500)),
    {"body": '{"half": '},
    {"status": 302, "headers": {"location": "http://127.0.0.1:1/"}},
    {"headers": {"content-encoding": "gzip"}},
    {"content_length": 99999, "framing": "length"},
    {"down": True},
    {"timeout": 0},
    {"reset_peer": 5, "ttft_ms": 100},
    {"limit_data": 30},
    {"tokens": 9, "die_after": 3, "how": "reset"},
    {"tokens": 9, "die_after": 3, "how": "fin"},
    {"tokens": 9, "gap_ms": 5000},
    {"tokens": 9, "done": False},
]


def _failures() -> list[tuple[str, bytes, list[tuple[str, str]], str]]:
    """Method and path, body, headers, name: some hundreds of requests that fail."""
    key, narrow, expired = (CANARY[f"client {number}"] for number in (0, 1, 2))
    bearer = [("authorization", f"Bearer {key}"), ("content-type", "application/json")]
    found: list[tuple[str, bytes, list[tuple[str, str]], str]] = []

    def chat(model: str, credential: list[tuple[str, str]], stream: bool = False, script: Any = None) -> None:
        body = {"model": model, "messages": [], "stream": stream, "script": script}
        found.append((f"POST {CHAT}", json.dumps(body).encode(), credential, f"{model} {script}"))

    for provider in _REACHED:
        for script in _SCRIPTS:
            secrets = [CANARY[name] for name in _KEYS_OF.get(provider, _KEYS_OF["literal"])]
            if "status" in script and "body" not in script:
                words = [" ".join(echo.format(one, one) for one in secrets) for echo in _ECHOES]
                bodies = [{"error": {"message": one, "type": "x", "code": one}} for one in words]
                scripts = [{**script, "body": body} for body in bodies]
            else:
                scripts = [script]
            for script, stream in itertools.product(scripts, (False, True)):
                chat(f"{provider}-1", bearer, stream, script)
    for provider in ("nobody", "tls", "nowhere"):
        chat(f"{provider}-1", bearer)
    for carrier in ("authorization", "x-api-key", "x-goog-api-key"):
        for secret in (narrow, expired, CANARY["client 4"], key[:-1], CANARY["literal 0"], CANARY["bystander 0"]):
            chat("literal-1", [(carrier, f"Bearer {secret}" if carrier == "authorization" else secret)])
        chat("literal-1", [*bearer, (carrier, CANARY["client 5"])])
        chat("literal-1", [(carrier, f"Basic {key}")])
    for body in (
        b"",
        b"{",
        b'{"model": 5}',
        b'{"model": "nobody-knows"}',
        b'{"model": "literal-1", "model": "x"}',
        b"\xff",
    ):
        found.append((f"POST {CHAT}", body, bearer, "bad body"))
    for path in (
        "/v1/nothing",
        "/v2",
        "/v1/files/../x",
        f"/v1/files?api_key={quote(key)}",
        f"/v1/nothing?key={quote(key)}",
    ):
        found.append((f"GET {path}", b"", bearer, path))
        found.append((f"PUT {path}", b"", [("x-api-key", CANARY["client 5"])], path))
    broken = [
        ("content-length", "x"),
        ("transfer-encoding", "gzip"),
        ("content-encoding", "gzip"),
        ("expect", "x"),
        ("bad header", "x"),
    ]
    for header in broken:
        found.append((f"POST {CHAT}", b"", [*bearer, ("x-api-key", key), header], f"{header}"))
    found.append((f"POST {CHAT}", b"", [("authorization Bearer", key)], "a malformed credential"))
    found.append((f"POST {CHAT}", b"", [*bearer, ("x-sluicegate-tags", "=;=")], "bad tags"))
    found.append((f"POST {CHAT}", b"", [*bearer, *((f"x-{number}", key) for number in range(120))], "too many headers"))
    return found


async def test_no_failure_tells_a_secret(running: Gateway, upstream: FakeUpstream) -> None:
    """Hundreds of failures of dozens of kinds; log, bodies, headers, /metrics and /readyz are searched."""
    failures = _failures()
    secrets = {name: CANARY[name] for name in CANARY if not name.startswith("bystander")}

    async def one(wire: Wire, job: tuple[str, bytes, list[tuple[str, str]], str]) -> int:
        line, body, headers, name = job
        lines = [f"{line} HTTP/1.1", "host: test", *(f"{key}: {value}" for key, value in headers)]
        if not any(key == "content-length" for key, _ in headers):
            lines.append(f"content-length: {len(body)}")
        await wire.send("\r\n".join([*lines, "", ""]).encode() + body)
        status, answer, _ = await told(wire)
        search(f"{wire.headers}", f"headers of the answer to {name}")
        search(answer.decode("utf-8", "replace"), f"the answer to {name}")
        return status

    statuses = await at_once(running.port, failures, one)
    assert len(failures) > 300
    assert len(set(statuses)) >= 8
    await _leave_early(running)
    for path in ("/metrics", "/readyz", "/healthz", "/v1/models"):
        search(running.get(path, {"x-api-key": CANARY["client 0"]})[1].decode(), path)
    search(running.output(), "the log")
    # The accounts' secrets did reach their provider: this test has looked for what was really there.
    sent = {value.removeprefix("Bearer ") for one in upstream.journal().requests() for _, value in one["headers"]}
    used = {name for name, secret in secrets.items() if secret in sent}
    assert {
        "literal 0",
        "literal 1",
        "env 0",
        "env 3",
        "env 4",
        "file 0",
        "file 1",
        "file 3",
        "header 0",
        "header 2",
    } <= used
    assert not any(name.startswith("client") for name in used)


async def _leave_early(running: Gateway) -> None:
    for number in range(5):
        wire = await Wire.open(running.port)
        body = {"model": "literal-1", "messages": [], "script": {"head_ms": 300}}
        await wire.request("POST", CHAT, body, {"authorization": f"Bearer {CANARY['client 0']}"})
        wire.reset() if number % 2 else wire.close()


# Files with a mistake at a secret. `@` is where the secret stands.
_MISTAKES = [
    "providers: {p: {kind: openai, api_key: [@]}}",
    "providers: {p: {kind: openai, api_key: {value: @}}}",
    "providers: {p: {kind: openai, api_kye: @}}",
    "providers: {p: {kind: openai, api_key: @, api_key: @}}",
    "providers: {p: {kind: openai, api_key: @, api_keys: [@]}}",
    "providers: {p: {kind: openai, api_keys: @}}",
    "providers: {p: {kind: openai, api_keys: [[@]]}}",
    'providers: {p: {kind: openai, api_key: "@\\n"}}',
    'providers: {p: {kind: openai, api_key: "@é\\u2028"}}',
    "providers: {p: {kind: openai, api_key: !secret @}}",
    'providers: {p: {kind: openai, api_key: "@}}',
    "providers: {p: {kind: openai, api_key: @: x}}",
    "providers: {p: {kind: openai, api_key: &a @, organization: *b}}",
    "providers: {p: {kind: openai, headers: {x-a: [@]}}}",
    'providers: {p: {kind: openai, headers: {x-a: "@\\r\\nx: y"}}}',
    "providers: {p: {kind: openai, headers: @}}",
    'providers: {p: {kind: openai, base_url: "https://user:@@host/v1"}}',
    'providers: {p: {kind: azure_openai, api_key: [@], base_url: "https://x.example"}}',
    "tenants: {a: {teams: {t: {keys: {k: @}}}}}",
    "tenants: {a: {teams: {t: {keys: {k: {hash: @}}}}}}",
    'tenants: {a: {teams: {t: {keys: {k: {hash: "sha256:@"}}}}}}',
    "tenants: {a: {teams: {t: {keys: {k: {hash: [@]}}}}}}",
    "policies: {x: [{headers: {request: {set: {x-a: [@]}}}}]}",
    'policies: {x: [{headers: {request: {set: {x-a: "@\\n"}}}}]}',
    "policies: {x: [{headers: {request: {set: {authorization: @}}}}]}",
    "policies: {x: [{headers: {request: {set: @}}}]}",
]


def _run(folder: Path, *args: str) -> str:
    done = sluicegate(*args, folder=folder, environment=_environment())
    return done.stdout + done.stderr


_CHECK = """
import contextlib, io, sys
from proxy.cli import main
for path in sys.argv[1:]:
    for more in ([], ["--json"]):
        with contextlib.suppress(SystemExit):
            print("exit", main(["check", "--config", path, *more]), flush=True)
"""


def test_a_mistake_at_a_secret_is_reported_without_it(folder: Path) -> None:
    """`check` says where and what, in text and in JSON; never the value. All in one process, as each start costs."""
    secret = CANARY["literal 0"]
    good = "\nproviders: {sim: {kind: simulated}}\nroutes: {r: {target: sim/x}}\n"
    paths = []
    for number, mistake in enumerate(_MISTAKES):
        section = mistake.partition(":")[0]
        rest = "\n".join(line for line in good.splitlines() if not line.startswith(f"{section}:"))
        path = folder / f"mistake{number}.yaml"
        path.write_text(f"{mistake.replace('@', secret)}\n{rest}\n")
        paths.append(str(path))
    done = subprocess.run(
        [sys.executable, "-c", _CHECK, *paths],
        cwd=folder,
        capture_output=True,
        env=clean_environment(PYTHONPATH=str(ROOT), **_environment()),
        timeout=60,
        check=False,
    )
    output = (done.stdout + done.stderr).decode()
    assert output.count("exit 2") == 2 * len(paths), output
    assert "Traceback" not in output
    for line in output.splitlines():
        search(line, "check")


def test_check_and_explain_of_a_good_file_tell_nothing(running: Gateway, folder: Path) -> None:
    """With real secrets resolved, and a caller's key on the command line."""
    config, key = str(running.config), CANARY["client 0"]
    for args in (
        ("check", "--config", config),
        ("check", "--json", "--config", config),
        ("explain", "--config", config, "--model", "spread-1", "--key", key),
        ("explain", "--json", "--config", config, "--model", "chain-1", "--key", key, "--header", f"cookie: {key}"),
        ("explain", "--json", "--config", config, "--model", "azure-1", "--key", CANARY["client 5"]),
    ):
        output = _run(folder, *args)
        assert output
        assert "Traceback" not in output
        search(output, " ".join(args[:2]))


async def test_a_bad_reload_tells_no_secret(running: Gateway) -> None:
    """The log and `/readyz` name the problem; the value stays out of both."""
    good = running.config.read_text()

    async def problems(text: str) -> str:
        """`/readyz`, once it has something to say about this file; or nothing more to say."""
        running.write(text)
        async with asyncio.timeout(10):
            while True:
                found = running.get("/readyz")[1].decode()
                if ("api_kee" in found) == (text != good):
                    return found
                await asyncio.sleep(0.02)

    for mistake in ("api_kee", "api_key: {x: y}, api_kee"):
        search(await problems(good.replace("api_key", mistake, 1)), "/readyz")
        search(await problems(good), "/readyz")
    search(running.output(), "the log")
