"""One name everywhere: key of the file = module = schema = test = heading of the reference = used in an example."""

from __future__ import annotations

import re
from functools import lru_cache

import pytest

from policies.table import POLICIES, TARGETS
from proxy.providers.table import PROVIDERS
from tests.layout.tree import ROOT, source_files

NODES = {**POLICIES, **TARGETS}
NOT_A_POLICY = {"__init__", "table"}
NOT_A_PROVIDER = {"__init__", "table", "provider"}


@lru_cache
def _headings() -> frozenset[str]:
    text = (ROOT / "schemas" / "README.md").read_text()
    lines = re.findall(r"^#{1,6}\s+(.*)$", text, re.MULTILINE)
    return frozenset(word for line in lines for word in re.findall(r"[a-z0-9_]+", line))


@lru_cache
def _examples() -> str:
    files = [ROOT / "gateway.yaml", *sorted((ROOT / "examples").rglob("*.yaml"))]
    return "\n".join(re.sub(r"(^|\s)#.*", "", path.read_text()) for path in files)


@pytest.mark.parametrize("name", NODES)
def test_a_policy_or_target_has_one_name_everywhere(name: str) -> None:
    module = NODES[name].__module__
    assert module.rsplit(".", 1)[-1] == name
    assert (ROOT / "schemas" / "policies" / f"{name}.json").is_file()
    group = "/".join(module.split(".")[:-1])
    assert (ROOT / "tests" / group / f"test_{name}.py").is_file()
    assert name in _headings(), "schemas/README.md has no heading for it"
    assert re.search(rf"(?<![\w-]){name}(?![\w-])", _examples()), "no example uses it"


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_provider_has_one_name_everywhere(kind: str) -> None:
    module = PROVIDERS[kind].__module__
    assert module.startswith("proxy.providers.")
    assert kind in module.split(".")
    assert (ROOT / "schemas" / "providers" / f"{kind}.json").is_file()
    assert (ROOT / "tests" / "proxy" / "providers" / f"test_{kind}.py").is_file()
    assert kind in _headings(), "schemas/README.md has no heading for it"
    assert re.search(rf"\bkind:\s*{kind}\b", _examples()), "no example uses it"


def test_no_name_stands_in_two_tables() -> None:
    assert not POLICIES.keys() & TARGETS.keys()


def test_every_schema_belongs_to_a_table() -> None:
    assert {path.stem for path in (ROOT / "schemas" / "policies").glob("*.json")} == set(NODES)
    assert {path.stem for path in (ROOT / "schemas" / "providers").glob("*.json")} == set(PROVIDERS)


def test_every_policy_module_stands_in_the_table() -> None:
    found = {path.stem for path in source_files("policies") if path.stem not in NOT_A_POLICY}
    assert {stem for stem in found if not stem.startswith("_")} == set(NODES)
