"""What an inbound path is: how its body is read, where its model stands, how its stream ends."""

from __future__ import annotations

from typing import Literal

import msgspec

from proxy.errors import OPENAI, Style

# An SSE line that marks the last event of a complete stream: (field name, prefix of its value).
End = tuple[bytes, bytes]


class Endpoint(msgspec.Struct, frozen=True):
    """One inbound operation.

    ``operation`` is OpenTelemetry's ``gen_ai.operation.name`` where one exists. ``answers_json``: a successful answer
    that is not a stream must be JSON. ``ends``: an event stream is complete when one of these lines has been seen.
    ``needs_model``: a request that names no model is wrong; else it is one that any model may answer. ``dialect`` names
    the format of a conversation, which any provider can be asked; None for what only passes. ``model_in`` "path": the
    path tells ``model`` and ``stream``.
    """

    name: str
    operation: str
    body: Literal["json", "multipart", "raw", "none"]
    model_in: Literal["json", "multipart", "query", "path", "none"]
    answers_json: bool = True
    ends: tuple[End, ...] = ()
    needs_model: bool = True
    dialect: str | None = None
    style: Style = OPENAI
