"""The items of a streamed answer as they grow: their events for the client, and at last the items themselves."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import Citation, Foreign, Kind, Media, Part, Reasoning, Refusal, Text, ToolCall
from proxy.dialects.openai_responses.annotation import write_annotation
from proxy.dialects.openai_responses.media import left_out
from proxy.dialects.openai_responses.output import (
    Block,
    call_item,
    call_prefix,
    is_picture,
    message_item,
    picture_item,
    reasoning_id,
    reasoning_item,
    refusal_block,
    text_block,
    write_logprobs,
    write_proof,
    write_text_proof,
)
from proxy.dialects.openai_responses.signature import write_last
from proxy.dialects.openai_responses.wire import NAME

_encode = msgspec.json.encode

_EVENT = b'event: %b\ndata: {"type":"%b","sequence_number":%d,%b}\n\n'
# Where a piece belongs, and the piece.
_DELTA = b'event: %b\ndata: {"type":"%b","sequence_number":%%d,"item_id":"%%b","output_index":%%d,%b"delta":%%b%b}\n\n'
_TEXT_NAME = b"response.output_text.delta"
_REFUSAL_NAME = b"response.refusal.delta"
_THOUGHT_NAME = b"response.reasoning_summary_text.delta"
_ARGUMENTS_NAME = b"response.function_call_arguments.delta"
_INPUT_NAME = b"response.custom_tool_call_input.delta"
_AT = b'"content_index":%d,'
_TEXT = _DELTA % (_TEXT_NAME, _TEXT_NAME, _AT, b',"logprobs":%b')
_REFUSAL = _DELTA % (_REFUSAL_NAME, _REFUSAL_NAME, _AT, b"")
_THOUGHT = _DELTA % (_THOUGHT_NAME, _THOUGHT_NAME, b'"summary_index":0,', b"")
_ARGUMENTS = _DELTA % (_ARGUMENTS_NAME, _ARGUMENTS_NAME, b"", b"")
_INPUT = _DELTA % (_INPUT_NAME, _INPUT_NAME, b"", b"")


class Pieces:
    """Tells of one block after the other. ``items`` are whole at the end; ``refused``: the model declined.

    Texts and refusals in a row are one message. An item begins with its first piece, so that there are no empty ones.
    """

    __slots__ = (
        "_begun",
        "_content",
        "_index",
        "_item",
        "_item_id",
        "_notes",
        "_out",
        "_part",
        "_sequence",
        "_signature",
        "_text",
        "_token",
        "_tokens",
        "items",
        "refused",
    )

    def __init__(self, token: str) -> None:
        self._token = token
        self._out: list[bytes] = []
        self._sequence = 0
        self.items: list[Block] = []
        self.refused = False
        self._content: list[Block] | None = None  # of the open message
        self._part: Part = Text("")
        self._begun = False  # whether the client knows of the block
        self._item = b""  # id of the open item, as it stands in JSON
        self._item_id = ""
        self._index = 0  # and its position
        self._text: list[str] = []
        self._signature: list[str] = []
        self._notes: list[Block] = []
        self._tokens: list[Any] = []

    def taken(self) -> bytes:
        """The bytes of what was told since the last time."""
        out, self._out = self._out, []
        return b"".join(out)

    def tell(self, name: bytes, fields: bytes) -> None:
        """One event."""
        self._out.append(_EVENT % (name, name, self._sequence, fields))
        self._sequence += 1

    def _tell(self, event: bytes, /, **fields: Any) -> None:
        self.tell(event, _encode(fields)[1:-1])

    def open(self, part: Part) -> None:
        """A block begins; what is known of it is its first piece."""
        self._part, self._begun = part, False
        self._text, self._signature, self._notes = [], [], []
        match part:
            case Text():
                self.add("text", part.text)
                for citation in part.citations:
                    self.cite(citation)
            case Refusal():
                self.refused = True
                self.add("refusal", part.text)
            case Reasoning():
                self.add("reasoning", part.text)
            case ToolCall():
                self._begin_call(part)
                self.add("arguments", part.arguments)
            case Media() if not is_picture(part):
                self._part = Text("")
                self.add("text", left_out(part))

    def add(self, kind: Kind, text: str, tokens: list[Any] | None = None) -> None:
        """A piece of the open block."""
        if kind == "signature":
            self._signature.append(text)
            return
        if not text and not tokens:
            return
        if not self._begun:
            self._begin(kind)
        self._text.append(text)
        number, encoded = self._sequence, _encode(text)
        self._sequence = number + 1
        if kind == "text":
            told = b"[]"
            if tokens:
                told = _encode(self.note(tokens))
            index = len(self._content or ()) - 1
            self._out.append(_TEXT % (number, self._item, self._index, index, encoded, told))
        elif kind == "refusal":
            index = len(self._content or ()) - 1
            self._out.append(_REFUSAL % (number, self._item, self._index, index, encoded))
        elif kind == "reasoning":
            self._out.append(_THOUGHT % (number, self._item, self._index, encoded))
        else:
            custom = isinstance(self._part, ToolCall) and self._part.custom
            self._out.append((_INPUT if custom else _ARGUMENTS) % (number, self._item, self._index, encoded))

    def note(self, tokens: list[Any]) -> list[Any]:
        """Token objects for the text; whole ones are given back."""
        written = write_logprobs(tokens)
        if self._begun or not self._content:
            self._tokens += written
        elif "logprobs" in self._content[-1]:  # the text is complete already, but not its message
            self._content[-1]["logprobs"] += written
        return written

    def cite(self, citation: Citation) -> None:
        """A citation for the open text."""
        if not self._begun:
            self._begin("text")
        note = write_annotation(citation)
        self._tell(
            b"response.output_text.annotation.added",
            **self._place(),
            content_index=len(self._content or ()) - 1,
            annotation_index=len(self._notes),
            annotation=note,
        )
        self._notes.append(note)

    def close(self) -> None:
        """The open block is complete."""
        part, text = self._part, "".join(self._text)
        signature = "".join(self._signature)
        self._end(part, text, signature)
        self._begun = False

    def _end(self, part: Part, text: str, signature: str) -> None:
        match part:
            case Text():
                self._close_content(text_block(text, [], self._tokens), text)
                proof = (part.signature or "") + signature
                if proof:
                    self._add_proof(write_text_proof(part.origin, proof, has_words=self._begun))
            case Refusal():
                self._close_content(refusal_block(text), text)
            case Reasoning():
                self._close_thought(part, text, (part.signature or "") + signature)
            case ToolCall():
                self._close_call(part, text)
                proof = (part.signature or "") + signature
                if proof:
                    self._add_proof(write_last(part.origin, proof))
            case Media():
                self._whole(picture_item(part, self._new_id("ig")))
            case Foreign() if part.origin == NAME and isinstance(part.value, dict):
                self._whole(part.value)

    def end_message(self, status: str = "completed") -> None:
        """The open message is complete, if there is one."""
        if self._content is not None:
            self._content = None
            self.items[-1]["status"] = status
            self._tell(b"response.output_item.done", output_index=self._index, item=self.items[-1])

    def _place(self) -> dict[str, Any]:
        return {"item_id": self._item_id, "output_index": self._index}

    def _new_id(self, letters: str) -> str:
        """For the next item."""
        self.end_message()
        return f"{letters}_{self._token}_{len(self.items)}"

    def _add_item(self, item: Block, item_id: str) -> None:
        self._index = len(self.items)
        self._item = _encode(item_id)[1:-1]
        self._item_id = item_id
        self.items.append(item)
        self._tell(b"response.output_item.added", output_index=self._index, item=item)

    def _begin(self, kind: Kind) -> None:
        """The first piece of a block that is no call."""
        self._begun = True
        if kind == "reasoning":
            part = self._part
            assert isinstance(part, Reasoning)
            self.end_message()
            item = reasoning_id(part, self._token, len(self.items))
            self._add_item(reasoning_item(item, "", None, "in_progress"), item)
            summary = {"type": "summary_text", "text": ""}
            self._tell(b"response.reasoning_summary_part.added", **self._place(), summary_index=0, part=summary)
            return
        if self._content is None:
            item = self._new_id("msg")
            self._content = []
            self._add_item(message_item(item, self._content, "in_progress"), item)
        block = text_block("", [], []) if kind == "text" else refusal_block("")
        index = len(self._content)
        self._tell(b"response.content_part.added", **self._place(), content_index=index, part=block)
        self._content.append(block)

    def _begin_call(self, call: ToolCall) -> None:
        self._begun = True
        item = self._new_id(call_prefix(call))
        self._add_item(call_item(call, item, "", "in_progress"), item)

    def _close_content(self, block: Block, text: str) -> None:
        if not self._begun or self._content is None:
            return
        place = {**self._place(), "content_index": len(self._content) - 1}
        if block["type"] == "refusal":
            self._tell(b"response.refusal.done", **place, refusal=text)
        else:
            block["annotations"] = self._notes
            self._tell(b"response.output_text.done", **place, text=text, logprobs=block["logprobs"])
            self._tokens = []
        self._tell(b"response.content_part.done", **place, part=block)
        self._content[-1] = block

    def _close_thought(self, part: Reasoning, text: str, signature: str) -> None:
        proof = write_proof(part, signature)
        if self._begun:
            item = reasoning_item(self._item_id, text, proof)
            place = {**self._place(), "summary_index": 0}
            self._tell(b"response.reasoning_summary_text.done", **place, text=text)
            self._tell(b"response.reasoning_summary_part.done", **place, part=item["summary"][0])
            self.items[-1] = item
            self._tell(b"response.output_item.done", output_index=self._index, item=item)
        elif proof is not None:
            self.end_message()
            self._whole(reasoning_item(reasoning_id(part, self._token, len(self.items)), "", proof))

    def _close_call(self, call: ToolCall, text: str) -> None:
        if call.custom:
            self._tell(b"response.custom_tool_call_input.done", **self._place(), input=text)
        else:
            done = b"response.function_call_arguments.done"
            self._tell(done, **self._place(), name=call.name, arguments=text)
        item = call_item(call, self._item_id, text)
        self.items[-1] = item
        self._tell(b"response.output_item.done", output_index=self._index, item=item)

    def _add_proof(self, encrypted: str) -> None:
        self._whole(reasoning_item(self._new_id("rs"), "", encrypted))

    def _whole(self, item: Block) -> None:
        """An item that has no pieces."""
        self.end_message()
        self._add_item(item, str(item.get("id", "")))
        self._tell(b"response.output_item.done", output_index=self._index, item=item)
