"""Lists of stored items, as the official client reads them."""

from __future__ import annotations

from typing import Any

from openai.types.responses import ResponseItem
from openai.types.responses.response_item_list import ResponseItemList
from pydantic import TypeAdapter

from proxy.chat import Media, Message, Reasoning, Text, ToolCall, ToolResult
from proxy.dialects.openai_responses.listing import list_items

_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseItem)
_MESSAGES = [
    Message("developer", [Text("Be.")]),
    Message("user", [Text("Hi"), Media(kind="image", data="AAAA", media_type="image/png")]),
    Message(
        "assistant",
        [
            Reasoning(text="hm", signature="S", origin="anthropic"),
            Text("I look"),
            ToolCall(id="c1", name="f", arguments="{}"),
            ToolCall(id="c2", name="p", arguments="x", custom=True),
        ],
    ),
    Message("user", [ToolResult(call_id="c1", parts=(Text("ok"),)), ToolResult(call_id="c2", parts=(Text("ok"),))]),
]
_KINDS = ["message", "message", "reasoning", "message", "function_call", "custom_tool_call", "function_call_output"]


def _page(after: str | None = None, limit: int = 20, *, newest_first: bool = False) -> ResponseItemList:
    body = list_items(_MESSAGES, "sg_x", after=after, limit=limit, newest_first=newest_first)
    assert body is not None
    page = ResponseItemList.model_validate_json(body)
    for item in page.data:
        _ITEM.validate_python(item.to_dict())
    return page


def test_all_items_are_there_with_ids_of_their_own() -> None:
    page = _page()
    assert [item.type for item in page.data][: len(_KINDS)] == _KINDS
    ids = [item.id for item in page.data]
    assert len(set(ids)) == len(ids) == 8
    assert (page.first_id, page.last_id, page.has_more) == (ids[0], ids[-1], False)


def test_pages_follow_each_other() -> None:
    everything = [item.id for item in _page().data]
    first = _page(limit=3)
    assert ([item.id for item in first.data], first.has_more) == (everything[:3], True)
    assert [item.id for item in _page(after=first.last_id).data] == everything[3:]


def test_the_newest_may_come_first() -> None:
    assert [item.id for item in _page(newest_first=True).data] == [item.id for item in _page().data][::-1]


def test_there_is_nothing_after_what_is_not_there() -> None:
    assert list_items(_MESSAGES, "sg_x", after="other", limit=5, newest_first=False) is None
    empty = list_items([], "sg_x", after=None, limit=5, newest_first=False)
    assert empty is not None
    assert ResponseItemList.model_validate_json(empty).data == []
