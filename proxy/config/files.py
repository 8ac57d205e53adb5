"""Files that the configuration names, read whole and within bounds."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_FILE = 4 * 2**20
MAX_SECRET = 64 * 2**10


def read_bounded(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most ``limit`` bytes.

    Raises:
        ValueError: why it cannot be read, as the end of a sentence that begins with the file.
    """
    try:
        # A pipe without a writer would hold the open for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise ValueError(_reason(error)) from None
    try:
        state = os.fstat(descriptor)
        if stat.S_ISDIR(state.st_mode):
            raise ValueError("is a directory, not a file")
        if not stat.S_ISREG(state.st_mode):
            raise ValueError("is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = b"" if state.st_size > limit else file.read(limit + 1)
    except OSError as error:
        raise ValueError(_reason(error)) from None
    finally:
        os.close(descriptor)
    if max(state.st_size, len(data)) > limit:
        raise ValueError(f"is larger than {limit // 2**10} KiB")
    return data


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, PermissionError):
        return "must not be read by this user"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror.lower()}"
    return "is not a usable path"
