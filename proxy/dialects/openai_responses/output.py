"""The parts of an answer as output items, for clients.

Texts and refusals in a row are the content of one message. Ids of items follow from that of the answer, so that an
answer told in pieces and the same one told whole have the same.
"""

from __future__ import annotations

from typing import Any

from proxy.chat import Citation, Foreign, Media, Part, Reasoning, Refusal, Text, ToolCall
from proxy.dialects.openai_responses.annotation import write_annotation
from proxy.dialects.openai_responses.media import left_out
from proxy.dialects.openai_responses.signature import (
    write_alone,
    write_last,
    write_redacted,
    write_signature,
)
from proxy.dialects.openai_responses.wire import NAME, SIGNS

Block = dict[str, Any]


def write_output(parts: list[Part], token: str, logprobs: list[Any] | None = None) -> list[Block]:
    """The items of an answer whose items' ids begin with ``token``."""
    items: list[Block] = []
    content: list[Block] | None = None
    waiting = write_logprobs(logprobs)
    for part in parts:
        blocks = write_content(part, waiting)
        if blocks:
            if content is None:
                content = []
                items.append(message_item(f"msg_{token}_{len(items)}", content))
            content += blocks
            waiting = [] if isinstance(part, Text) else waiting
        elif (item := _write_item(part, token, len(items))) is not None:
            items.append(item)
            content = None
        proof = _proof_after(part)
        if proof is not None:
            items.append(reasoning_item(f"rs_{token}_{len(items)}", "", proof))
            content = None
    return items


def write_content(part: Part, logprobs: list[Any]) -> list[Block]:
    """The content of a message that a part is; none for what is an item, or says nothing."""
    if isinstance(part, Text):
        return [text_block(part.text, list(part.citations), logprobs)] if part.text else []
    if isinstance(part, Refusal):
        return [refusal_block(part.text)] if part.text else []
    if isinstance(part, Media) and not is_picture(part):
        return [text_block(left_out(part), [], [])]
    return []


def _write_item(part: Part, token: str, at: int) -> Block | None:
    match part:
        case ToolCall():
            return call_item(part, f"{call_prefix(part)}_{token}_{at}", part.arguments)
        case Reasoning():
            proof = write_proof(part, part.signature or "")
            if not part.text and proof is None:
                return None
            return reasoning_item(reasoning_id(part, token, at), part.text, proof)
        case Media() if is_picture(part):
            return picture_item(part, f"ig_{token}_{at}")
        case Foreign() if part.origin == NAME and isinstance(part.value, dict):
            item: Block = part.value
            return item
    return None


def _proof_after(part: Part) -> str | None:
    if isinstance(part, ToolCall) and part.signature:
        return write_last(part.origin, part.signature)
    if isinstance(part, Text) and part.signature:
        return write_text_proof(part.origin, part.signature, has_words=bool(part.text))
    return None


def write_text_proof(origin: str, signature: str, *, has_words: bool) -> str:
    """The encrypted content that follows a signed text, or stands for it if it has no words."""
    return write_last(origin, signature) if has_words else write_alone(origin, signature)


def write_proof(part: Reasoning, signature: str) -> str | None:
    """The encrypted content of a thought; None if nobody signed it."""
    if part.redacted is not None:
        return write_redacted(part.origin, part.redacted)
    return write_signature(part.origin, signature) if signature else None


def reasoning_id(part: Reasoning, token: str, at: int) -> str:
    """OpenAI's own id, which its proof holds too, or one of ours."""
    return part.id if part.id and part.origin == SIGNS else f"rs_{token}_{at}"


def reasoning_item(item: str, text: str, encrypted: str | None, status: str = "completed") -> Block:
    """Thoughts, as a summary: what clients show."""
    summary = [{"type": "summary_text", "text": text}] if text else []
    written: Block = {"id": item, "type": "reasoning", "summary": summary, "status": status}
    if encrypted is not None:
        written["encrypted_content"] = encrypted
    return written


def message_item(item: str, content: list[Block], status: str = "completed") -> Block:
    """Something said."""
    return {"id": item, "type": "message", "status": status, "role": "assistant", "content": content}


def text_block(text: str, citations: list[Citation], logprobs: list[Any]) -> Block:
    """Text within a message."""
    notes = [write_annotation(one) for one in citations]
    return {"type": "output_text", "text": text, "annotations": notes, "logprobs": logprobs}


def refusal_block(text: str) -> Block:
    """A refusal within a message."""
    return {"type": "refusal", "refusal": text}


def call_prefix(call: ToolCall) -> str:
    """The letters with which the id of such an item begins."""
    return "ctc" if call.custom else "fc"


def call_item(call: ToolCall, item: str, arguments: str, status: str = "completed") -> Block:
    """A call of a tool that the client runs."""
    if call.custom:
        names = {"type": "custom_tool_call", "call_id": call.id, "name": call.name, "input": arguments}
    else:
        names = {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments}
    return {"id": item, "status": status, **names}


def picture_item(media: Media, item: str) -> Block:
    """An image that the model made."""
    kind = (media.media_type or "image/png").removeprefix("image/")
    return {
        "id": item,
        "type": "image_generation_call",
        "status": "completed",
        "result": media.data,
        "output_format": kind,
    }


def is_picture(media: Media) -> bool:
    """Whether an answer can hold it."""
    return media.kind == "image" and media.data is not None


def write_logprobs(tokens: list[Any] | None) -> list[Any]:
    """Token objects with all members that the API promises."""
    return [_whole(token) for token in tokens] if tokens else []


def _whole(token: Any) -> Any:
    if not isinstance(token, dict):
        return token
    top = [{**one, "bytes": one.get("bytes") or []} for one in token.get("top_logprobs") or () if isinstance(one, dict)]
    return {**token, "bytes": token.get("bytes") or [], "top_logprobs": top}
