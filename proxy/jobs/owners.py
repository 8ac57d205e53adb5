"""Which process has a job in its hands, and whether it still lives.

Each process holds a lock on one byte of a file, at the place that is its number. The kernel frees the lock when the
process ends, however it ends, and never before: so a job whose process was killed is found at once, and one whose
process is only slow is never run twice. The file must be on a disk of this machine, as SQLite's must.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path


class Owners:
    """This process's number, and the life of others. Used from one thread; the file is opened once per process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self.number = 0

    def open(self) -> None:
        """Take a number, if that was not done yet. It is taken again if somebody took the file away."""
        if self._file >= 0:
            if self._is_there():
                return
            self.close()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        number = self.number or secrets.randbits(61) + 1
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            os.close(file)
            raise
        self._file, self.number = file, number

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except FileNotFoundError:
            return False

    def lives(self, number: int) -> bool:
        """Whether the process with that number still runs."""
        if number == self.number:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return True
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)
        return False

    def close(self) -> None:
        """Give the number back."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
