"""The policy `tool_calls`: which calls are wrong, and why. The wire is in ``tests/e2e``."""

from __future__ import annotations

from typing import Any, cast

import pytest

from policies.guardrails.tool_calls import ToolCalls, ToolCallsConfig
from proxy.chat import ToolCall
from proxy.guarding.verdict import Verdict
from proxy.policy import CompileContext
from tests.policies.conftest import Context


def _policy(**settings: Any) -> ToolCalls:
    context = Context()
    made = ToolCalls.compile(ToolCallsConfig(**settings), cast(CompileContext, context))
    assert not context.problems
    return made


RULES = _policy(
    allow=("read_*", "bash", "pay"),
    deny=("read_secrets",),
    schemas={"pay": {"properties": {"amount": {"type": "integer", "maximum": 9}}, "required": ["amount"]}},
    patterns={"removes": r"rm\s+-rf", "card": r"4111\d{12}"},
)


@pytest.mark.parametrize(
    ("name", "arguments", "wrong"),
    [
        ("bash", '{"command": "ls"}', []),
        ("bash", "", []),
        ("read_file", '{"path": "a"}', []),
        ("read_secrets", "{}", ["tool"]),
        ("bash2", "{}", ["tool"]),
        ("BASH", "{}", ["tool"]),
        ("bash", '{"command": "rm -rf /"}', ["removes"]),
        ("bash", '{"command": "\\u0072m\\t-rf /"}', ["removes"]),
        ("bash", '{"command": ["x", {"rm -rf": 1}]}', ["removes"]),
        ("bash", '{"command": "ls", "command": "rm -rf /"}', ["removes"]),
        ("bash", '{"number": 4111111111111111}', ["card"]),
        ("bash", '{"command": ', ["json"]),
        ("pay", '{"amount": 7}', []),
        ("pay", '{"amount": 70}', ["schema"]),
        ("pay", "{}", ["schema"]),
        ("pay", "", ["schema"]),
        ("pay", "7", []),
        ("pay", "[" * 5000, ["json"]),
    ],
)
def test_what_is_wrong_with_a_call(name: str, arguments: str, wrong: list[str]) -> None:
    assert RULES._wrong(ToolCall(id="1", name=name, arguments=arguments)) == wrong


@pytest.mark.parametrize(
    ("name", "arguments", "ruling", "note"),
    [
        ("bash", '{"command": "ls"}', "pass", "output clean"),
        ("bash", '{"command": "git push"}', "pass", "output warned (warn pushes at a call)"),
        ("bash", '{"command": "cat id_rsa"}', "remove", "output redacted (redact reads_keys at a call)"),
        ("deploy", "{}", "block", "output blocked (block tool at a call)"),
        (
            "bash",
            '{"command": "cat id_rsa; git push"}',
            "remove",
            "output redacted (redact reads_keys at a call; warn pushes at a call)",
        ),
    ],
)
async def test_each_thing_that_is_wrong_may_have_an_action_of_its_own(
    name: str, arguments: str, ruling: str, note: str
) -> None:
    """The gravest counts for a call."""
    policy = _policy(
        deny=("deploy",),
        patterns={"pushes": r"git\s+push", "reads_keys": "id_rsa"},
        entities={"pushes": "warn", "reads_keys": "remove"},
    )
    verdict = Verdict("output")
    assert await policy._judge(verdict, ToolCall(id="1", name=name, arguments=arguments)) == ruling
    assert str(verdict).partition(" in ")[0] == note


def test_free_text_is_searched_as_it_stands() -> None:
    call = ToolCall(id="1", name="bash", arguments="rm -rf /", custom=True)
    assert RULES._wrong(call) == ["removes"]


def test_a_schema_that_cannot_be_checked_denies() -> None:
    policy = _policy(schemas={"f": {"$ref": "#"}})
    assert policy._wrong(ToolCall(id="1", name="f", arguments="{}")) == ["json"]
    assert policy._wrong(ToolCall(id="1", name="g", arguments="no json")) == []


def test_names_alone() -> None:
    policy = _policy(deny=("*_admin",))
    assert [policy.forbids(name) for name in ("users_admin", "users", "")] == [True, False, False]


@pytest.mark.parametrize(
    ("settings", "at"),
    [
        ({}, ""),
        ({"patterns": {"a": "(?=x)"}}, "patterns.a"),
        ({"schemas": {"a": {"type": "x"}}}, "schemas.a"),
        ({"schemas": {"a": {"tpye": "object"}}}, "schemas.a.tpye"),
        ({"deny": ("a",), "entities": {"tools": "warn"}}, "entities.tools"),
    ],
)
def test_what_makes_no_sense(settings: Any, at: str) -> None:
    context = Context()
    ToolCalls.compile(ToolCallsConfig(**settings), cast(CompileContext, context))
    assert [place for place, _ in context.problems] == [at]
