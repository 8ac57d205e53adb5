"""Writes a request for Converse.

Converse says what the Messages API says, in other words: turns that alternate, blocks, results before everything else,
thoughts with signatures. So the body is written in Anthropic's words, where all its rules are kept, and then renamed.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

from proxy.chat import Chat, Losses
from proxy.dialects.anthropic_messages.body import ask
from proxy.dialects.bedrock.words import write_hidden
from proxy.dialects.dialect import Aim
from proxy.dialects.json_schema import BEDROCK, NOVA, lower

_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
# What a document may be called. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9\s\-()\[\]]|\s{2,}")
_MAX_NAME = 200
# How many of the most likely tokens to choose from: Converse leaves the name to the model's family.
_TOP_K = (("claude", "top_k"), ("mistral", "top_k"), ("cohere", "k"))
_STREAM_MODE = "streamProcessingMode"
_TIERS = {"default": "default", "priority": "priority", "flex": "flex", "auto": None, "standard_only": "default"}


def write_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body of ``Converse`` or ``ConverseStream``."""
    return msgspec.json.encode(_converse(chat, aim, losses))


def write_count_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body of ``CountTokens``."""
    body = _converse(chat, aim, losses)
    kept = {name: body[name] for name in ("messages", "system", "toolConfig") if name in body}
    return msgspec.json.encode({"input": {"converse": kept}})


def _converse(chat: Chat, aim: Aim, losses: Losses) -> dict[str, Any]:
    said = ask(chat, aim, losses)
    renamer = _Renamer(losses)
    body: dict[str, Any] = {}
    if "system" in said:
        body["system"] = renamer.blocks(said["system"], "system")
    body["messages"] = [
        {"role": turn["role"], "content": renamer.blocks(turn["content"], f"messages[{at}]")}
        for at, turn in enumerate(said["messages"])
    ]
    config = _inference(chat, said)
    if config:
        body["inferenceConfig"] = config
    _add_tools(said, aim, body, losses)
    _add_thinking(chat, said, aim, body, config)
    shape = said.get("output_config", {}).get("format")
    if shape is not None and chat.format is not None:
        schema = msgspec.json.encode(shape["schema"]).decode()
        structure = {"jsonSchema": {"schema": schema, "name": chat.format.name}}
        body.setdefault("outputConfig", {})["textFormat"] = {"type": "json_schema", "structure": structure}
    _add_rest(chat, said, aim, body, losses)
    return body


def _inference(chat: Chat, said: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    # The limit is Anthropic's must; here the model has one of its own.
    if chat.max_tokens is not None or said.get("thinking", {}).get("type") == "enabled":
        config["maxTokens"] = said["max_tokens"]
    for name, theirs in (("temperature", "temperature"), ("top_p", "topP"), ("stop_sequences", "stopSequences")):
        if name in said:
            config[theirs] = said[name]
    return config


def _add_tools(said: dict[str, Any], aim: Aim, body: dict[str, Any], losses: Losses) -> None:
    tools: list[dict[str, Any]] = []
    rules = NOVA if "nova" in aim.model else BEDROCK
    for at, tool in enumerate(said.get("tools", ())):
        if "input_schema" not in tool:
            losses.add(f"tools[{at}]")
            continue
        schema = lower(tool["input_schema"], rules, f"tools[{at}].parameters", losses)
        spec: dict[str, Any] = {"name": tool["name"], "inputSchema": {"json": schema}}
        if tool.get("description"):
            spec["description"] = tool["description"]
        if tool.get("strict"):
            spec["strict"] = True
        tools.append({"toolSpec": spec})
        if "cache_control" in tool:
            tools.append(_cache_point(tool["cache_control"]))
    if not tools:
        return
    body["toolConfig"] = {"tools": tools}
    choice = said.get("tool_choice", {})
    match choice.get("type"):
        case "auto" | "any" as word:
            body["toolConfig"]["toolChoice"] = {word: {}}
        case "tool":
            body["toolConfig"]["toolChoice"] = {"tool": {"name": choice["name"]}}
        case "none":
            if any("toolUse" in block for turn in body["messages"] for block in turn["content"]):
                losses.add("tool_choice")  # earlier calls want their tools described
            else:
                del body["toolConfig"]
    if choice.get("disable_parallel_tool_use"):
        losses.add("parallel_tool_calls")


def _add_thinking(chat: Chat, said: dict[str, Any], aim: Aim, body: dict[str, Any], config: dict[str, Any]) -> None:
    fields: dict[str, Any] = {}
    if "thinking" in said:
        fields["thinking"] = said["thinking"]
    effort = said.get("output_config", {}).get("effort")
    if effort is not None:
        if "claude" in aim.model:
            body["outputConfig"] = {"effort": effort}
        elif "nova" in aim.model:
            level = effort if effort in ("low", "medium") else "high"
            fields["reasoningConfig"] = {"type": "enabled", "maxReasoningEffort": level}
        else:
            fields["reasoning_effort"] = effort
    if chat.top_k is not None and "top_k" in said:
        name = next((name for family, name in _TOP_K if family in aim.model), None)
        if name is not None:
            fields[name] = chat.top_k
        elif "nova" in aim.model:
            fields["inferenceConfig"] = {"topK": chat.top_k}
    if fields:
        body["additionalModelRequestFields"] = fields


def _add_rest(chat: Chat, said: dict[str, Any], aim: Aim, body: dict[str, Any], losses: Losses) -> None:
    if chat.top_k is not None and "top_k" in said and not _takes_top_k(aim.model):
        losses.add("top_k")
    if chat.metadata:
        body["requestMetadata"] = chat.metadata
    if chat.user is not None:
        losses.add("user")
    if chat.guardrail is not None:
        body["guardrailConfig"] = chat.guardrail
    if chat.service_tier is not None and (tier := _TIERS.get(chat.service_tier)) is not None:
        body["serviceTier"] = {"type": tier}
    if aim.adds:
        # The account's word stands above the caller's.
        body |= aim.adds
        guard = aim.adds.get("guardrailConfig", {})
        if _STREAM_MODE in guard and not chat.stream:
            body["guardrailConfig"] = {name: value for name, value in guard.items() if name != _STREAM_MODE}


def _takes_top_k(model: str) -> bool:
    return "nova" in model or any(family in model for family, _ in _TOP_K)


def _cache_point(control: dict[str, str]) -> dict[str, Any]:
    point = {"type": "default"}
    if "ttl" in control:
        point["ttl"] = control["ttl"]
    return {"cachePoint": point}


class _Renamer:
    """Anthropic's blocks as Converse's, with the losses of what Converse has no word for."""

    __slots__ = ("_losses", "_names")

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._names: set[str] = set()

    def blocks(self, blocks: list[dict[str, Any]], at: str) -> list[dict[str, Any]]:
        """A list of blocks; a marker is a block of its own, behind the one that carries it."""
        found: list[dict[str, Any]] = []
        for block in blocks:
            renamed = self._block(block, at)
            if renamed is None:
                self._losses.add(f"{at}.{_WHAT.get(block['type'], block['type'])}")
                continue
            found.append(renamed)
            if "cache_control" in block:
                found.append(_cache_point(block["cache_control"]))
        return found or [{"text": "(left out)"}]

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
            case "image":
                return _image(block["source"])
            case "document":
                return self._document(block)
        return None

    def _result(self, block: dict[str, Any], at: str) -> dict[str, Any]:
        content = self.blocks(block["content"], at) if "content" in block else [{"text": "(no output)"}]
        result: dict[str, Any] = {"toolUseId": block["tool_use_id"], "content": content}
        if block.get("is_error"):
            result["status"] = "error"
        return result

    def _document(self, block: dict[str, Any]) -> dict[str, Any] | None:
        source = block["source"]
        form = _DOCUMENTS.get(source.get("media_type", ""))
        if source["type"] == "base64":
            data = source["data"]
        elif source["type"] == "text":
            data = base64.b64encode(source["data"].encode()).decode()
        else:
            return None
        if form is None:
            return None
        document: dict[str, Any] = {"format": form, "name": self._name(block), "source": {"bytes": data}}
        if block.get("context"):
            document["context"] = block["context"]
        if block.get("citations", {}).get("enabled"):
            document["citations"] = {"enabled": True}
        return {"document": document}

    def _name(self, block: dict[str, Any]) -> str:
        """A name in the letters that are allowed; each document has its own."""
        name = " ".join(_NOT_IN_NAMES.sub(" ", block.get("title") or "document").split())[:_MAX_NAME] or "document"
        number, wanted = 2, name
        while name in self._names:
            name, number = f"{wanted} {number}", number + 1
        self._names.add(name)
        return name


_WHAT = {"image": "image", "document": "file"}


def _image(source: dict[str, Any]) -> dict[str, Any] | None:
    if source["type"] == "url" and source["url"].startswith("s3://"):
        form = source["url"].rpartition(".")[2].lower().replace("jpg", "jpeg")
        located = {"s3Location": {"uri": source["url"]}}
        return {"image": {"format": form if form in _IMAGES.values() else "png", "source": located}}
    form = _IMAGES.get(source.get("media_type", ""), "")
    if source["type"] != "base64" or not form:
        return None
    return {"image": {"format": form, "source": {"bytes": source["data"]}}}
