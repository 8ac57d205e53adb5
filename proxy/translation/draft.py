"""A request before it is sent: read, and changed in its caller's own bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from proxy.chat import Chat
from proxy.dialects.history import LISTS, History
from proxy.dialects.offered import Offered
from proxy.dialects.places import PLACES
from proxy.dialects.settings import changed
from proxy.dialects.splice import read_envelope
from proxy.editing import Change
from proxy.errors import BadRequest
from proxy.exchange import Exchange
from proxy.translation.answers import is_conversation
from proxy.translation.attempt import read_aside

_LARGE = 128 << 10  # bytes that are taken apart off the loop
_COMPLETIONS = "text_completion"  # an operation without a dialect, whose parameters are known all the same


class Draft:
    """See ``proxy.editing.Editor``."""

    __slots__ = ()

    async def read(self, x: Exchange) -> Chat | None:
        """What the caller said."""
        return (x.chat or await read_aside(x)) if is_conversation(x) else None

    def adjust(self, x: Exchange, changes: Mapping[str, Change]) -> None:
        """Set parameters anew."""
        endpoint = x.endpoint
        dialect = "openai_completions" if endpoint.operation == _COMPLETIONS else endpoint.dialect
        if dialect not in PLACES or endpoint.operation == "count_tokens":
            return
        try:
            body = changed(x.body, dialect, changes)
        except ValueError as error:
            raise BadRequest(f"The request cannot be read: {error}.", code="invalid_json") from None
        if body is not x.body:
            self.rewrite(x, body)

    async def history(self, x: Exchange) -> History | None:
        """Its messages."""
        if not is_conversation(x) or x.endpoint.dialect not in LISTS:
            return None
        try:
            if len(x.body) > _LARGE:
                return await asyncio.to_thread(History, x.body, x.endpoint.dialect)
            return History(x.body, x.endpoint.dialect)
        except ValueError:
            return None

    async def offered(self, x: Exchange) -> Offered | None:
        """Its tools."""
        if not is_conversation(x):
            return None
        try:
            return await asyncio.to_thread(Offered, x.body) if len(x.body) > _LARGE else Offered(x.body)
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"The tools of the request cannot be read: {error}.", param="tools") from None

    def rewrite(self, x: Exchange, body: bytes) -> None:
        """Another body; what was found out about the first is forgotten."""
        x.body = body
        x.chat = x.read = x.needs = x.bound = None
        if x.maxima is not None:
            x.maxima = read_envelope(body).maxima
