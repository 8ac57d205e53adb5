"""Whether a request may be sent to two targets at once: only where nothing but an answer comes of it."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.exchange import Exchange

_ANSWERS_ONLY = frozenset({"chat", "text_completion", "embeddings", "moderation", "rerank", "count_tokens"})


class _Lasting(msgspec.Struct):
    """Members of a body, in any dialect, by which something remains or is done beyond the answer."""

    store: Any = None
    background: Any = None
    conversation: Any = None
    mcp_servers: Any = None
    tools: Any = None


_READ = msgspec.json.Decoder(_Lasting)


def lasting(x: Exchange, members: dict[str, Any] | None = None) -> str | None:
    """What would be done twice if ``x`` were sent twice, for people; None if nothing would.

    ``members``: of the body's top level, for who has read it. Else it is read: only for who is about to send it twice.
    OpenAI's Responses are stored unless the request says ``store: false``; tools of a remote MCP server are called by
    the provider itself, and may do anything.
    """
    endpoint = x.endpoint
    if endpoint is None or endpoint.operation not in _ANSWERS_ONLY or endpoint.body != "json" or x.method != "POST":
        return "more than an answer may come of it"
    if endpoint.operation != "chat":
        return None
    try:
        found = msgspec.structs.asdict(_READ.decode(x.body)) if members is None else members
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "its body cannot be read"
    if found.get("store") or (endpoint.name == "responses" and found.get("store") is not False):
        return "the provider stores the answer"
    if found.get("background"):
        return "it goes on in the background"
    if found.get("conversation"):
        return "it adds to a stored conversation"
    tools = found.get("tools")
    is_remote = isinstance(tools, list) and any(isinstance(tool, dict) and tool.get("type") == "mcp" for tool in tools)
    if found.get("mcp_servers") or is_remote:
        return "the provider calls tools itself"
    return None
