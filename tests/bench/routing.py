"""``python -m tests.bench.routing``: what routing costs and what it brings, each measured by a program of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from tests.support.environment import ROOT

# Module, its arguments, what it shows.
PARTS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("decision", (), "The choice alone"),
    ("conditions", (), "Conditions and tasks"),
    ("balance", (), "Balance over unlike targets"),
    ("race", (), "Racing a target that is slow now and then"),
    ("overload", (), "More than one core can serve"),
    ("money", (), "Keys, limits and the ledger"),
)
LIMIT = 300  # seconds for each


def routing(say: Callable[[str], None]) -> tuple[list[str], int]:
    """The lines of the report, and how many of the parts missed an aim."""
    lines, missed = ["## Routing", ""], 0
    for module, arguments, title in PARTS:
        say(f"routing: {title.lower()}")
        done = subprocess.run(
            [sys.executable, "-m", f"tests.bench.{module}", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        missed += done.returncode != 0
        verdict = "" if done.returncode == 0 else "\nAn aim was missed.\n"
        lines += [f"### {title}", "", done.stdout.strip(), verdict]
    return lines, missed


def main() -> int:
    """Print it. Exit code 1 if an aim was missed."""
    lines, missed = routing(lambda line: print(line, file=sys.stderr, flush=True))
    print("\n".join(lines))
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
