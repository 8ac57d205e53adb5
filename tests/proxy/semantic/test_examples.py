"""What a text is most like, of what is known."""

from __future__ import annotations

from proxy.semantic.embedder import Embedder
from proxy.semantic.examples import Examples
from tests.support.alike import AlikeContext, request


def _examples(context: AlikeContext, likeness: float = 0.9) -> Examples:
    embedder = Embedder(context, context.targets["up/vectors"], None, 1.0, "n")  # type: ignore[arg-type]
    return Examples({"pay": ["Pay"], "cook": ["Cook", "Bake"]}, embedder, likeness)


async def test_the_nearest_example_that_is_near_enough() -> None:
    """Vectors of examples are asked for once."""
    context = AlikeContext()
    context.vectors |= {"Pay": [1.0, 0.0], "Cook": [0.0, 1.0], "Bake": [0.1, 1.0], "A": [1.0, 0.1], "B": [0.2, 1.0]}
    context.vectors["C"] = [1.0, 1.0]
    examples = _examples(context)
    assert [await examples.nearest(request("x"), text) for text in "ABC"] == ["pay", "cook", ""]
    assert context.asked == ["Pay", "Cook", "Bake", "A", "B", "C"]
    assert await _examples(context, 0.5).nearest(request("x"), "C") in ("pay", "cook")


async def test_without_a_vector_nothing_is_known_and_it_is_tried_again() -> None:
    context = AlikeContext()
    context.vectors |= {"Pay": [1.0, 0.0], "Cook": [0.0, 0.0], "Bake": [0.0, 1.0], "A": [0.0, 0.0]}
    examples = _examples(context)
    assert await examples.nearest(request("x"), "A") is None
    context.vectors["Cook"] = [0.0, 1.0]
    assert await examples.nearest(request("x"), "A") is None
    assert context.asked == ["Pay", "Cook", "Bake", "Cook", "A"]
    nobody = Embedder(context, None, None, 1.0, "n")  # type: ignore[arg-type]
    assert await Examples({"a": ["x"]}, nobody, 0.9).nearest(request("x"), "A") is None
