"""Policies and targets that are switched while the gateway runs: at once here, soon elsewhere, and for good."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.books import state
from tests.support.gateway import Gateway
from tests.support.issuing import TIMEOUT, becomes, call, operate
from tests.support.nursery import sluicegate
from tests.support.traffic import code_of

OPERATOR = "sk-operator-0f8c2e61a9d4b753"
CONFIG = f"""
providers:
  sim: {{kind: simulated, models: {{new: {{text: "new"}}, old: {{text: "old"}}}}}}
admin: {{keys: {{root: {{hash: "sha256:{hashlib.sha256(OPERATOR.encode()).hexdigest()}"}}}}}}
routes:
  chat:
    models: [chat, other]
    policies:
      - tags: {{accept: [user], from_body: {{user: user}}}}
      - {{allow_models: {{models: [chat]}}, flag: guard}}
    target:
      fallback:
        - {{model: sim/new, rollout: 10% by user, flag: new-model}}
        - sim/old
  dark: {{models: [dark], target: {{model: sim/new, enabled: false, flag: dark}}}}
  cheap: {{models: [cheap], target: {{fallback: [{{model: sim/new, enabled: input_tokens > 1000}}, sim/old]}}}}
"""
USERS = [f"user-{number}" for number in range(40)]


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway]) -> Gateway:
    """One for all tests that leave each flag as they found it."""
    return module_gateway(CONFIG)


def _chat(running: Gateway, model: str = "chat", user: str = "zoe", text: str = "Hi") -> tuple[int, Any]:
    body = {"model": model, "user": user, "messages": [{"role": "user", "content": text}]}
    return call(running, "POST", "/v1/chat/completions", "any", body)


def _said(answer: tuple[int, Any]) -> str:
    assert answer[0] == 200, answer
    text: str = answer[1]["choices"][0]["message"]["content"]
    return text


async def _set(running: Gateway, name: str, value: str, reason: str = "") -> None:
    order = {"value": value, "reason": reason}
    status, found = await operate(running, "PUT", f"/admin/flags/{name}", OPERATOR, order)
    assert (status, found["value"]) == (200, value)


async def _new(running: Gateway) -> set[str]:
    """The users who get the new model."""
    return {user for user in USERS if _said(await asyncio.to_thread(_chat, running, user=user)) == "new"}


def _type(running: Gateway, *words: str) -> str:
    """What ``sluicegate`` prints, as typed beside the gateway."""
    words = (*words, "--config", str(running.config))
    environment = {"SLUICEGATE_STATE_DIR": str(state(running))}
    done = sluicegate(*words, folder=running.folder, environment=environment, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_a_policy_is_switched_at_once(running: Gateway) -> None:
    """Answer by answer; the log has who, why and what each request met, the metric counts it."""
    status, answer = await asyncio.to_thread(_chat, running, "other")
    assert (status, code_of(json.dumps(answer).encode())) == (403, "model_not_allowed")
    await _set(running, "guard", "off", "they pay now")
    assert _said(await asyncio.to_thread(_chat, running, "other")) in ("new", "old")
    await _set(running, "guard", "default")
    assert (await asyncio.to_thread(_chat, running, "other"))[0] == 403
    entry = await running.logged("admin.flags", flag="guard", value="off")
    assert (entry["who"], entry["reason"]) == ("root", "they pay now")
    await running.logged("flag.set", flag="guard", value="off")
    notes = [entry.get("notes", {}).get("flag guard") for entry in running.log() if entry.get("route") == "chat"]
    assert "off: flag guard" in notes
    metrics = running.get("/metrics")[1].decode()
    assert 'sluicegate_flag_decisions_total{flag="guard",state="off"} 1.0' in metrics


async def test_a_share_of_users_keeps_its_users_and_grows(running: Gateway) -> None:
    ten = await _new(running)
    assert 0 < len(ten) < 12
    await _set(running, "new-model", "50%")
    half = await _new(running)
    assert ten < half < set(USERS)
    await _set(running, "new-model", "off")
    assert await _new(running) == set()
    await _set(running, "new-model", "default")
    assert await _new(running) == ten


async def test_a_route_of_which_all_is_off_says_so(running: Gateway) -> None:
    """And answers when it is switched on, against `enabled: false`."""
    status, answer = await asyncio.to_thread(_chat, running, "dark")
    assert (status, code_of(json.dumps(answer).encode())) == (503, "no_target_available")
    await _set(running, "dark", "on")
    assert _said(await asyncio.to_thread(_chat, running, "dark")) == "new"
    await _set(running, "dark", "default")
    assert (await asyncio.to_thread(_chat, running, "dark"))[0] == 503
    metrics = running.get("/metrics")[1].decode()
    assert 'sluicegate_target_skips_total{reason="off",target="sim/new"}' in metrics


async def test_a_condition_decides_and_is_no_degradation(running: Gateway) -> None:
    assert _said(await asyncio.to_thread(_chat, running, "cheap")) == "old"
    assert _said(await asyncio.to_thread(_chat, running, "cheap", text="long " * 3000)) == "new"
    assert not [entry for entry in running.log() if entry.get("degraded")]


async def test_workers_and_a_restart_know_what_was_typed(gateway: Callable[..., Gateway]) -> None:
    """Within a second in each worker."""
    running = gateway(CONFIG, args=("--workers", "2"))
    try:
        await asyncio.to_thread(_type, running, "flags", "set", "dark", "on", "--reason", "release")
        await becomes(200, lambda: asyncio.to_thread(_chat, running, "dark"), in_a_row=12)
    finally:
        running.stop()
    again = gateway(CONFIG, env={"SLUICEGATE_STATE_DIR": str(state(running))})
    assert _said(await asyncio.to_thread(_chat, again, "dark")) == "new"
