"""How kept answers are named."""

from __future__ import annotations

import pytest

from proxy.caching.tags import read_tag, shared_tag, tags_of, version_tags
from tests.support.caching import asked


def test_an_answer_has_the_names_of_its_request() -> None:
    x = asked()
    x.tags = {"feature": "faq"}
    found = tags_of(x, b"\xab" * 32)
    assert found == (
        "all",
        "version",
        "route:chat",
        "model:m",
        "entry:abababababab",
        "organisation:acme",
        "team:acme/search",
        "key:acme/search/web",
        "tag:feature=faq",
    )
    assert all(read_tag(tag) == tag for tag in found if tag != "version")
    assert tags_of(asked(who=None), b"k" * 32)[-1].startswith("entry:")


def test_an_answer_has_the_names_of_its_prompts_and_of_its_model() -> None:
    """Each version of a template by itself, and all of them; a store that replicas share counts versions as one."""
    x = asked()
    x.tags = {"template": "support@3"}
    assert tags_of(x, b"k" * 32)[-3:] == ("tag:template=support@3", "template:support@3", "template:support")
    assert tags_of(asked(), b"k" * 32, "faq")[-1] == read_tag("template:faq")
    assert version_tags("gpt-4o-2024-08-06") == (read_tag("version:gpt-4o-2024-08-06"),)
    assert version_tags("") == ()
    assert shared_tag("version:gpt-4o-2024-08-06") in tags_of(asked(), b"k" * 32)
    assert shared_tag("template:faq") == "template:faq"


def test_a_longer_name_of_an_entry_is_the_same() -> None:
    assert read_tag("entry:" + "ab" * 32) == "entry:abababababab"


@pytest.mark.parametrize(
    "text",
    ["", "model", "model:", "colour:red", "entry:abc", "entry:" + "x" * 12, "team:search", "key:a/b", "tag:a", "a\n:b"],
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|named"):
        read_tag(text)
