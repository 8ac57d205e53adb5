"""The items of a stored conversation, as ``/v1/responses/{id}/input_items`` lists them."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import Losses, Message, Reasoning
from proxy.dialects.openai_responses.output import write_output
from proxy.dialects.openai_responses.turns import Turns

_KINDS = {"function_call": "fc", "custom_tool_call": "ctc", "function_call_output": "fco", "reasoning": "rs"}


def list_items(
    messages: list[Message], token: str, *, after: str | None, limit: int, newest_first: bool
) -> bytes | None:
    """One page of the items; None if there is no item called ``after``."""
    items = _items(messages, token)
    if newest_first:
        items.reverse()
    first = 0
    if after is not None:
        found = next((at for at, item in enumerate(items) if item["id"] == after), None)
        if found is None:
            return None
        first = found + 1
    page = items[first : first + limit]
    return msgspec.json.encode(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else "",
            "last_id": page[-1]["id"] if page else "",
            "has_more": first + limit < len(items),
        }
    )


def _items(messages: list[Message], token: str) -> list[dict[str, Any]]:
    """All of them, each with an id."""
    items: list[dict[str, Any]] = []
    for at, message in enumerate(messages):
        if message.role == "assistant":
            items += write_output(message.parts, f"{token}_in{at}")
            continue
        turns = Turns(Losses(), pairs=False)
        turns.write([Message(message.role, [p for p in message.parts if not isinstance(p, Reasoning)])])
        items += [_whole(item, f"{token}_in{at}_{index}") for index, item in enumerate(turns.items)]
    return items


def _whole(item: dict[str, Any], token: str) -> dict[str, Any]:
    """An item as the API tells it: with an id, and content in its long form."""
    kind = item.get("type", "message")
    content = item.get("content")
    if isinstance(content, str):
        item = {**item, "content": [{"type": "input_text", "text": content}]}
    return {"id": f"{_KINDS.get(kind, 'msg')}_{token}", "status": "completed", **item, "type": kind}
