"""What the ledger was told and its database may not hold yet: files that are only ever added to.

They are written through the memory of the kernel, without a call: a row survives the death of the process at any
moment, though not that of the machine. The files of one process, its *segments*, belong to whoever holds the lock of a
file beside them. The kernel lets go of it when the process dies, however it dies; then others may read what it left.

A record is the length of its payload and the CRC-32 of it, 4 bytes each, and the payload: a ``Row`` in MessagePack.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from zlib import crc32

import msgspec

from proxy.ledger.row import Row

MAX_RECORD = 65_536  # bytes of one payload
_MAX_TEXT = 500  # characters that are kept of each text of a row that is larger
_MAX_NUMBER = 2**63 - 1
_HEAD = struct.Struct(">II")
_STEP = 256 * 2**10  # bytes by which a segment grows
_SEGMENT = re.compile(r"ledger-([0-9a-f]+)-([0-9]+)\.journal")
_LOCK = re.compile(r"ledger-([0-9a-f]+)\.lock")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Row)


def packed(row: Row) -> bytes:
    """A row as the journal keeps it. What cannot be kept as it is, is shortened or replaced; no row is refused."""
    try:
        payload = _encoder.encode(row)
    except (UnicodeEncodeError, OverflowError):  # half a surrogate pair; more than 64 bits
        payload = b""
    return payload if 0 < len(payload) <= MAX_RECORD else _encoder.encode(_tamed(row))


def unpacked(payload: bytes) -> Row:
    """The row that ``packed`` was given."""
    return _decoder.decode(payload)


def _tamed(row: Row) -> Row:
    changed: dict[str, str | int] = {}
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if isinstance(value, str):
            changed[name] = value[:_MAX_TEXT].encode("utf-8", "replace").decode()
        elif not isinstance(value, bool):
            changed[name] = max(-_MAX_NUMBER, min(value, _MAX_NUMBER))
    return msgspec.structs.replace(row, **changed)


class Journal:
    """Of this process. Not for several threads at once: its owner has a lock.

    Raises:
        OSError: the directory cannot be written.
    """

    def __init__(self, directory: Path, *, max_segment: int = 4 * 2**20) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.max_segment = max_segment  # bytes after which a new one should be begun
        self._directory = directory
        self._boot, self._lock = _new_boot(directory)
        self._first = self._number = 1
        self._step = min(_STEP, max_segment)
        self._file = -1
        self.size = 0  # bytes that are in use
        self._room = 0  # bytes that the disk keeps room for
        self._map = mmap.mmap(-1, mmap.PAGESIZE)
        try:
            self._take(self._create(1))
        except OSError:
            self._lock_path.unlink(missing_ok=True)
            os.close(self._lock)
            raise

    @property
    def _lock_path(self) -> Path:
        return _lock_path(self._directory, self._boot)

    @property
    def is_large(self) -> bool:
        """Whether it is time for ``rotate``."""
        return self.size >= self.max_segment

    def append(self, payload: bytes) -> None:
        """Add a packed row. Its head is written last: without it, what stands there is no record.

        Raises:
            OSError: it is not in the journal, as there is no room for it.
        """
        begin = self.size + _HEAD.size
        end = begin + len(payload)
        if end > self._room:
            self._grow(end)
        self._map[begin:end] = payload
        self._map[self.size : begin] = _HEAD.pack(len(payload), crc32(payload))
        self.size = end

    def probe(self) -> None:
        """Find out whether there is room again.

        Raises:
            OSError: there is none.
        """
        self._grow(self._room + 1)

    def _grow(self, least: int) -> None:
        """Have the disk keep room for so many bytes: what is only mapped, and has none, kills who writes to it."""
        if self._file < 0:
            raise OSError(errno.EBADF, "the journal is closed")
        room = self._room + self._step * -(-(least - self._room) // self._step)
        os.posix_fallocate(self._file, self._room, room - self._room)
        self._map.close()
        self._map, self._room = mmap.mmap(self._file, room), room

    def rotate(self) -> int:
        """Begin a new segment; return the number of the one before.

        Raises:
            OSError: the one before goes on.
        """
        if self._file < 0:
            raise OSError(errno.EBADF, "the journal is closed")
        file = self._create(self._number + 1)
        self._let_go()
        self._take(file)
        self._number += 1
        return self._number - 1

    def drop(self, number: int) -> None:
        """Delete this segment and those before it: the database holds what they hold, or a later segment does."""
        while self._first <= min(number, self._number - 1):
            self._path(self._first).unlink(missing_ok=True)
            self._first += 1

    def close(self, *, is_done: bool = False) -> None:
        """Let go of it. ``is_done``: nobody needs what it holds. May be called again."""
        if self._file < 0:
            return
        self._let_go()
        self._file = -1  # whatever opens a file next gets the number that is free now
        if is_done:
            for number in range(self._first, self._number + 1):
                self._path(number).unlink(missing_ok=True)
            self._lock_path.unlink(missing_ok=True)
        os.close(self._lock)

    def _take(self, file: int) -> None:
        """Write to a new segment from now on."""
        self._file, self.size, self._room = file, 0, 0
        self._map = mmap.mmap(-1, mmap.PAGESIZE)  # nothing of the file yet
        with suppress(OSError):  # the first row finds out why
            self._grow(1)

    def _let_go(self) -> None:
        """Of the segment that is written now. It keeps no more room than it needs."""
        self._map.close()
        self._room = 0
        os.ftruncate(self._file, self.size)
        os.close(self._file)

    def _path(self, number: int) -> Path:
        return self._directory / f"ledger-{self._boot}-{number}.journal"

    def _create(self, number: int) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        return os.open(self._path(number), flags, 0o600)


class Orphan:
    """The journal of a process that is no more, while its lock is held here."""

    def __init__(self, directory: Path, boot: str) -> None:
        self._lock_path = _lock_path(directory, boot)
        found = [(int(match[2]), path) for path, match in _matching(directory, _SEGMENT) if match[1] == boot]
        self.segments = [path for _, path in sorted(found)]

    def rows(self) -> list[Row]:
        """What is known of each of its rows, by id: that it was settled, as it was told first, else that it is open."""
        known: dict[str, Row] = {}
        for path in self.segments:
            for row in read(path):
                if row.id not in known or known[row.id].status == "open":
                    known[row.id] = row
        return list(known.values())

    def delete(self) -> None:
        """When all of its rows are in the database."""
        for path in (*self.segments, self._lock_path):
            path.unlink(missing_ok=True)


def orphans(directory: Path) -> Iterator[Orphan]:
    """Journals whose process is gone; each is held here until the next is asked for.

    Raises:
        OSError: the directory or a lock cannot be used.
    """
    boots = {match[1] for pattern in (_LOCK, _SEGMENT) for _, match in _matching(directory, pattern)}
    for boot in sorted(boots):
        lock = _take_lock(_lock_path(directory, boot))
        if lock is None:
            continue
        try:
            yield Orphan(directory, boot)
        finally:
            os.close(lock)


def read(path: Path) -> list[Row]:
    """The rows of a segment, up to the first record that is torn or damaged.

    Raises:
        OSError: the file cannot be read.
    """
    data, at = memoryview(path.read_bytes()), 0
    rows: list[Row] = []
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        payload = data[at : at + length]
        if not 0 < length == len(payload) <= MAX_RECORD or crc32(payload) != checksum:
            break
        try:
            rows.append(_decoder.decode(payload))
        except msgspec.DecodeError:  # whole, and from a version that keeps other rows
            break
        at += length
    return rows


def _matching(directory: Path, pattern: re.Pattern[str]) -> list[tuple[Path, re.Match[str]]]:
    found = ((path, pattern.fullmatch(path.name)) for path in directory.iterdir())
    return [(path, match) for path, match in found if match is not None]


def _lock_path(directory: Path, boot: str) -> Path:
    return directory / f"ledger-{boot}.lock"


def _new_boot(directory: Path) -> tuple[str, int]:
    """A name that nobody has, and its lock. Another process may take the lock first, and delete it as an orphan's."""
    while True:
        boot = os.urandom(6).hex()
        lock = _take_lock(_lock_path(directory, boot))
        if lock is not None:
            return boot, lock


def _take_lock(path: Path) -> int | None:
    """A descriptor that holds the lock; None while another one does, or if the file was deleted meanwhile."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_ino == path.stat().st_ino:
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None
