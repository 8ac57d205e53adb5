"""The project as the house tests see it: its files, and its source as syntax trees."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Import(NamedTuple):
    """One imported module: ``name`` is the module itself, also where a name is taken from it."""

    name: str
    line: int
    in_function: bool
    for_types_only: bool


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def source_files(*folders: str) -> list[Path]:
    """Python files below ``folders``, the two packages by default."""
    return sorted(path for folder in folders or ("proxy", "policies") for path in (ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """Every module of the two packages by its dotted name."""
    return {module_name(path): path for path in source_files()}


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def project_files() -> list[Path]:
    """What belongs to the project: files known to git, and new ones that it does not ignore."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    found = {ROOT / name for name in listed.stdout.split("\0") if name}
    return sorted(path for path in found if path.is_file())


@cache
def imports(path: Path) -> list[Import]:
    """All imports of a module; ``from a import b`` counts as ``a.b`` where that is a module of ours."""
    known = modules()
    found: list[Import] = []
    for node, in_function, types_only in _walk(parsed(path), False, False):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, node.lineno, in_function, types_only) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{where(path, node.lineno)} imports relatively; name the module in full"
            base = node.module or ""
            names = {f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names}
            found += [Import(name, node.lineno, in_function, types_only) for name in sorted(names)]
    return found


def _walk(node: ast.AST, in_function: bool, types_only: bool) -> Iterator[tuple[ast.AST, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, in_function, types_only
        inside = in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typed = types_only or (isinstance(child, ast.If) and dotted(child.test).endswith("TYPE_CHECKING"))
        yield from _walk(child, inside, typed)


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All that stands in a file, parents first."""
    return list(ast.walk(parsed(path)))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def dotted(node: ast.AST) -> str:
    """``a.b.c`` for a chain of attributes, else the empty string."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])
