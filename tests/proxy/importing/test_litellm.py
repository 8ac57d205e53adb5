"""LiteLLM's files: what is written passes `check`, no key is passed over, no secret is copied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.syntax import parse
from proxy.importing.imported import Finding, Imported
from proxy.importing.litellm import convert
from proxy.importing.source import Source
from tests.support.config import built
from tests.support.environment import ROOT

FOLDER = Path(__file__).parent / "litellm"
CASES = sorted(FOLDER.glob("*.yaml"))
SECRET = "sk-plain-text-that-must-not-be-copied"
EXAMPLE = ROOT / "examples" / "coming-from-litellm"


def _environment(found: Imported) -> dict[str, str]:
    """Something for every variable that is needed."""
    special = {
        "PORT": "6379",
        "BASE": "https://x.openai.azure.com",
        "URL": "redis://localhost:6379/0",
        "VERSION": "2024-10-21",
    }
    return {
        name: next((value for end, value in special.items() if name.endswith(end)), "value-of-it")
        for name in found.variables
    } | {"AWS_REGION_NAME": "us-east-1", "VERTEXAI_LOCATION": "us-central1"}


def _checked(folder: Path, text: str) -> Imported:
    found = convert(text.encode(), "config.yaml")
    assert not found.problems, found.problems
    path = folder / "gateway.yaml"
    path.write_text(found.text)
    environment = {name: value for name, value in _environment(found).items() if name in found.variables}
    assert [str(problem) for problem in built(path, None, None, **environment).problems] == []
    return found


def _of(found: Imported, path: str) -> Finding:
    return next(one for one in found.findings if one.path == path)


def _value(found: Imported) -> Any:
    root, problems = parse(found.text.encode(), "gateway.yaml")
    assert root is not None
    assert not problems
    return Source(root).value


def _leaves(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict) and value:
        keys = [(f"{path}.{key}" if path else str(key), inner) for key, inner in value.items()]
        return [leaf for at, inner in keys for leaf in _leaves(inner, at)]
    if isinstance(value, list) and value:
        return [leaf for at, inner in enumerate(value) for leaf in _leaves(inner, f"{path}[{at}]")]
    return [path]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_is_written_passes_the_check(case: Path, tmp_path: Path) -> None:
    """And every leaf of what was read is in the list, itself or by what it is in; no secret is in either."""
    text = case.read_text()
    found = _checked(tmp_path, text)
    said = [one.path for one in found.findings]
    for leaf in _leaves(yaml.safe_load(text)):
        plain = leaf.replace('"', "")
        assert any(plain == one or plain.startswith((f"{one}.", f"{one}[")) for one in map(_unquoted, said)), leaf
    assert SECRET not in found.text
    assert SECRET not in json.dumps(msgspec.to_builtins(found))
    lines = text.splitlines()
    for one in found.findings:
        assert 1 <= one.line <= len(lines)
        assert one.text


def _unquoted(path: str) -> str:
    """Keys with dots or slashes are written in brackets."""
    return path.replace('["', ".").replace('"]', "").replace('"', "")


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 25


def test_the_example_is_what_is_written() -> None:
    found = convert((EXAMPLE / "litellm.yaml").read_bytes(), "litellm.yaml")
    _, _, rest = (EXAMPLE / "gateway.yaml").read_text().partition("\n")
    assert rest == found.text


def _models(*entries: str) -> str:
    return "model_list:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)


def test_references_stay_and_secrets_become_some(tmp_path: Path) -> None:
    found = _checked(
        tmp_path,
        _models(
            "model_name: a, litellm_params: {model: openai/a, api_key: os.environ/MINE}",
            f"model_name: b, litellm_params: {{model: openai/b, api_key: {SECRET}}}",
            f"model_name: c, litellm_params: {{model: openai/c, api_key: {SECRET}}}",
            f"model_name: d, litellm_params: {{model: openai/d, api_key: {SECRET}-2}}",
            "model_name: e, litellm_params: {model: anthropic/e}",
        ),
    )
    keys = {name: one["api_key"] for name, one in _value(found)["providers"].items()}
    assert keys == {
        "openai": "${env:MINE}",
        "openai_2": "${env:OPENAI_API_KEY}",
        "openai_3": "${env:OPENAI_API_KEY_2}",
        "anthropic": "${env:ANTHROPIC_API_KEY}",
    }
    assert {one.path for one in found.lost} == {f"model_list[{at}].litellm_params.api_key" for at in (1, 2, 3)}


def test_a_suggested_name_is_not_one_that_is_used(tmp_path: Path) -> None:
    """Else the secret of one account would be sent to another."""
    found = _checked(
        tmp_path,
        _models(
            f"model_name: b, litellm_params: {{model: openai/b, api_key: {SECRET}}}",
            "model_name: a, litellm_params: {model: openai/a, api_key: os.environ/OPENAI_API_KEY}",
        ),
    )
    assert _value(found)["providers"]["openai"]["api_key"] == "${env:OPENAI_API_KEY_2}"


def test_entries_of_one_name_are_balanced(tmp_path: Path) -> None:
    found = _checked(
        tmp_path,
        _models(
            "model_name: m, litellm_params: {model: openai/a, weight: 3}",
            "model_name: m, litellm_params: {model: anthropic/b, weight: 1}",
            "model_name: m, litellm_params: {model: groq/c, order: 2}",
        )
        .replace("weight: 3", "weight: 3, order: 1")
        .replace("weight: 1", "weight: 1, order: 1"),
    )
    (route,) = _value(found)["routes"].values()
    weighted = [{"weight": 3, "target": "openai/a"}, {"weight": 1, "target": "anthropic/b"}]
    assert route["target"] == {"fallback": [{"balance": {"by": "weighted", "of": weighted}}, "groq/c"]}
    assert not found.lost


def test_fallbacks_are_trees(tmp_path: Path) -> None:
    text = _models(
        "model_name: a, litellm_params: {model: openai/a}",
        "model_name: b, litellm_params: {model: openai/b}",
        "model_name: big, litellm_params: {model: openai/big}",
    )
    more = "litellm_settings:\n  fallbacks: [{a: [b]}]\n  context_window_fallbacks: [{a: [big, nobody]}]\n"
    found = _checked(tmp_path, text + more + "  default_fallbacks: [big]\n")
    routes = _value(found)["routes"]
    inner = {"fallback": {"on": ["context_too_long"], "of": ["openai/a", "openai/big"]}}
    assert routes["a"]["target"] == {"fallback": [inner, "openai/b"]}
    assert routes["b"]["target"] == {"fallback": ["openai/b", "openai/big"]}
    assert routes["big"]["target"] == "openai/big"
    assert [one.path for one in found.lost] == ["litellm_settings.context_window_fallbacks[0].a[1]"]


def test_a_typing_error_is_named_with_its_place(tmp_path: Path) -> None:
    text = (
        _models("model_name: a, litellm_params: {model: openai/a, modle: x}") + "router_settings:\n  num_retires: 3\n"
    )
    found = _checked(tmp_path, text)
    by_path = {one.path: one for one in found.lost}
    assert by_path.keys() == {"model_list[0].litellm_params.modle", "router_settings.num_retires"}
    typo = by_path["router_settings.num_retires"]
    assert (typo.line, typo.col) == (4, 3)
    assert "was `num_retries` meant?" in typo.text


def test_a_strong_master_key_is_carried_by_its_hash(tmp_path: Path) -> None:
    text = _models("model_name: a, litellm_params: {model: openai/a}")
    found = _checked(tmp_path, f"{text}general_settings: {{master_key: {SECRET}}}\n")
    assert SECRET not in found.text
    assert _value(found)["routes"]["a"]["policies"] == ["authenticate"]
    assert not found.lost
    for weak in ("sk-1234", "os.environ/KEY"):
        found = _checked(tmp_path, f"{text}general_settings: {{master_key: {weak}}}\n")
        assert [one.path for one in found.lost] == ["general_settings.master_key"]
        assert "tenants" not in _value(found)


def test_a_pattern_is_carried_where_the_name_passes(tmp_path: Path) -> None:
    found = _checked(
        tmp_path,
        _models(
            'model_name: "*", litellm_params: {model: "openai/*"}',
            'model_name: "claude-*", litellm_params: {model: "anthropic/claude-*"}',
            'model_name: "groq/*", litellm_params: {model: "groq/*"}',
        ),
    )
    routes = _value(found)["routes"]
    assert routes["any"] == {"target": "openai/*"}
    assert routes["claude"] == {"models": ["claude-*"], "target": "anthropic/*"}
    assert {one.path for one in found.lost} == {"model_list[2].litellm_params.model", "model_list[2].model_name"}


@pytest.mark.parametrize("text", ["", "[1]", "a: [", "model_list: []", "general_settings: {}", "a: 1\na: 2"])
def test_what_is_no_such_file_gives_none(text: str) -> None:
    found = convert(text.encode(), "config.yaml")
    assert found.problems
    assert found.text == ""


_SCALARS: Any = st.none() | st.booleans() | st.integers(-5, 10**7) | st.text("ab1 :#{}[]$\"'/é*-", max_size=12)
_NAMES = """model api_base api_key rpm weight order timeout fallbacks num_retries redis_host redis_url model_group_alias
    mode routing_strategy cache callbacks master_key input_cost_per_token headers mock_response allowed_fails"""
_KEYS = st.sampled_from(_NAMES.split())
_ANY: Any = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=8
)
_SECTIONS = st.sampled_from(["router_settings", "litellm_settings", "general_settings", "credential_list", "other"])


@given(st.dictionaries(_KEYS, _ANY, max_size=6), st.dictionaries(_SECTIONS, _ANY, max_size=4))
def test_whatever_it_holds_nothing_is_passed_over(params: dict[str, Any], more: dict[str, Any]) -> None:
    """It is read to its end, what is written is YAML, and every leaf has a finding."""
    entry = {"model_name": "m", "litellm_params": {"model": "openai/gpt-4o"}}
    other = {"model_name": "n", "litellm_params": params, "model_info": params}
    text = json.dumps({"model_list": [entry, other], **more})
    found = convert(text.encode(), "config.yaml")
    if found.problems:  # numbers and characters that no file may hold
        return
    assert "m" in _value(found)["routes"]
    said = [_unquoted(one.path) for one in found.findings]
    for leaf in _leaves(json.loads(text)):
        assert any(leaf == one or leaf.startswith((f"{one}.", f"{one}[")) for one in said), (leaf, said)


def test_a_key_of_a_service_account_stays_where_it_is() -> None:
    text = _models("model_name: a, litellm_params: {model: vertex_ai/a, vertex_credentials: /etc/key.json}")
    found = convert(text.encode(), "config.yaml")
    assert _value(found)["providers"]["vertex_ai"]["credentials"] == "${file:/etc/key.json}"
    assert found.variables == ("VERTEXAI_PROJECT", "VERTEXAI_LOCATION")
