"""What is compared: the bare relay, this gateway with its default policies, and the peers that are installed.

A peer is never a dependency. It is measured if an environment variable says where it is:

``SLUICEGATE_BENCH_LITELLM``  a virtual environment with LiteLLM:
                              ``python -m venv V && V/bin/pip install 'litellm[proxy]'``, then ``…LITELLM=V``
``SLUICEGATE_BENCH_PORTKEY``  a folder with Portkey's gateway:
                              ``npm install --prefix P @portkey-ai/gateway``, then ``…PORTKEY=P``
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.bench.load import Verify
from tests.bench.process import CANDIDATE_CORE, Process
from tests.bench.wire import CREDENTIAL, EVENTS, SCRIPTS

KEY = "sk-bench-caller"
MODELS = ("bench-1k", "bench-100k", "bench-stream", "bench-paced")
PEERS = {
    "SLUICEGATE_BENCH_LITELLM": "python -m venv V && V/bin/pip install 'litellm[proxy]'",
    "SLUICEGATE_BENCH_PORTKEY": "npm install --prefix P @portkey-ai/gateway",
}


class Candidate(NamedTuple):
    """How to start one (port, scratch directory → process), how to talk to it, and how strictly to read its answers."""

    name: str
    start: Callable[[int, Path], Process]
    ready: str
    headers: str = ""
    exact: bool = True  # the answer must equal the upstream's, byte for byte
    peer: bool = False
    patience: float = 20.0


def candidates(upstream: int) -> list[Candidate]:
    """Everyone who can take part, in the order of the report."""
    found = [_relay(upstream), _gateway(upstream)]
    if os.environ.get("SLUICEGATE_BENCH_LITELLM"):
        found.append(_litellm(upstream, Path(os.environ["SLUICEGATE_BENCH_LITELLM"])))
    if os.environ.get("SLUICEGATE_BENCH_PORTKEY"):
        found.append(_portkey(upstream, Path(os.environ["SLUICEGATE_BENCH_PORTKEY"])))
    return found


def verifier(model: str, exact: bool) -> Verify:
    """Says what is wrong with an answer to ``model``, if anything. Peers may write the same answer differently."""
    expected = SCRIPTS[model].body
    streamed = expected.startswith(b"data:")

    def verify(status: bytes, body: bytes) -> str | None:
        if status != b"200":
            return f"status {status.decode(errors='replace')}: {body[:200].decode(errors='replace')}"
        if body == expected:
            return None
        if exact:
            return f"a body of {len(body)} bytes that is not the upstream's {len(expected)}"
        if streamed:
            complete = body.rstrip().endswith(b"[DONE]") and body.count(b"data:") >= EVENTS * 0.9
        else:
            complete = len(body) >= len(expected) * 0.5 and body.rstrip().endswith(b"}")
        return None if complete else f"an incomplete answer of {len(body)} bytes"

    return verify


def _relay(upstream: int) -> Candidate:
    def start(port: int, scratch: Path) -> Process:
        command = [sys.executable, "-m", "tests.bench.relay", f"http://127.0.0.1:{upstream}", str(port)]
        return Process(command, scratch / "relay.log", {"BENCH_UPSTREAM_KEY": CREDENTIAL}, core=CANDIDATE_CORE)

    return Candidate("relay", start, "/readyz")


def gateway_file(upstream: int, port: int) -> str:
    """The file of the gateway under measurement: one account, the default policies, four limits on each of three
    levels that are never reached, and every request in the ledger."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    limits = 'limits: [100M/min, 100G tokens/min, "$100000000/month", 100k concurrent]'
    return f"""\
listen: 127.0.0.1:{port}
log: {{level: info, format: json}}
providers:
  upstream:
    {{kind: openai, base_url: "http://127.0.0.1:{upstream}/v1", api_key: {CREDENTIAL}, max_connections: 1024,
     models: {{"*": {{price: {{input: $1, output: $2}}}}}}}}
tenants:
  bench:
    {limits}
    teams:
      bench:
        {limits}
        keys: {{caller: {{hash: "sha256:{digest}", {limits}}}}}
routes:
  chat:
    models: ["bench-*"]
    policies:
      - authenticate
      - quota
      - tags: {{accept: [user]}}
      - headers: {{request: {{set: {{x-team: bench}}}}, response: {{remove: [openai-processing-ms]}}}}
      - allow_models: {{models: ["bench-*"]}}
    target: upstream/*
"""


def start_gateway(upstream: int, port: int, scratch: Path, file: str | None = None) -> Process:
    """Start ``sluicegate serve``; its log lines are written and thrown away."""
    path = scratch / "gateway" / "gateway.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(file or gateway_file(upstream, port))
    command = [sys.executable, "-m", "proxy.cli", "serve", "--config", str(path)]
    env = {"SLUICEGATE_STATE_DIR": str(scratch / "state")}
    return Process(command, scratch / "gateway.log", env, core=CANDIDATE_CORE)


def _gateway(upstream: int) -> Candidate:
    return Candidate("sluicegate", lambda port, scratch: start_gateway(upstream, port, scratch), "/readyz")


def _litellm(upstream: int, venv: Path) -> Candidate:
    def start(port: int, scratch: Path) -> Process:
        models = [
            {
                "model_name": model,
                "litellm_params": {
                    "model": f"openai/{model}",
                    "api_base": f"http://127.0.0.1:{upstream}/v1",
                    "api_key": CREDENTIAL,
                },
            }
            for model in MODELS
        ]
        path = scratch / "litellm.json"  # JSON is YAML
        path.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}))
        command = [str(venv / "bin" / "litellm"), "--config", str(path), "--host", "127.0.0.1", "--port", str(port)]
        env = {"LITELLM_LOG": "ERROR", "LITELLM_TELEMETRY": "False", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        return Process([*command, "--num_workers", "1"], scratch / "litellm.log", env, core=CANDIDATE_CORE)

    return Candidate("LiteLLM", start, "/health/liveliness", exact=False, peer=True, patience=90.0)


def _portkey(upstream: int, folder: Path) -> Candidate:
    def start(port: int, scratch: Path) -> Process:
        server = folder / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
        command = ["node", str(server), f"--port={port}", "--headless"]
        env = {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
        return Process(command, scratch / "portkey.log", env, core=CANDIDATE_CORE)

    host = f"http://127.0.0.1:{upstream}/v1"
    headers = f"x-portkey-provider: openai\r\nx-portkey-custom-host: {host}\r\n"
    return Candidate("Portkey", start, "/", headers, exact=False, peer=True, patience=60.0)
