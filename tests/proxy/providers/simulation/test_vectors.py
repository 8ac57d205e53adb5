"""Embeddings, moderations, rerankings."""

from __future__ import annotations

import base64
import math
from array import array
from typing import Any

import msgspec
import pytest

from proxy.errors import Rejected
from proxy.providers.simulation.vectors import embeddings, moderations, rerank


def _vectors(seed: int = 0, **fields: Any) -> list[Any]:
    found = msgspec.json.decode(embeddings(fields, "m", seed).body)
    return [one["embedding"] for one in found["data"]]


def test_a_vector_belongs_to_its_text() -> None:
    """Of length one, as many dimensions as asked, the same in both encodings."""
    first, second, again = _vectors(input=["a", "b", "a"], dimensions=8)
    assert first == again != second
    assert len(first) == 8
    assert math.isclose(sum(value * value for value in first), 1.0, rel_tol=1e-5)
    packed = array("f", base64.b64decode(_vectors(input="a", dimensions=8, encoding_format="base64")[0]))
    assert packed.tolist() == first
    assert _vectors(1, input="a", dimensions=8) != [first]


@pytest.mark.parametrize(
    "given", [None, [], {}, 5, ["x"] * 5000], ids=["none", "empty", "object", "number", "too many"]
)
def test_a_bad_input_is_refused(given: Any) -> None:
    """As the provider would."""
    with pytest.raises(Rejected):
        embeddings({"input": given}, "m", 0)
    with pytest.raises(Rejected):
        moderations({"input": given}, "m", "d")


@pytest.mark.parametrize("dimensions", [-1, 10**9, "8", 1.5])
def test_bad_dimensions_are_refused(dimensions: Any) -> None:
    """Bounded."""
    with pytest.raises(Rejected):
        embeddings({"input": "a", "dimensions": dimensions}, "m", 0)


def test_tokens_and_strange_text_are_inputs_too() -> None:
    """Lists of numbers, lone surrogates, images."""
    assert len(_vectors(input=[1, 2, 3])) == 1
    assert len(_vectors(input=[[1, 2], [3]])) == 2
    assert len(_vectors(input="\ud800")) == 1
    parts = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "y"}}]
    assert len(msgspec.json.decode(moderations({"input": parts}, "m", "d").body)["results"]) == 2


def test_shared_words_rank_first() -> None:
    """With documents if wanted, at most ``top_n``."""
    fields = {"query": "red apple", "documents": ["blue sky", {"text": "an apple is red"}, "apple"], "top_n": 2}
    found = msgspec.json.decode(rerank(fields | {"return_documents": True}, "m", "d").body)["results"]
    assert [one["index"] for one in found] == [1, 2]
    assert found[0]["document"] == {"text": "an apple is red"}
    assert found[0]["relevance_score"] >= found[1]["relevance_score"]
    with pytest.raises(Rejected):
        rerank({"query": "x", "documents": "no"}, "m", "d")
