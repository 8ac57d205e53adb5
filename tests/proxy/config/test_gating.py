"""From the file to gates: only where something may be off, with the names that operators know."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from proxy.config.changes import changes
from proxy.dialects.paths import EXACT
from proxy.errors import TargetOff
from proxy.exchange import Exchange
from proxy.flags.flag import NAME, Flags, Setting
from proxy.pipeline import Pipeline
from proxy.rehearsal.explain import Explanation, explain, first_leaf
from proxy.runtime import Runtime, Shared
from tests.support.config import built, written

FILE = """
providers: {sim: {kind: simulated}}
policies:
  extra: [{headers: {request: {set: {x-a: "1"}}}, rollout: 50% by user}, {queue: {}, flag: line}]
routes:
  chat:
    models: [fast]
    policies: [{tags: {accept: [user]}, enabled: true, rollout: 100%}, {use: extra, flag: extra}]
    target:
      fallback: [{model: sim/new, rollout: 10% by user, flag: new}, {split: [{weight: 1, target: sim/old}], flag: old}]
  plain: {models: [plain], policies: [{queue: {}}], target: {fallback: [sim/a, sim/b]}}
"""


def _runtime(folder: Path, shared: Shared | None = None) -> Runtime:
    found = built(written(folder, FILE), shared)
    assert found.runtime is not None, found.problems
    return found.runtime


def _pipeline(runtime: Runtime, name: str) -> Pipeline:
    return next(entry.pipeline for entry in runtime.router.entries if entry.pipeline.route == name)


def _explain(runtime: Runtime, user: str) -> Explanation:
    body = json.dumps({"model": "fast", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    headers = [(b"content-type", b"application/json"), (b"x-sluicegate-tags", f"user={user}".encode())]
    return asyncio.run(explain(runtime, "POST", "/v1/chat/completions", headers, body))


def test_what_is_never_off_has_no_gate(tmp_path: Path) -> None:
    runtime = _runtime(tmp_path)
    kinds = [type(policy).__name__ for _, policy in _pipeline(runtime, "chat").policies]
    assert kinds == ["Tags", "Gate", "Gate"]
    plain = _pipeline(runtime, "plain")
    assert [type(policy).__name__ for _, policy in plain.policies] == ["Queue"]
    assert not plain.target.can_be_off


def test_places_are_known_by_name(tmp_path: Path) -> None:
    """A list that is used stands there once for each of its policies."""
    places = _runtime(tmp_path).flags.places
    assert {name: [place.what for place in found] for name, found in places.items()} == {
        "extra": ["headers", "queue"],
        "line": ["queue"],
        "new": ["sim/new"],
        "old": ["sim/old"],
    }
    assert places["new"][0].path == "routes.chat.target.fallback[0]"
    assert places["new"][0].rollout == "10% by user"


@pytest.mark.parametrize(
    ("value", "policies", "chosen"),
    [
        ({"extra": "off"}, ["user=zoe", "off: flag extra", "off: flag extra"], None),
        ({"extra": "on", "line": "off"}, None, None),
        ({"new": "on"}, None, "sim/new"),
        ({"new": "off"}, None, "split"),
    ],
)
def test_what_is_set_is_explained(
    tmp_path: Path, value: dict[str, str], policies: list[str] | None, chosen: str | None
) -> None:
    """All switches above and at a policy must be on."""
    shared = Shared()
    runtime = _runtime(tmp_path, shared)
    flags: Flags = shared.take(NAME, Flags)
    flags.take({name: setting for name, text in value.items() if (setting := Setting.parse(text)) is not None})
    found = _explain(runtime, "zoe")
    if policies is not None:
        assert [line for _, line in found.policies] == policies
    if "line" in value:
        assert found.policies[2] == ("queue", "off: flag line")
    assert found.target is not None
    if chosen is not None:
        assert next(child.target for child in found.target.children if child.chosen) == chosen


def test_what_is_set_outlives_a_reload(tmp_path: Path) -> None:
    shared = Shared()
    _runtime(tmp_path, shared)
    flags: Flags = shared.take(NAME, Flags)
    flags.take({"new": Setting("off", False)})
    target = _explain(_runtime(tmp_path, shared), "zoe").target
    assert target is not None
    assert target.children[0].why == "left out: off: flag new"


def test_a_reload_tells_of_a_changed_rollout(tmp_path: Path) -> None:
    old = built(written(tmp_path, FILE)).config
    new = built(written(tmp_path, FILE.replace("50% by user", "60% by user"))).config
    assert changes(old, new) == ["policies.extra[0].rollout: 50% by user → 60% by user"]


OFF, ON = "{model: sim/off, enabled: false}", "sim/on"
NODES = {
    "fallback": f"{{fallback: [{OFF}, {ON}]}}",
    "split": f"{{split: [{{weight: 99, target: {OFF}}}, {{weight: 1, target: {ON}}}]}}",
    "balance": f"{{balance: [{OFF}, {ON}]}}",
    "weighted": f"{{balance: {{by: weighted, of: [{{weight: 99, target: {OFF}}}, {{weight: 1, target: {ON}}}]}}}}",
    "priority": f"{{priority: [[{OFF}, {{model: sim/off2, enabled: false}}], [{ON}]]}}",
    "race": f"{{race: [{OFF}, {ON}]}}",
    "when": f"{{when: [{{if: model == 'fast', target: {OFF}}}, {{if: not stream, target: {ON}}}]}}",
    "classify": f"{{classify: {{of: {{chat: {OFF}, code: {OFF}, default: {ON}}}}}}}",
    "branch": f"{{fallback: [{{when: [{{if: not stream, target: {OFF}}}, {{if: stream, target: sim/a}}]}}, {ON}]}}",
    "nested": f"{{fallback: [{{split: [{{weight: 1, target: {OFF}}}]}}, {ON}]}}",
    "node": f"{{fallback: [{{balance: [sim/a, sim/b], enabled: false}}, {ON}]}}",
}
PLAIN = "providers: {sim: {kind: simulated}}\nroutes: {chat: {models: [fast], target: %s}}\n"


@pytest.mark.parametrize("node", NODES)
async def test_every_node_passes_over_what_is_off(tmp_path: Path, node: str) -> None:
    """It is not second best then: nothing is degraded. `explain` chooses alike."""
    found = built(written(tmp_path, PLAIN % NODES[node]))
    assert found.runtime is not None, found.problems
    body = b'{"model": "fast", "messages": [{"role": "user", "content": "Hi"}]}'
    for _ in range(8):
        x = Exchange("req_1", "POST", "/v1/chat/completions", b"", [], time.monotonic(), 0)
        x.endpoint, x.body, x.model = EXACT["POST", "/v1/chat/completions"], body, "fast"
        x.deadline = x.received + 10
        answer = await _pipeline(found.runtime, "chat").target.send(x)
        assert (answer.target, x.degraded) == ("sim/on", "")
        answer.discard()
    headers = [(b"content-type", b"application/json")]
    explained = await explain(found.runtime, "POST", "/v1/chat/completions", headers, body)
    leaf = first_leaf(explained.target)
    assert leaf is not None
    assert leaf.target == "sim/on"


@pytest.mark.parametrize("node", NODES)
async def test_a_node_of_which_all_is_off_refuses(tmp_path: Path, node: str) -> None:
    """Before anything is sent, and `explain` chooses nothing."""
    text = NODES[node].replace("sim/on", "{model: sim/on, enabled: false}")
    found = built(written(tmp_path, PLAIN % text))
    assert found.runtime is not None, found.problems
    x = Exchange("req_1", "POST", "/v1/chat/completions", b"", [], time.monotonic(), 0)
    x.endpoint, x.model, x.deadline = EXACT["POST", "/v1/chat/completions"], "fast", x.received + 10
    with pytest.raises(TargetOff):
        await _pipeline(found.runtime, "chat").target.send(x)
    assert x.attempts == []
    body = b'{"model": "fast", "messages": [{"role": "user", "content": "Hi"}]}'
    explained = await explain(found.runtime, "POST", "/v1/chat/completions", [], body)
    assert explained.target is not None
    assert not explained.target.chosen


async def test_nothing_is_copied_to_a_mirror_that_is_off(tmp_path: Path) -> None:
    found = built(written(tmp_path, PLAIN % f"{{mirror: {{target: {ON}, to: {OFF}, sample: 100%}}}}"))
    assert found.runtime is not None, found.problems
    body = b'{"model": "fast", "messages": [{"role": "user", "content": "Hi"}]}'
    explained = await explain(found.runtime, "POST", "/v1/chat/completions", [], body)
    assert explained.target is not None
    assert [child.why.partition(":")[0] for child in explained.target.children][1] == "off"
