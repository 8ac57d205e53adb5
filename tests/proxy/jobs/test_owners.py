"""Which processes live: asked of the kernel, which cannot be wrong about it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from proxy.jobs.owners import Owners
from tests.support.environment import ROOT, clean_environment

_HOLD = """
import sys
from pathlib import Path
from proxy.jobs.owners import Owners
owners = Owners(Path(sys.argv[1]))
owners.open()
print(owners.number, flush=True)
sys.stdin.read()
"""


def test_another_process_lives_until_it_is_killed(tmp_path: Path) -> None:
    """Its number is taken while it runs, and free in the moment when it is gone."""
    path = tmp_path / "lock"
    mine = Owners(path)
    mine.open()
    other = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)],
        cwd=ROOT,
        env=clean_environment(PYTHONPATH=str(ROOT)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    number = int(other.stdout.readline())
    assert number != mine.number
    assert mine.lives(number)
    assert mine.lives(mine.number)
    other.kill()
    other.communicate()
    assert not mine.lives(number)
    mine.close()


def test_opening_twice_keeps_the_number(tmp_path: Path) -> None:
    """A file that is opened anew changes nothing about who we are."""
    owners = Owners(tmp_path / "folder" / "lock")
    owners.open()
    number = owners.number
    owners.open()
    assert owners.number == number > 0
    assert (tmp_path / "folder" / "lock").stat().st_mode & 0o077 == 0
    (tmp_path / "folder" / "lock").unlink()
    owners.open()
    assert owners.number == number
    assert (tmp_path / "folder" / "lock").is_file()
    owners.close()
