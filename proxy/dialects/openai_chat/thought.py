"""Thoughts in OpenAI's chat format, which has no word for them: the words of others that have become common.

Every piece of thought stands in ``reasoning_details`` (OpenRouter's form) with its signature and whose it is, so that a
client that sends back what it got keeps them; the text alone also stands in ``reasoning_content``, for eyes.
"""

from __future__ import annotations

from typing import Any

from proxy.chat import Part, Reasoning
from proxy.dialects.openai_chat.wire import FORMAT_OF, FORMATS, Detail

_OF_TEXT = "text"  # as an id: the signature is that of the text, not of a thought


def read_thoughts(details: list[Detail] | None, text: str | None) -> list[Part]:
    """Details where there are any, else the text as a thought that nobody signed. Pieces of one index are one thought,
    as clients that collect a stream may leave them apart."""
    if not details:
        return [Reasoning(text=text)] if text else []
    thoughts: list[Part] = []
    known: dict[tuple[str, int], Reasoning] = {}
    for detail in details:
        if detail.id == _OF_TEXT:
            continue
        if detail.index is not None and (thought := known.get((detail.type, detail.index))) is not None:
            thought.text += (detail.summary or "") if detail.type == "reasoning.summary" else (detail.text or "")
            thought.signature = detail.signature or thought.signature
            thought.redacted = detail.data or thought.redacted
            continue
        thought = read_detail(detail)
        thoughts.append(thought)
        if detail.index is not None:
            known[detail.type, detail.index] = thought
    return thoughts


def read_chunk(thinking: Any) -> str:
    """The text of a thought among the content, in Mistral's form. https://docs.mistral.ai/capabilities/reasoning"""
    if not isinstance(thinking, list):
        return thinking if isinstance(thinking, str) else ""
    texts = [one.get("text") for one in thinking if isinstance(one, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def read_detail(detail: Detail) -> Reasoning:
    """One detail as a thought."""
    origin = FORMATS.get(detail.format or "", detail.format or "")
    if detail.type == "reasoning.encrypted":
        return Reasoning(redacted=detail.data or "", origin=origin, id=detail.id)
    is_summary = detail.type == "reasoning.summary"
    text = (detail.summary if is_summary else detail.text) or ""
    return Reasoning(text=text, signature=detail.signature, origin=origin, id=detail.id, is_summary=is_summary)


def of_text(signature: str, origin: str, index: int) -> dict[str, Any]:
    """A signature that stands on the text of the answer (Gemini's do), among the details."""
    head = head_of(Reasoning(redacted=signature, origin=origin, id=_OF_TEXT), index)
    return head | {"data": signature}


def signature_of_text(details: list[Detail] | None) -> tuple[str, str] | None:
    """That signature and whose it is."""
    for detail in details or ():
        if detail.id == _OF_TEXT and detail.type == "reasoning.encrypted" and detail.data:
            return detail.data, FORMATS.get(detail.format or "", detail.format or "")
    return None


def write_detail(thought: Reasoning, index: int) -> dict[str, Any]:
    """One thought as a detail."""
    detail = head_of(thought, index)
    if thought.redacted is not None:
        return detail | {"data": thought.redacted}
    detail["summary" if thought.is_summary else "text"] = thought.text
    if thought.signature is not None:
        detail["signature"] = thought.signature
    return detail


def head_of(thought: Reasoning, index: int) -> dict[str, Any]:
    """What a detail says before its text. Clients join the pieces of a stream by ``index``, text to text, so these
    members stand in the first piece alone."""
    kind = "encrypted" if thought.redacted is not None else "summary" if thought.is_summary else "text"
    format_ = FORMAT_OF.get(thought.origin, thought.origin or "unknown")
    return {"type": f"reasoning.{kind}", "id": thought.id, "format": format_, "index": index}
