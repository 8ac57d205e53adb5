"""Small readers of what a file of cases says."""

from __future__ import annotations

import pytest

from proxy.rehearsal.cases import steps, texts


def test_a_path_is_keys_and_indices() -> None:
    assert steps("messages[-1].content[0].text") == ("messages", -1, "content", 0, "text")
    assert steps("model") == ("model",)
    assert steps("[2].a-b") == (2, "a-b")


@pytest.mark.parametrize("path", [".model", "a..b", "a[x]", "a[1", "a]"])
def test_what_is_no_path_is_said(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        steps(path)


def test_one_text_is_several() -> None:
    assert texts("a") == ("a",)
    assert texts(("a", "b")) == ("a", "b")
