"""The file that survives the process: what is read back, whatever was done to it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import msgspec
import pytest

from proxy.ledger.journal import MAX_RECORD, Journal, orphans, packed, read, unpacked
from proxy.ledger.row import Row
from tests.support.ledger import opened, settled


def _segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.journal"))


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    """In order, by others than its owner; and nobody else may look into the files."""
    journal = Journal(tmp_path / "state")
    rows = [opened(number) for number in range(20)]
    for row in rows:
        journal.append(packed(row))
    (segment,) = _segments(tmp_path / "state")
    assert read(segment) == rows
    assert 0 < journal.size <= segment.stat().st_size
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()} == {0o600}
    journal.close()
    assert journal.size == segment.stat().st_size  # it keeps no more room than it needs


def test_only_the_journal_of_the_dead_is_an_orphan(tmp_path: Path) -> None:
    """A second look finds nothing, once it is deleted. While one holds it, no other gets it."""
    living, dead = Journal(tmp_path), Journal(tmp_path)
    living.append(packed(opened(1)))
    dead.append(packed(opened(2)))
    assert list(orphans(tmp_path)) == []
    dead.close()
    for orphan in orphans(tmp_path):
        assert [row.id for row in orphan.rows()] == [opened(2).id]
        assert list(orphans(tmp_path)) == []
        orphan.delete()
    assert list(orphans(tmp_path)) == []
    assert len(_segments(tmp_path)) == 1
    living.close(is_done=True)
    assert list(tmp_path.iterdir()) == []


def test_segments_are_one_journal_until_they_are_dropped(tmp_path: Path) -> None:
    """A row that is settled in a later one is known as settled, the first time; the order of ten and more holds."""
    journal = Journal(tmp_path, max_segment=1)
    row = opened(1)
    journal.append(packed(row))
    large = [journal.is_large]
    for cost in range(12):
        journal.rotate()
        large.append(journal.is_large)
        journal.append(packed(settled(row, cost=cost)))
    assert large == [True] + [False] * 12
    journal.drop(1)
    assert len(_segments(tmp_path)) == 12
    journal.drop(99)  # never the one that is written
    assert len(_segments(tmp_path)) == 1
    journal.append(packed(opened(2)))
    journal.close()
    (found,) = [orphan.rows() for orphan in orphans(tmp_path)]
    assert [(one.id, one.cost) for one in found] == [(row.id, 11), (opened(2).id, 0)]


def test_a_journal_whose_lock_is_gone_is_read_all_the_same(tmp_path: Path) -> None:
    """Somebody may have tidied up."""
    journal = Journal(tmp_path)
    journal.append(packed(opened(1)))
    journal.close()
    for path in tmp_path.glob("*.lock"):
        path.unlink()
    assert [orphan.rows() for orphan in orphans(tmp_path)] == [[opened(1)]]


def test_damage_costs_what_comes_after_it_and_nothing_else(tmp_path: Path) -> None:
    """Cut short, and with one bit turned, at 128 places near the end."""
    journal = Journal(tmp_path)
    rows, ends = [opened(number) for number in range(40)], []
    for row in rows:
        journal.append(packed(row))
        ends.append(journal.size)
    journal.close()
    (segment,) = _segments(tmp_path)
    whole, chosen = segment.read_bytes(), random.Random(1)
    for place in chosen.sample(range(len(whole) - 2000, len(whole)), 128):
        left = [row for row, end in zip(rows, ends, strict=True) if end <= place]
        segment.write_bytes(whole[:place])
        assert read(segment) == left
        segment.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chosen.randrange(8)]) + whole[place + 1 :])
        assert read(segment) == left
        assert [orphan.rows() for orphan in orphans(tmp_path)] == [left]


@pytest.mark.parametrize("tail", [b"", bytes(4096), b"\xff" * 64, b"\x00\x00\x00\x01\xd2\x02\xef\x8d\x00"])
def test_what_is_no_record_ends_a_segment(tmp_path: Path, tail: bytes) -> None:
    """Zeros, a length that is none, and a whole record that holds no row."""
    journal = Journal(tmp_path)
    journal.append(packed(opened(1)))
    journal.close()
    (segment,) = _segments(tmp_path)
    segment.write_bytes(segment.read_bytes() + tail)
    assert read(segment) == [opened(1)]


def test_a_probe_leaves_nothing(tmp_path: Path) -> None:
    """What is appended afterwards follows what was there."""
    journal = Journal(tmp_path)
    for number in range(3):
        journal.append(packed(opened(number)))
        journal.probe()
    (segment,) = _segments(tmp_path)
    assert read(segment) == [opened(number) for number in range(3)]
    journal.close()


def test_a_closed_journal_writes_to_no_file(tmp_path: Path) -> None:
    """Though somebody else has got its number meanwhile."""
    journal = Journal(tmp_path)
    journal.close()
    other = os.open(tmp_path / "other", os.O_WRONLY | os.O_CREAT)
    for use in (lambda: journal.append(packed(opened(1))), journal.probe, journal.rotate):
        with pytest.raises(OSError, match=r"."):
            use()
    os.close(other)
    assert (tmp_path / "other").stat().st_size == 0


@pytest.mark.parametrize(
    "row",
    [
        opened(1, user="\ud800 half", model="gpt"),
        opened(1, input=2**70, output=-(2**70), model="gpt"),
        opened(1, user="x" * MAX_RECORD, session="y" * MAX_RECORD, model="gpt"),
    ],
)
def test_no_row_is_refused(row: Row) -> None:
    """What does not fit is cut or replaced, and the rest stays."""
    payload = packed(row)
    found = unpacked(payload)
    assert len(payload) <= MAX_RECORD
    assert (found.id, found.model, found.bound_cost) == (row.id, "gpt", row.bound_cost)
    assert found != row
    assert unpacked(packed(found)) == found
    assert msgspec.msgpack.decode(payload, type=Row) == found
