"""Whatever was signed by whomever comes back to where it was."""

from __future__ import annotations

import msgspec
import pytest

from proxy.chat import Part, Reasoning, Text, ToolCall
from proxy.dialects.openai_responses.items import Items
from proxy.dialects.openai_responses.output import write_output
from proxy.dialects.openai_responses.signature import bind, loosen, read_thought, write_signature
from proxy.dialects.openai_responses.wire import Item
from proxy.dialects.reading import Again

_CALL = ToolCall(id="c1", name="f", arguments="{}", signature="S1", origin="gemini")


def _back(parts: list[Part]) -> list[Part]:
    """What a client that returns all items returns."""
    body = msgspec.json.encode({"input": write_output(parts, "sg_x")})
    items = Items(Again(body), {})
    for at, item in enumerate(msgspec.json.decode(body, type=dict[str, list[Item]])["input"]):
        items.add(item, at)
    assert len(items.messages) == 1
    return items.messages[0].parts


@pytest.mark.parametrize(
    "parts",
    [
        [Reasoning(text="hm", signature="S", origin="anthropic", is_summary=True), Text("Yes")],
        [Reasoning(text="hm", signature="rs_1:S", origin="openai", id="rs_1", is_summary=True), Text("Yes")],
        [Reasoning(text="hm", signature="rs_1:sg.gemini.S", origin="openai", id="rs_1", is_summary=True)],
        [Reasoning(redacted="rs_1:R", origin="openai", id="rs_1")],
        [Text("a"), _CALL, ToolCall(id="c2", name="f", arguments="{}")],
        [Text("a", signature="S", origin="gemini"), Text("b")],
        [Text("", signature="S", origin="gemini")],
        [
            Reasoning(text="hm", signature="S", origin="gemini", is_summary=True),
            Text("", signature="T", origin="gemini"),
            _CALL,
        ],
    ],
)
def test_what_is_signed_comes_back(parts: list[Part]) -> None:
    assert _back(parts) == parts


def test_hidden_thoughts_of_others_come_back() -> None:
    found = _back([Reasoning(redacted="R.x", origin="anthropic"), Text("Yes")])
    assert isinstance(found[0], Reasoning)
    assert (found[0].redacted, found[0].origin, found[0].signature) == ("R.x", "anthropic", None)


def test_thoughts_that_nobody_signed_prove_nothing() -> None:
    found = _back([Reasoning(text="hm"), Text("Yes")])
    assert isinstance(found[0], Reasoning)
    assert (found[0].text, found[0].signature, found[0].origin) == ("hm", None, "")


def test_a_proof_without_its_part_is_left_out() -> None:
    """A client that sends only some of the items loses no more than those."""
    items = Items(Again(b""), {})
    items.add(Item(type="reasoning", encrypted_content="sg.gemini@last.S"), 0)
    assert items.messages[0].parts == []


def test_what_a_provider_sealed_is_opaque() -> None:
    """It is a gateway itself, and wants back what it gave."""
    found = read_thought("hm", "sg.anthropic.S", "rs_1", is_summary=True)
    assert (found.origin, found.signature) == ("openai", "rs_1:sg.anthropic.S")
    assert write_signature("openai", found.signature or "") == "sg.openai.sg.anthropic.S"


def test_a_proof_and_the_id_of_its_item_stay_together() -> None:
    """Also in formats that know no such id."""
    assert loosen(bind("rs_1", "gAAA")) == ("rs_1", "gAAA")
    assert bind(None, "gAAA") == bind("other", "gAAA") == "gAAA"
    assert loosen("gAAA") == (None, "gAAA")
    assert loosen("a:b") == (None, "a:b")
