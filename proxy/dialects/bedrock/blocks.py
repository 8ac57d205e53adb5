"""Blocks of Anthropic's as Converse's."""

from __future__ import annotations

import re
from typing import Any

from proxy.chat import Losses, Media
from proxy.dialects.bedrock.media import write_media
from proxy.dialects.bedrock.words import write_hidden

# What a document may be called. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9\s\-()\[\]]")
_MAX_NAME = 190  # the limit is 200; a number may follow
_LEFT_OUT = "(left out)"
# By the type of a block that has no counterpart: how the loss is called.
_WHAT = {"document": "file"}


def hold_media(media: Media) -> dict[str, Any] | None:
    """A block for ``Blocks`` to unpack; None if Converse takes nothing of the kind."""
    block = write_media(media)
    return None if block is None else {"type": "media", "block": block, "title": media.name}


def write_cache_point(control: dict[str, str]) -> dict[str, Any]:
    """A marker of Anthropic's as a block."""
    point = {"type": "default"}
    if "ttl" in control:
        point["ttl"] = control["ttl"]
    return {"cachePoint": point}


def _marker(block: dict[str, Any]) -> dict[str, str] | None:
    """Of a block, or of something in the result of a tool: within it there may be none."""
    inner = block.get("content", ()) if block["type"] == "tool_result" else ()
    return next((one["cache_control"] for one in (block, *reversed(inner)) if "cache_control" in one), None)


class Blocks:
    """Renames the blocks of one request, and notes what Converse has no word for."""

    __slots__ = ("_losses", "_names")

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._names: set[str] = set()

    def turns(self, turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """All messages. Converse wants the user's first, and words beside every document."""
        found = [
            {"role": turn["role"], "content": self.rename(turn["content"], f"messages[{at}]")}
            for at, turn in enumerate(turns)
        ]
        for turn in found:
            content = turn["content"]
            if any("document" in block for block in content) and not any("text" in block for block in content):
                names = ", ".join(block["document"]["name"] for block in content if "document" in block)
                content.append({"text": names})
        if found[0]["role"] != "user":
            self._losses.add("messages[0].role")
            found.insert(0, {"role": "user", "content": [{"text": "(the conversation begins)"}]})
        return found

    def rename(self, blocks: list[dict[str, Any]], at: str, *, in_result: bool = False) -> list[dict[str, Any]]:
        """A list of blocks; a marker is a block of its own, behind the one that carries it."""
        found: list[dict[str, Any]] = []
        for block in blocks:
            renamed = self._block(block, at)
            if renamed is None or (in_result and "audio" in renamed):
                what = block["type"] if renamed is None else "audio"
                self._losses.add(f"{at}.{_WHAT.get(what, what)}")
                continue
            found.append(renamed)
            marker = None if in_result else _marker(block)
            if marker is not None:
                found.append(write_cache_point(marker))
        return found or [{"text": _LEFT_OUT}]

    def _block(self, block: dict[str, Any], at: str) -> dict[str, Any] | None:
        match block["type"]:
            case "text":
                return {"text": block["text"]}
            case "tool_use":
                use = {"toolUseId": block["id"], "name": block["name"], "input": block["input"]}
                return {"toolUse": use}
            case "tool_result":
                return {"toolResult": self._result(block, at)}
            case "thinking":
                thought = {"text": block["thinking"], "signature": block["signature"]}
                return {"reasoningContent": {"reasoningText": thought}}
            case "redacted_thinking":
                return {"reasoningContent": {"redactedContent": write_hidden(block["data"])}}
            case "media":
                held: dict[str, Any] = block["block"]
                if "document" in held:
                    return {"document": {"name": self._name(block["title"]), **held["document"]}}
                return held
        return None

    def _result(self, block: dict[str, Any], at: str) -> dict[str, Any]:
        content = [{"text": "(no output)"}]
        if "content" in block:
            content = self.rename(block["content"], at, in_result=True)
        result: dict[str, Any] = {"toolUseId": block["tool_use_id"], "content": content}
        if block.get("is_error"):
            result["status"] = "error"
        return result

    def _name(self, title: str | None) -> str:
        """A name in the letters that are allowed; each document has its own."""
        name = " ".join(_NOT_IN_NAMES.sub(" ", title or "").split())[:_MAX_NAME].rstrip() or "document"
        number, wanted = 2, name
        while name in self._names:
            name, number = f"{wanted} {number}", number + 1
        self._names.add(name)
        return name
