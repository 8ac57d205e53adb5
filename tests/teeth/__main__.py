"""``make teeth``: takes guarantees away one by one, in a copy, and sees whether their tests notice.

A test that cannot fail proves nothing. Each row of ``tests/teeth`` removes one guarantee from the source by
replacing a piece of text, and names the tests that must fail then. Exit code 1 if a cut is not noticed, or no longer
fits the source.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.support.environment import ROOT, clean_environment
from tests.teeth.cuts import CUTS, Cut

TIMEOUT = 300.0  # seconds for the tests of one cut, or of all without any
NO_TESTS_FAILED, TESTS_FAILED = 0, 1  # pytest's exit codes


def main() -> int:
    """Run all cuts, or those whose name holds one of the words given."""
    parser = argparse.ArgumentParser(prog="python -m tests.teeth", description=__doc__)
    parser.add_argument("words", nargs="*", help="only cuts whose name holds one of these words")
    parser.add_argument("--jobs", type=int, default=2, help="cuts at a time (default: %(default)s)")
    args = parser.parse_args()
    chosen = [cut for cut in CUTS if not args.words or any(word in cut.name for word in args.words)]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(args.jobs) as pool:
        # The tests themselves must pass in such a copy, or a failure would prove nothing.
        control = Cut("control", "nothing", "pyproject.toml", "", "", " ".join(sorted({cut.tests for cut in chosen})))
        verdict, seconds = _try(Path(scratch), control)
        print(f"{'' if verdict == 'UNNOTICED' else verdict:>12}  {seconds:5.0f} s  with nothing taken away", flush=True)
        if verdict != "UNNOTICED":
            return 1
        results = pool.map(partial(_try, Path(scratch)), chosen)
        unnoticed = 0
        for cut, (verdict, seconds) in zip(chosen, results, strict=True):
            unnoticed += verdict != "noticed"
            print(f"{verdict:>12}  {seconds:5.0f} s  {cut.name:<8}  {cut.what}", flush=True)
    print(f"{len(chosen) - unnoticed} passed, {unnoticed} failed")
    return 1 if unnoticed else 0


def _try(scratch: Path, cut: Cut) -> tuple[str, float]:
    """What became of one cut, and how long it took."""
    started = time.monotonic()
    copy = scratch / f"{cut.name}-{abs(hash(cut.what))}"
    for name in ("proxy", "policies", "schemas", "tests", "examples"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "gateway.yaml", "README.md"):
        shutil.copy(ROOT / name, copy / name)
    path = copy / cut.file
    source = path.read_text()
    if cut.old and source.count(cut.old) != 1:
        return "does not fit", time.monotonic() - started
    path.write_text(source.replace(cut.old, cut.new) if cut.old else source)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *cut.tests.split()]
    environment = clean_environment(PYTHONPATH=str(copy), HOME=os.environ.get("HOME", "/"))
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return "hangs", time.monotonic() - started
    verdict = {NO_TESTS_FAILED: "UNNOTICED", TESTS_FAILED: "noticed"}.get(done.returncode, "no tests")
    return verdict, time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
