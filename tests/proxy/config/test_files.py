"""Reading files whole, within bounds, without hanging."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.config.files import read_bounded


def test_a_file_is_read_whole_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 2048)
    assert read_bounded(path, 2048) == b"x" * 2048
    with pytest.raises(ValueError, match="is larger than 1 KiB"):
        read_bounded(path, 2047)


def test_fifty_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)
    with pytest.raises(ValueError, match="is larger than 4096 KiB"):
        read_bounded(path, 4 * 2**20)


def test_what_is_no_file_is_named_for_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        read_bounded(tmp_path / "missing", 10)
    with pytest.raises(ValueError, match="is a directory"):
        read_bounded(tmp_path, 10)
    with pytest.raises(ValueError, match="is not a usable path"):
        read_bounded(Path("a\0b"), 10)
    with pytest.raises(ValueError, match="cannot be read: not a directory"):
        read_bounded(Path(__file__) / "below", 10)


def test_a_pipe_without_writer_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is not a regular file"):
        read_bounded(tmp_path / "pipe", 10)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """The next one to be opened has the same number as before."""

    def lowest_free() -> int:
        descriptor = os.open(__file__, os.O_RDONLY)
        os.close(descriptor)
        return descriptor

    before = lowest_free()
    for _ in range(20):
        with pytest.raises(ValueError, match="directory"):
            read_bounded(tmp_path, 10)
        read_bounded(Path(__file__), 2**20)
    assert lowest_free() == before
