"""Parts of an answer are items that the official client knows."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import ResponseOutputItem
from pydantic import TypeAdapter

from proxy.chat import Citation, Foreign, Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from proxy.dialects.openai_responses.output import write_logprobs, write_output

_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)


def _write(*parts: Part, logprobs: list[Any] | None = None) -> list[dict[str, Any]]:
    items = write_output(list(parts), "sg_x", logprobs)
    for item in items:
        _ITEM.validate_python(item, strict=True)
    return items


def test_texts_and_refusals_in_a_row_are_one_message() -> None:
    items = _write(Text("a"), Text(""), Text("b", citations=(Citation(url="https://a.example"),)), Refusal("no"))
    assert [item["id"] for item in items] == ["msg_sg_x_0"]
    assert [piece["type"] for piece in items[0]["content"]] == ["output_text", "output_text", "refusal"]
    assert items[0]["content"][1]["annotations"][0]["url"] == "https://a.example"


def test_a_call_ends_a_message() -> None:
    call = ToolCall(id="c", name="f", arguments="{}")
    patch = ToolCall(id="d", name="p", arguments="x", custom=True)
    items = _write(Text("a"), call, Text("b"), patch)
    assert [item["id"] for item in items] == ["msg_sg_x_0", "fc_sg_x_1", "msg_sg_x_2", "ctc_sg_x_3"]
    assert (items[1]["arguments"], items[3]["input"]) == ("{}", "x")


def test_thoughts_always_carry_their_proof() -> None:
    items = _write(
        Reasoning(text="hm", signature="S", origin="anthropic"),
        Reasoning(redacted="R", origin="anthropic"),
        Reasoning(text="hm", signature="rs_9:E", origin="openai", id="rs_9"),
        Reasoning(text="unsigned"),
        Reasoning(),
    )
    assert [item.get("encrypted_content") for item in items] == ["sg.anthropic.S", "sg.anthropic@redacted.R", "E", None]
    assert [item["id"] for item in items] == ["rs_sg_x_0", "rs_sg_x_1", "rs_9", "rs_sg_x_3"]


def test_a_signed_call_is_followed_by_its_proof() -> None:
    items = _write(ToolCall(id="c", name="f", arguments="{}", signature="S", origin="gemini"), Text("a"))
    assert [item["type"] for item in items] == ["function_call", "reasoning", "message"]


def test_a_picture_is_an_item_and_other_media_are_named() -> None:
    items = _write(Media(kind="image", data="AAAA", media_type="image/webp"), Media(kind="audio", data="AAAA"))
    assert (items[0]["type"], items[0]["result"], items[0]["output_format"]) == (
        "image_generation_call",
        "AAAA",
        "webp",
    )
    assert "left out" in items[1]["content"][0]["text"]


def test_own_items_stay_and_those_of_others_are_left_out() -> None:
    value = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}
    own = Foreign(origin="openai_responses", what="output.web_search_call", value=value)
    other = Foreign(origin="gemini", what="x", value={"a": 1})
    assert _write(own, other, ToolResult(call_id="c", parts=())) == [value]


def test_token_objects_stand_with_the_first_text() -> None:
    token = {"token": "a", "logprob": -0.1, "bytes": None, "top_logprobs": [{"token": "b", "logprob": -1.0}]}
    items = _write(Refusal("no"), Text("a"), Text("b"), logprobs=[token])
    assert [len(piece.get("logprobs", [])) for piece in items[0]["content"]] == [0, 1, 0]


@pytest.mark.parametrize("tokens", [None, [], ["odd"], [{"token": "a", "logprob": 0.0}]])
def test_token_objects_have_all_members(tokens: Any) -> None:
    for token in write_logprobs(tokens):
        assert token == "odd" or token == {"token": "a", "logprob": 0.0, "bytes": [], "top_logprobs": []}
