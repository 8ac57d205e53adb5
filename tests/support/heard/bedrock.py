"""What botocore understands of Converse and ConverseStream."""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import Any

import botocore.session  # type: ignore[import-untyped]
from botocore.eventstream import EventStreamBuffer  # type: ignore[import-untyped]
from botocore.parsers import EventStreamJSONParser, RestJSONParser  # type: ignore[import-untyped]

from tests.support.heard.answer import Called, Heard, demand
from tests.upstream.say import Tokens


@lru_cache
def model() -> Any:
    """AWS' own description of the service."""
    return botocore.session.Session().get_service_model("bedrock-runtime")


def tokens(usage: dict[str, Any]) -> Tokens:
    """Usage by class, which this format keeps apart itself."""
    hour = sum(one["inputTokens"] for one in usage.get("cacheDetails", []) if one["ttl"] == "1h")
    return Tokens(
        input=usage["inputTokens"],
        cached_read=usage.get("cacheReadInputTokens", 0),
        cache_write_5m=usage.get("cacheWriteInputTokens", 0) - hour,
        cache_write_1h=hour,
        output=usage["outputTokens"],
    )


def of_whole(body: bytes) -> Heard:
    """The bytes of a whole answer."""
    shape = model().operation_model("Converse").output_shape
    found = RestJSONParser().parse({"status_code": 200, "headers": {}, "body": body}, shape)
    heard = Heard(model="", stop=found["stopReason"], usage=tokens(found["usage"]))
    for block in found["output"]["message"]["content"]:
        if "toolUse" in block:
            use = block["toolUse"]
            heard.calls.append(Called(use["toolUseId"], use["name"], json.dumps(use["input"])))
        elif "reasoningContent" in block:
            thought = block["reasoningContent"]
            _think(heard, thought.get("reasoningText", thought))
        elif "citationsContent" in block:
            heard.text += "".join(one["text"] for one in block["citationsContent"]["content"])
            for one in block["citationsContent"]["citations"]:
                heard.sources.append((one["location"]["web"]["url"], one["title"]))
        else:
            heard.text += block["text"]
    return heard


def _think(heard: Heard, thought: dict[str, Any]) -> None:
    heard.reasoning += thought.get("text", "")
    heard.proofs += [thought["signature"]] if thought.get("signature") else []
    if "redactedContent" in thought:
        heard.hidden.append(base64.b64encode(thought["redactedContent"]).decode())


def of_stream(body: bytes) -> Heard:
    """The bytes of an event stream."""
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    parser = EventStreamJSONParser()
    shape = model().operation_model("ConverseStream").output_shape.members["stream"]
    heard = Heard(model="")
    calls: dict[int, list[str]] = {}
    kinds = []
    for message in buffer:
        found = parser.parse(message.to_response_dict(), shape)
        ((kind, event),) = found.items()
        kinds.append(kind)
        if kind == "contentBlockStart":
            use = event["start"]["toolUse"]
            calls[event["contentBlockIndex"]] = [use["toolUseId"], use["name"], ""]
        elif kind == "contentBlockDelta":
            _delta(heard, calls, event["contentBlockIndex"], event["delta"])
        elif kind == "messageStop":
            heard.stop = event["stopReason"]
        elif kind == "metadata":
            heard.usage = tokens(event["usage"])
    demand(kinds[0] == "messageStart" and kinds[-2:] == ["messageStop", "metadata"], "begins or ends wrong", kinds)
    heard.calls = [Called(*call) for call in calls.values()]
    return heard


def _delta(heard: Heard, calls: dict[int, list[str]], at: int, delta: dict[str, Any]) -> None:
    if "toolUse" in delta:
        calls[at][2] += delta["toolUse"]["input"]
    elif "reasoningContent" in delta:
        _think(heard, delta["reasoningContent"])
    elif "citation" in delta:
        heard.sources.append((delta["citation"]["location"]["web"]["url"], delta["citation"]["title"]))
    else:
        heard.text += delta["text"]
