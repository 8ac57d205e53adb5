"""The file: a line that says which version it is, then takes, each a document of its own after a line ``---``.

A cassette is appended to, never rewritten, so that two gateways may record on one: whoever writes or reads holds a lock
on the file (``flock``), and a write that fails half-way is taken back. All of it is valid YAML; it is read as JSON.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from proxy.cassettes.take import Take

VERSION = 1
MAX_SIZE = 64 << 20  # bytes of a file
_HEADER = b'{"cassette": %d}\n' % VERSION
_BETWEEN = b"---\n"
_MOST_TOLD = 5  # flaws that are named one by one
_BYTE = re.compile(r" \(byte (\d+)\)$")
_TAKE = msgspec.json.Decoder(Take)


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    cassette: int


class Full(Exception):
    """There is no room for more takes."""


class Entry(msgspec.Struct, frozen=True):
    """A take and the line on which it begins."""

    take: Take
    line: int


class Found(msgspec.Struct, frozen=True):
    """What is in a file; ``flaws`` name file, line, column and how much is not read. ``exists``: it holds something."""

    entries: list[Entry]
    flaws: list[str]
    exists: bool


def load(path: Path) -> Found:
    """Read a cassette. Blocks."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            data = file.read(MAX_SIZE + 1)
    except FileNotFoundError:
        return Found([], [], False)
    except OSError as error:
        return Found([], [f"{path}: cannot be read: {error.strerror}"], True)
    if len(data) > MAX_SIZE:
        return Found([], [f"{path}: larger than {MAX_SIZE >> 20} MiB, the most that a cassette may have"], True)
    return read(data.replace(b"\r\n", b"\n"), str(path))


def read(data: bytes, name: str) -> Found:
    """The takes of ``data``, and what is wrong with it."""
    if not data.strip():
        return Found([], [], False)
    documents = data.split(b"\n" + _BETWEEN)
    wrong = _wrong_header(documents[0], len(documents) - 1)
    if wrong is not None:
        return Found([], [f"{name}:1:1: {wrong}"], True)
    entries, flaws = [], []
    line = 1 + documents[0].count(b"\n") + 2
    for document in documents[1:]:
        try:
            entries.append(Entry(_TAKE.decode(document), line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            flaws.append(f"{name}:{_place(document, line, str(error))}")
        line += document.count(b"\n") + 2
    if len(flaws) > _MOST_TOLD:
        flaws[_MOST_TOLD:] = [f"{name}: and {len(flaws) - _MOST_TOLD} more takes that cannot be read"]
    return Found(entries, flaws, True)


def _wrong_header(header: bytes, takes: int) -> str | None:
    """Why nothing of the file is read; None for one of ours."""
    count = f"{takes} take{'' if takes == 1 else 's'}"
    try:
        version = msgspec.json.decode(header, type=_Header).cassette
    except (msgspec.DecodeError, UnicodeDecodeError):
        return f"not a cassette, which begins with the line {_HEADER.decode().strip()}; nothing of it is read"
    if version != VERSION:
        return f"a cassette of version {version}, of which this gateway reads version {VERSION}; {count} not read"
    return None


def _place(document: bytes, line: int, error: str) -> str:
    """Line, column and what is wrong there."""
    col, found = 1, _BYTE.search(error)
    if "truncated" in error:
        before, error = document.rstrip(), "the take breaks off"
        line, col = line + before.count(b"\n"), len(before) - (before.rfind(b"\n") + 1) + 1
    elif found is not None:
        before, error = document[: int(found[1])], error[: found.start()]
        line, col = line + before.count(b"\n"), len(before) - (before.rfind(b"\n") + 1) + 1
    error = error.removeprefix("JSON is malformed: ")
    return f"{line}:{col}: {error[:1].lower()}{error[1:]}; the take is not read"


def append(path: Path, documents: list[bytes]) -> None:
    """Add takes. Blocks.

    Raises:
        Full: they have no room.
        OSError: the file is as it was.
    """
    data = b"".join(_BETWEEN + document for document in documents)
    with _locked(path) as file:
        size = os.fstat(file).st_size
        if size == 0:
            data = _HEADER + data
        elif os.pread(file, len(_HEADER), 0) not in (_HEADER, _HEADER[:-1] + b"\r"):
            raise OSError(0, "it has become something else than a cassette of this version")
        elif os.pread(file, 1, size - 1) != b"\n":  # an editor's doing
            data = b"\n" + data
        if size + len(data) > MAX_SIZE:
            raise Full(f"{path} has no room: a cassette holds {MAX_SIZE >> 20} MiB")
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(file, data[written:], size + written)
        except OSError:
            os.ftruncate(file, size)
            raise


def begin(path: Path) -> None:
    """Put an empty cassette in the place of whatever is there. Blocks.

    Raises:
        OSError: it could not be written; what was there is there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(_HEADER)
    aside.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, held alone; made if there is none. Another gateway may put a new one in its place meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(file), path.stat()):
                yield file
                return
        finally:
            os.close(file)
