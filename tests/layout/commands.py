"""Runs the commands of a page as its reader would: in order, in a copy of the project, beside a running gateway.

Of a Markdown page these blocks are run:

- fenced as ``sh``, and indented blocks: by the shell; the first command that fails fails the block;
- fenced as ``python``: by this interpreter.

Not run: every other fence (``console`` shows what a reader types that has no end, such as ``make run``). Lines that
begin with ``sluicegate serve`` or ``make`` are left out, because the gateway runs already; ``127.0.0.1:8080`` becomes
its address.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.layout.tree import ROOT, project_files
from tests.support.environment import clean_environment

_FENCE = re.compile(r"^(`{3,})([a-z]*)\s*$")
_NOT_RUN = re.compile(r"^\s*(sluicegate serve|make)\b.*$", re.MULTILINE)
_ADDRESS = re.compile(r"(127\.0\.0\.1|localhost):8080")
_TIMEOUT_S = 60


class Block(NamedTuple):
    """One block of a page: its language, its text, and the line where it begins."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """All fenced blocks, and the indented ones as ``sh``."""
    found: list[Block] = []
    fence, language, start = "", "", 0
    held: list[str] = []

    def end() -> None:
        if held and any(line.strip() for line in held):
            found.append(Block(language, "\n".join(held).strip("\n") + "\n", start))
        held.clear()

    for number, line in enumerate([*page.splitlines(), ""], 1):
        opened = _FENCE.match(line)
        if fence:
            if line.strip() == fence:
                end()
                fence = ""
            else:
                held.append(line)
        elif opened:
            end()
            fence, language, start = opened.group(1), opened.group(2), number
        elif line.startswith("    ") or (held and not line.strip()):
            if not held:
                language, start = "sh", number
            held.append(line[4:])
        else:
            end()
    end()
    return found


def copy_project(into: Path) -> None:
    """What a fresh clone holds."""
    for path in project_files():
        target = into / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def run_block(block: Block, folder: Path, port: int) -> str | None:
    """Run it in ``folder``; what went wrong, or None."""
    text = _ADDRESS.sub(f"127.0.0.1:{port}", block.text)
    if block.language == "python":
        command = [sys.executable, "-c", text]
    elif block.language == "sh":
        command = ["sh", "-euc", _NOT_RUN.sub("", text)]
    else:
        return None
    own = str(Path(sys.executable).parent)
    environment = clean_environment()
    environment |= {"PATH": f"{own}:{environment['PATH']}", "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"line {block.line}: still running after {_TIMEOUT_S} s"
    if done.returncode:
        return f"line {block.line}: exit {done.returncode}\n{text}\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}"
    return None
