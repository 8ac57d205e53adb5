"""What operators see: health, readiness, metrics, one log line per request, several workers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import free_port

SIMULATED = """
listen: 127.0.0.1:8080
providers:
  sim: {kind: simulated}
routes:
  chat:
    models: [fast]
    policies:
      - tags: {accept: [user]}
    target: sim/fast
"""
ASK = {"model": "fast", "messages": [{"role": "user", "content": "my secret question"}]}


def _value(metrics: str, name: str, **labels: str) -> float:
    """The value of one series, 0 if there is none."""
    total = 0.0
    for line in metrics.splitlines():
        if line.startswith(f"{name}{{") and all(f'{key}="{value}"' in line for key, value in labels.items()):
            total += float(line.rpartition(" ")[2])
    return total


async def test_health_and_readiness(gateway: Any) -> None:
    """Alive, ready, and which generation."""
    running = gateway(SIMULATED)
    assert running.get("/healthz") == (200, b'{"status":"ok"}')
    status, body = running.get("/readyz")
    assert (status, json.loads(body)["status"], json.loads(body)["generation"]) == (200, "ready", 1)


async def test_metrics_count_what_happened(gateway: Any, wire: Any) -> None:
    """Requests by route, operation and status; attempts by target; nothing labelled by what a client says."""
    running = gateway(SIMULATED)
    connection = await wire(running.port)
    for _ in range(3):
        assert (await connection.exchange("POST", "/v1/chat/completions", ASK))[0] == 200
    for model in ("nobody-knows-1", "nobody-knows-2"):
        assert (await connection.exchange("POST", "/v1/chat/completions", {**ASK, "model": model}))[0] == 404
    await running.logged("request", status=404)
    text = running.get("/metrics")[1].decode()
    assert _value(text, "sluicegate_requests_total", route="chat", operation="chat", status="200") == 3
    assert _value(text, "sluicegate_requests_total", route="", status="404") == 2
    assert _value(text, "sluicegate_attempts_total", target="sim/fast", outcome="ok") == 3
    assert "nobody-knows" not in text
    assert re.search(r"^sluicegate_requests_in_flight 0.0$", text, re.MULTILINE)


async def test_one_log_line_per_request_without_what_was_said(gateway: Any, wire: Any) -> None:
    """Who, where, how long, how it ended; no content and no credential."""
    running = gateway(SIMULATED)
    connection = await wire(running.port)
    headers = {"x-sluicegate-tags": "user=ada", "authorization": "Bearer sk-very-secret"}
    await connection.exchange("POST", "/v1/chat/completions", ASK, headers)
    line = await running.logged("request")
    assert (line["status"], line["route"], line["model"], line["tags"]) == (200, "chat", "fast", {"user": "ada"})
    assert [attempt[:2] for attempt in line["attempts"]] == [["sim/fast", "ok"]]
    assert line["request_id"] == connection.header("x-request-id")
    assert "secret" not in running.output()


async def test_workers_share_the_port_and_sum_their_metrics(gateway: Any, wire: Any) -> None:
    """Two processes answer; either tells the metrics of both; both take a new file; a dead one is replaced."""
    running = gateway(SIMULATED, args=("--workers", "2"))
    async with asyncio.timeout(10):
        while len(running.log("serve.started")) < 2:  # one that starts later finds the new file at once
            await asyncio.sleep(0.02)
    for _ in range(20):
        connection = await wire(running.port)
        assert (await connection.exchange("POST", "/v1/chat/completions", ASK))[0] == 200
        connection.close()
    async with asyncio.timeout(10):
        while len(running.log("request")) < 20:  # a request is counted after its last byte
            await asyncio.sleep(0.02)
    for _ in range(4):
        assert _value(running.get("/metrics")[1].decode(), "sluicegate_requests_total", route="chat") == 20
    running.write(SIMULATED.replace("[fast]", "[slow, fast]"))
    await running.reloaded(2)
    async with asyncio.timeout(10):
        while len(running.log("reload.applied")) < 2:
            await asyncio.sleep(0.02)
    children = _children(running.pid)
    assert len(children) >= 2
    os.kill(children[-1], signal.SIGKILL)
    async with asyncio.timeout(10):
        while len(set(_children(running.pid)) - {children[-1]}) < len(children):
            await asyncio.sleep(0.02)
    connection = await wire(running.port)
    assert (await connection.exchange("POST", "/v1/chat/completions", ASK))[0] == 200
    assert running.stop() == 0


def _children(pid: int) -> list[int]:
    """Process ids of the workers, oldest first."""
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in found if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()]


async def test_a_worker_that_dies_over_a_bad_file_is_replaced_when_it_is_mended(gateway: Any, wire: Any) -> None:
    """The others serve on meanwhile; nothing ends because somebody is editing."""
    running = gateway(SIMULATED, args=("--workers", "2"))
    async with asyncio.timeout(10):
        while len(running.log("serve.started")) < 2:
            await asyncio.sleep(0.02)
    running.write("routes: [")
    async with asyncio.timeout(10):
        while len(running.log("reload.refused")) < 2:
            await asyncio.sleep(0.02)
    os.kill(_children(running.pid)[-1], signal.SIGKILL)
    async with asyncio.timeout(15):
        while not re.search(r"^/\S*gateway\.yaml:\d+:\d+ ", running.output(), re.MULTILINE):
            await asyncio.sleep(0.02)
    connection = await wire(running.port)
    assert (await connection.exchange("POST", "/v1/chat/completions", ASK))[0] == 200
    running.write(SIMULATED)
    async with asyncio.timeout(10):
        while len(running.log("serve.started")) < 3:
            await asyncio.sleep(0.02)
    assert running.stop() == 0


async def test_hang_up_reads_the_file_again(gateway: Any) -> None:
    """SIGHUP reloads even an unchanged file: secrets behind it may be new."""
    running = gateway(SIMULATED)
    running.signal(signal.SIGHUP)
    await running.reloaded(2)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("listen: 127.0.0.1:8080\nroutes: {", "a value is missing"),
        (SIMULATED.replace("models", "modles"), "models"),
    ],
)
async def test_a_wrong_file_is_reported_and_nothing_starts(broken: str, words: str, gateway: Any) -> None:
    """Exit code 2, position and reason, no traceback."""
    running = gateway(broken, ready=False)
    assert await asyncio.to_thread(running.wait) == 2
    assert re.search(rf"gateway\.yaml:\d+:\d+ .*{words}", running.output())
    assert "Traceback" not in running.output()


async def test_an_address_in_use_is_said_plainly(gateway: Any) -> None:
    """Exit code 1 and the address."""
    running = gateway(SIMULATED)
    second = gateway(SIMULATED, args=("--listen", f"127.0.0.1:{running.port}"), ready=False)
    assert await asyncio.to_thread(second.wait) == 1
    assert f"127.0.0.1:{running.port}" in second.output()
    assert "Traceback" not in second.output()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_hang_up_at_any_moment_of_the_start_ends_nothing(workers: int, gateway: Any) -> None:
    """From the first line of the process on that can know of it."""
    running = gateway(SIMULATED, args=("--workers", str(workers)), ready=False)
    status = Path(f"/proc/{running.pid}/status")
    async with asyncio.timeout(10):
        while not _survives_a_hang_up(status):
            await asyncio.sleep(0.002)
        while len(running.log("serve.started")) < workers:
            running.signal(signal.SIGHUP)
            await asyncio.sleep(0.002)
    await running.reloaded(1)
    assert running.stop() == 0
    assert "died" not in running.output()


def _survives_a_hang_up(status: Path) -> bool:
    masks = dict(line.split(":\t") for line in status.read_text().splitlines())
    return bool((int(masks["SigIgn"], 16) | int(masks["SigCgt"], 16)) & 1 << (signal.SIGHUP - 1))


async def test_limits_and_the_log_follow_the_file(gateway: Any, wire: Any) -> None:
    """Without a restart."""
    running = gateway(SIMULATED + "log: {level: error}\n")
    assert running.log() == []
    running.write(SIMULATED + "log: {level: info}\nserver: {max_body: 1KiB}\n")
    await running.reloaded(2)
    connection = await wire(running.port)
    assert (await connection.exchange("POST", "/v1/chat/completions", {**ASK, "more": "x" * 2000}))[0] == 413
    connection = await wire(running.port)
    assert (await connection.exchange("POST", "/v1/chat/completions", ASK))[0] == 200
    await running.logged("request", status=200)


async def _on_the_files_address(gateway: Any, config: str, port: int) -> Any:
    """A gateway that listens where its file says."""
    running = gateway(config, args=("--listen", ""), ready=False)
    running.port = port
    await running.logged("serve.started", timeout=15)
    return running


async def test_a_new_address_is_noted_and_the_rest_of_the_file_applied(gateway: Any, wire: Any) -> None:
    """The listener stays where it is until a restart."""
    port = free_port()
    text = SIMULATED.replace("8080", str(port))
    running = await _on_the_files_address(gateway, text, port)
    running.write(SIMULATED.replace("8080", "1").replace("[fast]", "[slow]"))
    line = await running.logged("config.notice")
    assert f"still on 127.0.0.1:{port}; restart to listen on 127.0.0.1:1" in line["notice"]
    connection = await wire(port)
    assert (await connection.exchange("POST", "/v1/chat/completions", {**ASK, "model": "slow"}))[0] == 200


async def test_a_worker_that_comes_later_judges_by_the_address_in_use(gateway: Any) -> None:
    """A file that the others have refused is refused by it as well."""
    port = free_port()
    closed = SIMULATED.replace("8080", str(port))
    opened = closed.replace("    models", "    open: true\n    models").replace("127.0.0.1", "0.0.0.0")
    running = gateway(opened, args=("--workers", "2", "--listen", ""), ready=False)
    async with asyncio.timeout(15):
        while len(running.log("serve.started")) < 2:
            await asyncio.sleep(0.02)
    running.write(closed)
    async with asyncio.timeout(10):
        while len(running.log("reload.refused")) < 2:
            await asyncio.sleep(0.02)
    os.kill(_children(running.pid)[-1], signal.SIGKILL)
    async with asyncio.timeout(15):
        while not re.search(r"^/\S*gateway\.yaml:.*anybody who reaches 0\.0\.0\.0", running.output(), re.MULTILINE):
            await asyncio.sleep(0.02)
    assert len(running.log("serve.started")) == 2


@pytest.mark.parametrize("inside", [True, False])
async def test_no_file_opens_what_can_be_reached_from_outside(inside: bool, gateway: Any) -> None:
    """A route without `authenticate` needs `open: true` for the address in use, and for the one after a restart."""
    port = free_port()
    here, there = ("127.0.0.1", "0.0.0.0") if inside else ("0.0.0.0", "127.0.0.1")
    closed = SIMULATED.replace("8080", str(port))
    opened = closed.replace("    models", "    open: true\n    models")
    running = await _on_the_files_address(gateway, opened.replace("127.0.0.1", here), port)
    running.write(closed.replace("127.0.0.1", there))
    line = await running.logged("reload.refused")
    assert "anybody who reaches 0.0.0.0" in line["problems"][0]
    assert running.generation() == 1


async def test_a_wrong_address_on_the_command_line_is_said_plainly(gateway: Any) -> None:
    """Exit code 2, no traceback."""
    running = gateway(SIMULATED, args=("--listen", "localhost"), ready=False)
    assert await asyncio.to_thread(running.wait) == 2
    assert "host:port" in running.output()
    assert "Traceback" not in running.output()
