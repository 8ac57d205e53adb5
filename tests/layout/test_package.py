"""What is installed: the wheel holds what git holds, and nothing runs or calls home on import."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.layout.tree import ROOT, modules, project_files

PACKAGES = ("proxy", "policies", "schemas")
SUFFIXES = {".py", ".json", ".typed", ".tiktoken"}
NOT_INSTALLED = {PurePosixPath("schemas/README.md")}
MAX_DISTRIBUTIONS = 45


def _lock(name: str) -> dict[str, str]:
    """Distribution → the rest of its entry."""
    text = (ROOT / ".ci" / name).read_text().replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        entry = re.fullmatch(r"([a-z0-9-]+)==(\S+)(.*)", line.strip())
        if line.strip() and not line.lstrip().startswith("#"):
            assert entry is not None, f"{name}: not a pinned distribution: {line[:80]}"
            found[entry.group(1)] = entry.group(2) + " " + entry.group(3)
    return found


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_distribution_is_locked_with_hashes(name: str) -> None:
    locked = _lock(name)
    assert locked
    assert not [distribution for distribution, entry in locked.items() if "--hash=sha256:" not in entry]


def test_what_is_tested_is_what_is_installed() -> None:
    runtime, development = _lock("requirements.lock"), _lock("requirements-dev.lock")
    version = {name: entry.split()[0] for name, entry in development.items()}
    assert {name: entry.split()[0] for name, entry in runtime.items()}.items() <= version.items()


def test_few_distributions_are_needed_to_run() -> None:
    """Without what builds the project, and without what only a browser would need."""
    needed = {name for name, entry in _lock("requirements.lock").items() if "== 'emscripten'" not in entry}
    assert len(needed - {"setuptools"}) < MAX_DISTRIBUTIONS


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built, without a network, from a copy of what git holds."""
    copy = tmp_path_factory.mktemp("source")
    for path in project_files():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run([*command, "--wheel-dir", str(out), str(copy)], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_what_git_holds_and_nothing_else(wheel: Path) -> None:
    held = {PurePosixPath(path.relative_to(ROOT).as_posix()) for path in project_files()}
    expected = {path for path in held if path.parts[0] in PACKAGES} - NOT_INSTALLED
    assert {path.suffix for path in expected} <= SUFFIXES
    with zipfile.ZipFile(wheel) as archive:
        packed = {PurePosixPath(name) for name in archive.namelist()}
    about = {path for path in packed if path.parts[0].endswith(".dist-info")}
    assert packed - about == expected
    assert {path.name for path in about} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "LICENSE",
        "entry_points.txt",
        "top_level.txt",
    }


def test_the_wheel_runs_nothing_when_python_starts(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".pth", ".so", ".data/scripts"))]


_WATCH = """
import sys, threading
LOUD = {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.system",
        "os.fork", "os.posix_spawn", "os.mkdir", "os.remove", "os.rename"}
def watch(event, args):
    if event in LOUD or (event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")):
        raise RuntimeError(f"importing has an effect: {event} {args}")
sys.dont_write_bytecode = True
sys.addaudithook(watch)
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
assert threading.active_count() == 1, threading.enumerate()
"""


def test_importing_has_no_effect() -> None:
    """Every module is imported in a fresh interpreter that ends at the first connection, process or written file."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _WATCH, *modules()], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
