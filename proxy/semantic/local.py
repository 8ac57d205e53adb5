"""Vectors from a model in a directory: ``model.onnx`` and ``tokenizer.json``, as sentence transformers are published.

Needs the extra ``semantic``. Nothing is ever fetched. It computes for milliseconds: call it in a thread.
"""

from __future__ import annotations

from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from proxy.semantic.memory import Vector, unit

MOST_TOKENS = 256  # of a text; questions are much shorter
MODEL, TOKENIZER = "model.onnx", "tokenizer.json"


class NoModel(Exception):
    """The directory cannot be used. The text says why, for who wrote the file."""


class LocalModel:
    """Threads may share it. It uses one core, so that requests do not wait for each other's threads. ``digest``: of its
    files."""

    def __init__(self, directory: Path) -> None:
        """
        Raises:
            NoModel: it cannot be read, or the extra is not installed.
        """
        missing = [name for name in (MODEL, TOKENIZER) if not (directory / name).is_file()]
        if missing:
            raise NoModel(f"there is no {' and no '.join(missing)} in {directory}")
        try:
            import numpy
            import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]
            import tokenizers  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError as error:
            message = "a local model needs the extra `semantic`: pip install 'sluicegate[semantic]'"
            raise NoModel(message) from error
        self._numpy: Any = numpy
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(directory / TOKENIZER))
            self._session: Any = onnxruntime.InferenceSession(
                str(directory / MODEL), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # each library has its own
            raise NoModel(f"the model in {directory} cannot be read: {str(error)[:200]}") from error
        self.digest = _digest(directory)
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.no_padding()
        self._inputs = {one.name for one in self._session.get_inputs()}

    def embed(self, text: str) -> Vector | None:
        """The vector of ``text``; None if the model gives none."""
        numpy = self._numpy
        encoded = self._tokenizer.encode(text)
        given = {
            "input_ids": [encoded.ids],
            "attention_mask": [encoded.attention_mask],
            "token_type_ids": [encoded.type_ids],
        }
        fed = {name: numpy.array(value, dtype=numpy.int64) for name, value in given.items() if name in self._inputs}
        found = self._session.run(None, fed)[0]
        if found.ndim == 3:  # a vector for each token: their mean
            found = found.mean(axis=1)
        return unit(found[0].tolist())


def _digest(directory: Path) -> bytes:
    found = sha256()
    for name in (MODEL, TOKENIZER):
        with (directory / name).open("rb") as file:
            found.update(file_digest(file, "sha256").digest())
    return found.digest()
