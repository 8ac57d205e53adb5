"""Explaining does everything but send."""

from __future__ import annotations

import json

from policies.context.tags import Tags
from proxy.errors import Header
from proxy.policy import Choice
from proxy.rehearsal.explain import explain, first_leaf
from tests.support.compiled import Canned, make_rule, make_runtime

PATH = "/v1/chat/completions"


async def test_a_request_that_would_go_upstream() -> None:
    """Route, policies, target and the very body; the provider is not asked."""
    provider = Canned()
    policies = [("tags", Tags(frozenset({"user"}), (), {}, {}))]
    headers: list[Header] = [(b"x-sluicegate-tags", b"user=ada"), (b"accept", b"*/*"), (b"cookie", b"a=b")]
    found = await explain(
        make_runtime(make_rule(provider, policies=policies)), "POST", f"{PATH}?a=1", headers, b'{"model": "fast"}'
    )
    assert (found.route, found.model, found.refusal) == ("chat", "fast", None)
    assert found.policies == [("tags", "user=ada")]
    assert found.target is not None
    assert found.target.target == "up/gpt-4o"
    assert found.body == '{"model": "gpt-4o"}'
    assert found.forwarded_headers == ["accept"]
    assert provider.asked == []


async def test_a_request_that_would_be_refused() -> None:
    """Before any route, or because it cannot be read: status and error object as the caller would see them."""
    runtime = make_runtime(make_rule(Canned()))
    found = await explain(runtime, "POST", PATH, [], b'{"model":"other"}')
    assert found.refusal is not None
    assert (found.route, found.refusal["status"], found.refusal["error"]["code"]) == (None, 404, "model_not_found")
    found = await explain(runtime, "POST", PATH, [], b"{")
    assert found.refusal is not None
    assert (found.refusal["status"], found.body, found.target) == (400, None, None)


def test_the_first_chosen_leaf_is_shown() -> None:
    """Branches that are not chosen are passed over."""
    leaf = Choice("a/b", True, "", body=b"{}")
    other = Choice("c/d", False, "", body=b"[]")
    assert first_leaf(Choice("fallback", True, "", (other, leaf))) is leaf
    assert first_leaf(Choice("split", True, "", (other,))) is None
    assert first_leaf(None) is None


async def test_what_a_translation_drops_is_told() -> None:
    """Before anything is sent."""

    class Claude(Canned):
        def __init__(self) -> None:
            super().__init__()
            self.speaks = ("anthropic_messages",)

    runtime = make_runtime(make_rule(Claude()))
    asked = {"model": "fast", "messages": [{"role": "user", "content": "hi"}], "logit_bias": {"1": 2}}
    found = await explain(runtime, "POST", "/v1/chat/completions", [], json.dumps(asked).encode())
    assert found.dropped == ("logit_bias",)
    assert found.body is not None
    assert json.loads(found.body)["messages"][0]["content"] == [{"type": "text", "text": "hi"}]
