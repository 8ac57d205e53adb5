"""Experiments from the request to the report, with a gateway as it runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from proxy.experiments.report import report
from proxy.experiments.tables import NAME
from tests.support import books
from tests.support.gateway import Gateway

KEY, OTHER = "sk-web-0123456789-0123456789-abcdef", "sk-app-0123456789-0123456789-abcdef"
CONFIG = f"""
providers: {{sim: {{kind: simulated, models: {{long: {{text: "A long answer."}}, short: {{text: "Short."}}}}}}}}
tenants:
  acme:
    teams:
      search: {{keys: {{web: {{hash: "{books.hashed(KEY)}"}}}}}}
      ads: {{keys: {{app: {{hash: "{books.hashed(OTHER)}"}}}}}}
feedback: {{of: all}}
routes:
  chat:
    models: [chat]
    policies: [authenticate, tags: {{accept: [user]}}]
    target:
      experiment:
        name: short
        variants:
          control: {{weight: 50%, target: sim/long}}
          concise: {{weight: 50%, target: sim/short}}
        outcomes: {{solved: {{type: boolean}}}}
  plain: {{models: [plain], policies: [authenticate], target: sim/long}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One for all of these."""
    made = Gateway(tmp_path_factory.mktemp("experiments"), CONFIG)
    yield made
    made.stop()


async def _ask(running: Gateway, user: str | None = "ada", key: str = KEY, **more: Any) -> httpx2.Response:
    body = {"model": "chat", "messages": [{"role": "user", "content": "Hello"}]} | more
    headers = {"authorization": f"Bearer {key}"} | ({} if user is None else {"x-sluicegate-tags": f"user={user}"})
    async with httpx2.AsyncClient(timeout=20) as client:
        return await client.post(f"{running.url}/chat/completions", json=body, headers=headers)


async def _say(running: Gateway, key: str = KEY, **said: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=20) as client:
        body = {"name": "solved", "value": True} | said
        return await client.post(f"{running.url}/feedback", json=body, headers={"authorization": f"Bearer {key}"})


async def test_a_user_keeps_a_variant_and_feedback_finds_it(running: Gateway) -> None:
    """The header names what the answer shows; streamed or not."""
    found = [await _ask(running, stream=stream) for stream in (False, True)]
    (variant,) = {answer.headers["x-sluicegate-variant"] for answer in found}
    assert ("long" if variant == "short/control" else "Short") in found[0].text
    for answer in found:
        told = await _say(running, request_id=answer.headers["x-request-id"])
        assert told.status_code == 200, told.text
        assert told.json()["experiments"] == [
            {"experiment": "short", "variant": variant.partition("/")[2], "declared": True}
        ]


async def test_feedback_is_the_teams_own(running: Gateway) -> None:
    """For another team there is no such request; without a key there is nothing at all."""
    request_id = (await _ask(running)).headers["x-request-id"]
    assert (await _say(running, OTHER, request_id=request_id)).status_code == 404
    assert (await _say(running, request_id="req_nobody")).json()["error"]["code"] == "feedback_unknown_request"
    assert (await _say(running, "sk-nobody", request_id=request_id)).status_code == 401
    assert (await _say(running, request_id=request_id, value="maybe")).json()["error"]["param"] == "value"


async def test_a_request_in_no_experiment_has_feedback_too(running: Gateway) -> None:
    """As the file says `of: all`."""
    answer = await _ask(running, model="plain")
    assert "x-sluicegate-variant" not in answer.headers
    told = await _say(running, request_id=answer.headers["x-request-id"])
    assert (told.status_code, told.json()["experiments"]) == (200, [])


async def test_who_has_no_subject_is_counted(running: Gateway) -> None:
    """And gets the control."""
    answer = await _ask(running, None)
    assert "long" in answer.text
    assert "x-sluicegate-variant" not in answer.headers
    text = running.get("/metrics")[1].decode()
    assert 'sluicegate_experiment_left_out_total{experiment="short",reason="no_subject"} 1.0' in text


async def test_what_was_recorded_survives_and_is_joined_later(tmp_path: Path) -> None:
    """Users keep their variants over a restart, feedback comes after it, and the report has it all."""
    first = Gateway(tmp_path, CONFIG)
    try:
        found = await asyncio.gather(*(_ask(first, f"user-{number}") for number in range(12)))
    finally:
        first.stop()
    again = Gateway(tmp_path, CONFIG)
    try:
        for number, answer in enumerate(found):
            assert (await _say(again, request_id=answer.headers["x-request-id"])).status_code == 200
            later = await _ask(again, f"user-{number}")
            assert later.headers["x-sluicegate-variant"] == answer.headers["x-sluicegate-variant"]
        _, body = await asyncio.to_thread(again.get, "/admin/experiments/short")
        assert sum(json.loads(body)["subjects"]) == 12
    finally:
        again.stop()
    told = report([tmp_path / ".sluicegate" / NAME], "short", now=0.0)
    assert (sum(told.subjects), sum(told.requests), told.moved) == (12, 24, 0)
    assert told.primary is not None
    assert sum(one.observations for one in told.primary.figures) == 12
    assert "user-" not in (tmp_path / ".sluicegate" / NAME).read_bytes().decode("latin-1")
