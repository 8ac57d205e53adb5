"""The project as a whole: what stands where, and what must not be found in it."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.layout.tree import ROOT, project_files

TOP = {
    *("gateway.yaml", "pyproject.toml", "proxy", "policies", "schemas", "tests", "examples"),
    *("README.md", "CHANGELOG.md", "LICENSE", "Makefile", "Dockerfile", ".ci", ".github", ".gitignore"),
}
# Spelled so that this file does not hold what it looks for.
MACHINE = [rf"/{name}/" for name in ("work", "root", "tmp", "home")]
REGISTRY = [
    r"pypi\.(?:org|io)",
    r"python" r"hosted",
    r"npm" r"js\.(?:org|com)",
    r"--(?:extra-)?index" r"-url[ =]",
    r"index" r"-url\s*=",
]
UNFINISHED = [r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b"]
# (file, what was found) → why it may stand there.
ALLOWED: dict[tuple[str, str], str] = {}


def test_the_top_level_is_the_agreed_one() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in project_files()}
    assert found <= TOP, f"not agreed: {sorted(found - TOP)}"
    assert found >= TOP, f"missing: {sorted(TOP - found)}"


@pytest.mark.parametrize(
    ("what", "patterns"),
    [("a path of somebody's machine", MACHINE), ("a registry's host", REGISTRY), ("unfinished work", UNFINISHED)],
)
def test_the_project_speaks_of_itself_alone(what: str, patterns: list[str]) -> None:
    searched = re.compile("|".join(patterns))
    hits = []
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        name = str(path.relative_to(ROOT))
        for number, line in enumerate(text.splitlines(), 1):
            found = searched.search(line)
            if found and (name, found.group()) not in ALLOWED:
                hits.append(f"{name}:{number}: {found.group()}")
    assert not hits, f"{what}:\n" + "\n".join(hits)


def test_the_changelog_begins_with_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first is not None
    assert first.group(1) == version


def test_the_container_copies_only_what_exists() -> None:
    text = (ROOT / "Dockerfile").read_text()
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    sources = {name for names in copied for name in names}
    assert {"proxy", "policies", "schemas", "gateway.yaml", ".ci/requirements.lock"} <= sources
    assert not [name for name in sources if not (ROOT / name).exists()]


def test_the_container_is_not_root_and_is_watched() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] not in ("root", "0")
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert 'CMD ["sluicegate", "serve"]' in lines
