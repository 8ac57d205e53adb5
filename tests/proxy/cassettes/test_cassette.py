"""The file: appended to by several at once, never half-way, and named with line and column where it is wrong."""

from __future__ import annotations

import os
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proxy.cassettes import cassette
from proxy.cassettes.cassette import Full, append, begin, load, read
from proxy.cassettes.take import Request, Response, Take, write


def document(name: str = "a", size: int = 2) -> bytes:
    """A take of that path."""
    take = Take(recorded="x", request=Request(method="POST", path=f"/{name}"), response=Response(status=200))
    return write(take, b"", b"x" * size, [])


def paths(file: Path) -> list[str]:
    """Of all takes; there is nothing else on it."""
    found = load(file)
    assert found.flaws == []
    return [entry.take.request.path for entry in found.entries]


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "c.yaml"
    assert load(file) == cassette.Found([], [], False)
    append(file, [document("a"), document("b")])
    append(file, [document("c")])
    assert paths(file) == ["/a", "/b", "/c"]
    assert [entry.line for entry in load(file).entries] == [3, 17, 31]
    assert file.read_text().splitlines()[16] == "{"
    assert file.stat().st_mode & 0o777 == 0o600


def test_many_may_append(tmp_path: Path) -> None:
    """By handles of their own, as processes have; also while somebody begins it anew."""
    file = tmp_path / "c.yaml"
    names = [f"n{number}" for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: append(file, [document(name, 9000)]), names))
    assert sorted(paths(file)) == sorted(f"/{name}" for name in names)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: begin(file) if name == "n30" else append(file, [document(name)]), names))
    assert set(paths(file)) <= {f"/{name}" for name in names}
    assert not [path for path in tmp_path.iterdir() if path != file]


def test_line_ends_and_editors_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    append(file, [document("a")])
    file.write_bytes(file.read_bytes().rstrip().replace(b"\n", b"\r\n"))
    append(file, [document("b")])
    assert paths(file) == ["/a", "/b"]


def test_a_disk_that_is_full_leaves_it_as_it_was(tmp_path: Path) -> None:
    """The system allows no larger file: what was written of the take is taken back."""
    file = tmp_path / "c.yaml"
    append(file, [document("a")])
    before, limits = file.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 500, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            append(file, [document("b", 2000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert file.read_bytes() == before


def test_it_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    append(file, [document("a")])
    with pytest.raises(Full, match="64 MiB"):
        append(file, [b"x" * cassette.MAX_SIZE])
    assert paths(file) == ["/a"]
    os.truncate(file, cassette.MAX_SIZE + 1)
    assert load(file).flaws == [f"{file}: larger than 64 MiB, the most that a cassette may have"]


def test_another_version_is_neither_read_nor_written(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    append(file, [document("a"), document("b")])
    file.write_bytes(file.read_bytes().replace(b'"cassette": 1', b'"cassette": 7', 1))
    expected = f"{file}:1:1: a cassette of version 7, of which this gateway reads version 1; 2 takes not read"
    assert load(file).flaws == [expected]
    with pytest.raises(OSError, match="something else"):
        append(file, [document("c")])
    begin(file)
    assert paths(file) == []


@pytest.mark.parametrize(
    ("data", "flaws"),
    [
        (b"routes: {}\n", ["c:1:1: not a cassette, which begins with the line"]),
        (b"\xff\xfe", ["c:1:1: not a cassette"]),
        (b'{"cassette": 1}\n---\n{\n  method": 3\n}\n', ["c:4:3: object keys must be strings; the take is not read"]),
        (b'{"cassette": 1}\n---\n{"recorded": 1}\n', ["c:3:1: expected `str`, got `int` - at `$.recorded`; the take"]),
        (b'{"cassette": 1}\n---\n{"recorded": "x', ["c:3:16: the take breaks off; the take is not read"]),
        (b'{"cassette": 1}\n---\n{"recorded": "\xff"}', ["c:3:"]),
        (
            b'{"cassette": 1}' + 9 * b"\n---\n{}",
            [*[f"c:{3 + 2 * at}:1: " for at in range(5)], "c: and 4 more takes that"],
        ),
        (b"", []),
        (b'{"cassette": 1}', []),
    ],
)
def test_what_is_wrong_is_named(data: bytes, flaws: list[str]) -> None:
    found = read(data, "c").flaws
    assert len(found) == len(flaws)
    assert all(text.startswith(flaw) for text, flaw in zip(found, flaws, strict=True)), found


def test_what_is_sound_beside_a_flaw_is_read() -> None:
    found = read(b'{"cassette": 1}\n---\n{}\n---\n' + document("a"), "c")
    assert (len(found.entries), len(found.flaws)) == (1, 1)


def test_a_folder_is_no_cassette(tmp_path: Path) -> None:
    assert load(tmp_path).flaws == [f"{tmp_path}: cannot be read: Is a directory"]
