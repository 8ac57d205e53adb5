"""A model in a directory: a tiny one is written here, byte by byte, as the format says."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from proxy.semantic.local import MODEL, TOKENIZER, LocalModel, NoModel
from proxy.semantic.memory import unit

TABLE = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]  # of the words below
WORDS = {"[UNK]": 0, "pay": 1, "bill": 2}


def _varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found += bytes((number & 127 | 128,))
        number >>= 7
    return found + bytes((number,))


def _field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _tensor_type(element: int, *dimensions: bytes | int) -> bytes:
    """ValueInfoProto.type: element type, and dimensions by name or number."""
    shape = b"".join(_field(1, _field(2 if isinstance(one, bytes) else 1, one)) for one in dimensions)
    return _field(1, _field(1, element) + _field(2, shape))


def _onnx() -> bytes:
    """ModelProto: each token's row of a table."""
    floats = struct.pack("<6f", *[value for row in TABLE for value in row])
    table = _field(1, 3) + _field(1, 2) + _field(2, 1) + _field(8, b"table") + _field(9, floats)
    node = _field(1, b"table") + _field(1, b"input_ids") + _field(2, b"out") + _field(4, b"Gather")
    given = _field(1, b"input_ids") + _field(2, _tensor_type(7, b"b", b"n"))
    output = _field(1, b"out") + _field(2, _tensor_type(1, b"b", b"n", 2))
    graph = _field(1, node) + _field(2, b"g") + _field(5, table) + _field(11, given) + _field(12, output)
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _field(2, 13))


def _write(folder: Path) -> Path:
    (folder / MODEL).write_bytes(_onnx())
    model = {"type": "WordLevel", "vocab": WORDS, "unk_token": "[UNK]"}
    told = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "model": model}
    empty = dict.fromkeys(("truncation", "padding", "normalizer", "post_processor", "decoder"))
    (folder / TOKENIZER).write_text(json.dumps(told | empty))
    return folder


def test_a_vector_is_the_mean_of_its_tokens(tmp_path: Path) -> None:
    """Of length one; none where there is nothing in it."""
    model = LocalModel(_write(tmp_path))
    assert model.embed("pay bill") == unit([1.0, 1.0])
    assert model.embed("pay " * 1000) == unit([1.0, 0.0])
    assert model.embed("nothing known") is None


def test_what_is_missing(tmp_path: Path) -> None:
    """It says what."""
    with pytest.raises(NoModel, match=r"no model\.onnx and no tokenizer\.json"):
        LocalModel(tmp_path)


def test_what_cannot_be_used(tmp_path: Path) -> None:
    """Broken, or nothing there that could read it."""
    _write(tmp_path)
    (tmp_path / MODEL).write_bytes(b"nonsense")
    with pytest.raises(NoModel, match=r"cannot be read|needs the extra `semantic`"):
        LocalModel(tmp_path)
