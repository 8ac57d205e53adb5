"""How the source is written: documented, small, mirrored by tests, free of what has bitten others."""

from __future__ import annotations

import ast

import pytest

from tests.layout.tree import ROOT, dotted, functions, imports, nodes, parsed, source_files, where

FILE_LINES, FUNCTION_LINES = 500, 60
# What is longer, and why it should stay so.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
# Modules without a test file of their own, and where they are tested.
TESTED_ELSEWHERE = {
    "policies/table.py": "tests/layout/test_naming.py: every entry",
    "proxy/providers/table.py": "tests/layout/test_naming.py: every entry",
    "proxy/dialects/table.py": "tests/faults/test_translation.py: every pair",
    "proxy/dialects/endpoint.py": "data without behaviour; tests/proxy/dialects/test_openai.py",
    "proxy/editing.py": "a contract without behaviour; tests/proxy/translation/test_draft.py",
    "proxy/guarding/service.py": "a contract without behaviour; tests/proxy/wire/test_service.py",
    "proxy/filter.py": "the contract has no behaviour; tests/proxy/filters/test_filtering.py",
    "proxy/guarding/words.py": "words without behaviour; tests/proxy/guarding/test_carriers.py",
    "policies/guardrails/_personal.py": "tests/policies/guardrails/test_pii.py: every kind",
    "policies/guardrails/_secrets.py": "tests/policies/guardrails/test_secrets.py: every kind",
    "proxy/policy.py": "the contract has no behaviour; every policy's test",
}
# Functions that may block: they run where no loop does.
MAY_SLEEP = {
    "proxy/process.py:_mended": "before anything is served, waiting for a broken file to be mended",
    "proxy/cassettes/testing.py:_origin": "in somebody's test suite, waiting for another process",
}
# Below tests/proxy and tests/policies: what is no test.
SUPPORT = {"conftest.py"}


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in source_files() if path.read_text().strip() and not ast.get_docstring(parsed(path))]
    assert not silent


def test_every_public_class_says_what_it_is() -> None:
    obvious = ("Error", "Exception")
    silent = [
        f"{where(path, node.lineno)} {node.name}"
        for path in source_files()
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not any(dotted(parent).endswith(obvious) for parent in node.bases)  # the tree in proxy.errors is drawn
    ]
    assert not silent, "\n".join(silent)


def test_the_contract_is_documented_to_the_last_method() -> None:
    path = ROOT / "proxy" / "policy.py"
    silent = [
        f"{where(path, node.lineno)} {node.name}"
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not silent, "\n".join(silent)


def test_files_are_small() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in source_files("proxy", "policies", "tests")
    }
    long = {path: lines for path, lines in lengths.items() if lines > FILE_LINES}
    assert long.keys() == LONG_FILES.keys(), long


def test_functions_are_small() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in source_files()
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
    }
    assert long.keys() == LONG_FUNCTIONS.keys(), long


def test_the_tests_mirror_the_source() -> None:
    missing = []
    for path in source_files():
        relative = path.relative_to(ROOT)
        if path.name == "__init__.py" or str(relative) in TESTED_ELSEWHERE:
            continue
        if not (ROOT / "tests" / relative.parent / f"test_{path.name}").is_file():
            missing.append(f"{relative} has no tests/{relative.parent}/test_{path.name}")
    assert not missing, "\n".join(missing)


def test_no_test_has_outlived_its_source() -> None:
    orphans = [
        str(path.relative_to(ROOT))
        for path in source_files("tests/proxy", "tests/policies")
        if path.name.startswith("test_")
        and not (ROOT / path.relative_to(ROOT / "tests").parent / path.name.removeprefix("test_")).is_file()
    ]
    assert not orphans


def test_the_exceptions_are_still_needed() -> None:
    assert all((ROOT / path).is_file() for path in TESTED_ELSEWHERE)
    unneeded = [
        path for path in TESTED_ELSEWHERE if (ROOT / "tests" / path).with_name(f"test_{path.split('/')[-1]}").is_file()
    ]
    assert not unneeded


def test_nothing_is_mocked() -> None:
    mocks = ("unittest.mock", "mock", "pytest_mock", "respx", "aioresponses", "responses")
    guilty = [
        where(path, found.line)
        for path in source_files("proxy", "policies", "tests")
        for found in imports(path)
        if found.name in mocks or (found.name == "unittest" and "unittest.mock" in path.read_text())
    ]
    assert not guilty


@pytest.mark.parametrize("banned", ["BaseHTTPMiddleware", "nest_asyncio"])
def test_what_breaks_streams_is_not_used(banned: str) -> None:
    """BaseHTTPMiddleware breaks the detection of clients that leave, and leaks generators."""
    guilty = [
        where(path, getattr(node, "lineno", 0))
        for path in source_files("proxy", "policies", "tests")
        for node in nodes(path)
        if (isinstance(node, ast.Name) and node.id == banned) or (isinstance(node, ast.alias) and node.name == banned)
    ]
    assert not guilty


def test_no_task_is_started_and_forgotten() -> None:
    """The loop keeps only a weak reference: a task that nobody holds may vanish, with its exception."""
    starters = ("create_task", "ensure_future")
    guilty = [
        where(path, node.lineno)
        for path in source_files("proxy", "policies", "tests")
        for node in nodes(path)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr in starters
        and not dotted(node.value.func.value).endswith(("group", "tasks", "nursery"))  # a TaskGroup keeps its own
    ]
    assert not guilty


def test_no_failure_is_swallowed_in_silence() -> None:
    guilty = [
        where(path, node.lineno)
        for path in source_files()
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or dotted(node.type) in ("Exception", "BaseException"))
        and all(isinstance(step, ast.Pass) for step in node.body)
    ]
    assert not guilty


def test_nothing_sleeps_on_the_loop() -> None:
    sleeps = {
        f"{path.relative_to(ROOT)}:{function.name}"
        for path in source_files()
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and dotted(node.func) == "time.sleep"
    }
    assert sleeps == MAY_SLEEP.keys()
