"""What a simulated account remembers, and forgets."""

from __future__ import annotations

import json

import pytest

from proxy.errors import Rejected
from proxy.providers.simulation.shelf import MAX_BYTES, MAX_FILES, MAX_RESPONSE, MAX_RESPONSES, Shelf, read_upload


def test_files_come_back_until_deleted() -> None:
    """The newest first."""
    shelf = Shelf()
    first = shelf.add_file("a", "batch", b"1")
    second = shelf.add_file("b", "batch", b"2")
    assert [file.name for file in shelf.files()] == ["b", "a"]
    assert shelf.file(first.id).content == b"1"
    shelf.delete_file(first.id)
    with pytest.raises(Rejected):
        shelf.file(first.id)
    assert shelf.files() == [second]


def test_memory_is_bounded() -> None:
    """By number and by bytes; a large response is not kept at all."""
    shelf = Shelf()
    for number in range(MAX_FILES + 50):
        shelf.add_file("f", "p", b"%d" % number)
    assert len(shelf.files()) == MAX_FILES
    for number in range(5):
        shelf.add_file("big", "p", b"%d" % number + bytes(MAX_BYTES // 3))
    assert sum(len(file.content) for file in shelf.files()) <= MAX_BYTES
    for number in range(MAX_RESPONSES + 10):
        shelf.add_response({"id": f"r{number}"}, 10)
        shelf.add_batch({"id": f"b{number}"})
    shelf.add_response({"id": "large"}, MAX_RESPONSE + 1)
    for missing in ("r0", "large"):
        with pytest.raises(Rejected):
            shelf.response(missing)
    with pytest.raises(Rejected):
        shelf.batch("b0")
    assert shelf.response(f"r{MAX_RESPONSES + 9}")


def test_an_upload_is_read() -> None:
    """Byte for byte, with its name and purpose."""
    body = (
        b'--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\x00\r\n\xff\r\n--B--\r\n"
    )
    assert read_upload(body, b"multipart/form-data; boundary=B") == ("a.jsonl", "batch", b"\x00\r\n\xff")
    for wrong in (b"", b"application/json"):
        with pytest.raises(Rejected):
            read_upload(body, wrong)


def _turn(*said: str) -> bytes:
    messages = [{"role": "user", "content": text} for text in ("A long beginning. " * 300, *said)]
    return json.dumps({"messages": messages}).encode()


def test_prompts_are_recalled() -> None:
    """As far as they were read before, by that model; what is short never was."""
    shelf = Shelf()
    assert shelf.recall("openai_chat", _turn("Hi"), "m", 2000, 60) == 0
    assert shelf.recall("openai_chat", _turn("Hi"), "m", 2000, 60) == 2000
    assert 1900 < shelf.recall("openai_chat", _turn("Ho"), "m", 2000, 60) < 2000
    assert shelf.recall("openai_chat", _turn("Hi"), "n", 2000, 60) == 0
    assert shelf.recall("openai_chat", _turn("Hi"), "m", 1000, 60) == 0
    assert shelf.recall("openai_chat", b"{}", "m", 2000, 60) == 0
    other = Shelf()
    other.recall("openai_chat", _turn("Hi"), "m", 2000, 0.0)
    assert other.recall("openai_chat", _turn("Hi"), "m", 2000, 60) == 0, "it was kept for no time"
