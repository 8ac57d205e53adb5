"""Writes a request for Converse.

Converse says what the Messages API says, in other words: turns that alternate, blocks, results before everything else,
thoughts with signatures. So the body is written in Anthropic's words, where all its rules are kept, and then renamed.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.chat import Chat, Format, Losses
from proxy.dialects.anthropic_messages.body import ask
from proxy.dialects.bedrock.blocks import Blocks, hold_media, write_cache_point
from proxy.dialects.dialect import Aim
from proxy.dialects.json_schema import BEDROCK, NOVA, lower

# Families of models of which Converse wants more than it has words for: by a piece of their names.
_CLAUDE, _NOVA, _GPT_OSS = "claude", "nova", "gpt-oss"
# How many of the most likely tokens to choose from: Converse leaves the name to the family.
_TOP_K = ((_CLAUDE, "top_k"), ("mistral", "top_k"), ("cohere", "k"))
_STREAM_MODE = "streamProcessingMode"
_TIERS = {
    "auto": None,
    "default": "default",
    "flex": "flex",
    "priority": "priority",
    "reserved": "reserved",
    "standard_only": "default",
}
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, requestMetadata
_MAX_METADATA = 16
_METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")
_COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")


def write_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body of ``Converse`` or ``ConverseStream``."""
    return msgspec.json.encode(_converse(chat, aim, losses))


def write_count_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body of ``CountTokens``."""
    body = _converse(chat, aim, losses)
    return msgspec.json.encode({"input": {"converse": {name: body[name] for name in _COUNTED if name in body}}})


def _converse(chat: Chat, aim: Aim, losses: Losses) -> dict[str, Any]:
    # The tier is said in words that Anthropic does not know.
    said = ask(chat if chat.service_tier is None else replace(chat, service_tier=None), aim, losses, hold_media)
    blocks = Blocks(losses)
    body: dict[str, Any] = {}
    if "system" in said and (system := blocks.rename(said["system"], "system")):
        body["system"] = system
    body["messages"] = blocks.turns(said["messages"])
    config = _inference(chat, said)
    if config:
        body["inferenceConfig"] = config
    fields: dict[str, Any] = {}
    _add_tools(said, aim, body, fields, losses)
    _add_thinking(said, aim, body, fields)
    if chat.top_k is not None and "top_k" in said:
        _add_top_k(chat.top_k, aim, fields, losses)
    if fields:
        body["additionalModelRequestFields"] = fields
    shape = said.get("output_config", {}).get("format")
    if shape is not None and chat.format is not None:
        body.setdefault("outputConfig", {})["textFormat"] = _text_format(chat.format, shape["schema"])
    _add_rest(chat, aim, body, losses)
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


def _text_format(wanted: Format, schema: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"schema": msgspec.json.encode(schema).decode(), "name": wanted.name}
    if wanted.description:
        described["description"] = wanted.description
    return {"type": "json_schema", "structure": {"jsonSchema": described}}


def _add_tools(said: dict[str, Any], aim: Aim, body: dict[str, Any], fields: dict[str, Any], losses: Losses) -> None:
    tools: list[dict[str, Any]] = []
    rules = NOVA if _NOVA in aim.model else BEDROCK
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
            tools.append(write_cache_point(tool["cache_control"]))
    if tools:
        body["toolConfig"] = {"tools": tools}
        _choose(said.get("tool_choice", {}), aim, body, fields, losses)


def _choose(choice: dict[str, Any], aim: Aim, body: dict[str, Any], fields: dict[str, Any], losses: Losses) -> None:
    word, alone = choice.get("type"), choice.get("disable_parallel_tool_use", False)
    if word == "none":
        if any("toolUse" in block or "toolResult" in block for turn in body["messages"] for block in turn["content"]):
            losses.add("tool_choice")  # earlier calls want their tools described, and there is no word for none
        else:
            del body["toolConfig"]
        return
    if alone and word == "auto" and _CLAUDE in aim.model:
        fields["tool_choice"] = choice  # Anthropic's own word; Converse has none
        return
    if word is not None:
        body["toolConfig"]["toolChoice"] = {word: {"name": choice["name"]} if word == "tool" else {}}
    if alone:
        losses.add("parallel_tool_calls")


def _add_thinking(said: dict[str, Any], aim: Aim, body: dict[str, Any], fields: dict[str, Any]) -> None:
    if "thinking" in said:
        fields["thinking"] = said["thinking"]
    effort = said.get("output_config", {}).get("effort")
    if effort is None:
        return
    # An inference profile need not be called after its model.
    if _CLAUDE in aim.model or aim.capabilities.thinking == "adaptive":
        body["outputConfig"] = {"effort": effort}
    elif _NOVA in aim.model:
        fields["reasoningConfig"] = {"type": "enabled", "maxReasoningEffort": _one_of_three(effort)}
    else:
        fields["reasoning_effort"] = _one_of_three(effort) if _GPT_OSS in aim.model else effort


def _one_of_three(effort: str) -> str:
    return effort if effort in ("low", "medium") else "high"


def _add_top_k(top_k: int, aim: Aim, fields: dict[str, Any], losses: Losses) -> None:
    name = next((name for family, name in _TOP_K if family in aim.model), None)
    if name is not None:
        fields[name] = top_k
    elif _NOVA in aim.model:
        fields["inferenceConfig"] = {"topK": top_k}
    else:
        losses.add("top_k")


def _add_rest(chat: Chat, aim: Aim, body: dict[str, Any], losses: Losses) -> None:
    if chat.metadata:
        _add_metadata(chat.metadata, body, losses)
    if chat.user is not None:
        losses.add("user")
    if chat.guardrail is not None:
        body["guardrailConfig"] = chat.guardrail
    if chat.service_tier is not None:
        if chat.service_tier not in _TIERS:
            losses.add("service_tier")
        elif (tier := _TIERS[chat.service_tier]) is not None:
            body["serviceTier"] = {"type": tier}
    if aim.adds:
        # The account's word stands above the caller's.
        body |= aim.adds
        guard = aim.adds.get("guardrailConfig", {})
        if _STREAM_MODE in guard and not chat.stream:
            body["guardrailConfig"] = {name: value for name, value in guard.items() if name != _STREAM_MODE}


def _add_metadata(metadata: dict[str, str], body: dict[str, Any], losses: Losses) -> None:
    """What is too long, or has letters that are not allowed, would have the whole request refused."""
    kept: dict[str, str] = {}
    for name, value in metadata.items():
        if name and len(kept) < _MAX_METADATA and _METADATA.fullmatch(name) and _METADATA.fullmatch(value):
            kept[name] = value
        else:
            losses.add("metadata")
    if kept:
        body["requestMetadata"] = kept
