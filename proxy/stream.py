"""The pump: an answer to the client, byte for byte, at the client's pace, with a word at the end if it went wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from proxy.errors import GatewayError, Header, HungUp
from proxy.exchange import RESET
from proxy.policy import Answer
from proxy.wire.sse import has_ended

Send = Callable[[dict[str, Any]], Awaitable[None]]

DRAINING = "draining"  # the word with which the server's shutdown cancels a request
SHUTTING_DOWN = "The gateway is shutting down; send the request again."


class Outcome:
    """What became of an answer. ``complete``: the client has all of it. ``code``: why not, or what was refused.

    ``first_byte`` is in ``time.monotonic()``, None if no body was sent; ``chunks`` counts writes, not events.
    """

    __slots__ = ("bytes_sent", "chunks", "code", "complete", "first_byte", "last", "status")

    def __init__(self, status: int, code: str | None) -> None:
        self.status = status
        self.code = code
        self.complete = False
        self.bytes_sent = 0
        self.chunks = 0
        self.first_byte: float | None = None
        self.last = b""  # the chunk written last, while the body flows


class AnswerCut(Exception):
    """The body broke off and nothing in it can say so: the server has to break the connection to the client."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


async def pump(send: Send, answer: Answer, headers: list[Header]) -> Outcome:
    """Send ``answer`` with ``headers`` (all of them, except the framing). Its bytes are not touched.

    An event stream that fails ends with an error event and without its end marker. Another body that fails raises
    ``AnswerCut``, and so does any that hangs up. When this task is cancelled the upstream is closed and
    ``CancelledError`` goes on, but for a shutdown: then an event stream gets its error event and ends, and another body
    is cut.
    """
    outcome = Outcome(answer.status, answer.code)
    body = answer.body
    if body is None:
        try:
            await _flow(send, answer, headers, outcome)
        finally:
            if answer.close is not None:
                answer.close()
        return outcome
    if answer.status == RESET:
        await send({"type": "http.response.reset"})
        return outcome
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [*headers, (b"content-length", b"%d" % len(body))],
        }
    )
    outcome.first_byte = time.monotonic()
    await send({"type": "http.response.body", "body": body})
    outcome.bytes_sent = len(body)
    outcome.complete = True
    return outcome


async def _flow(send: Send, answer: Answer, headers: list[Header], outcome: Outcome) -> None:
    """Send a body that flows, and its end."""
    chunks = answer.chunks
    assert chunks is not None
    error: tuple[int, str, str]
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await _untouched(send, chunks, outcome)
    except GatewayError as failed:
        if not answer.is_sse:
            outcome.code = failed.error_code
            raise AnswerCut(outcome) from failed
        error = failed.http_status, failed.error_code, failed.message
    except HungUp as asked:
        outcome.code = asked.code
        raise AnswerCut(outcome) from asked
    except asyncio.CancelledError as cancelled:
        if DRAINING not in cancelled.args:
            raise
        if not answer.is_sse:
            outcome.code = "server_shutting_down"
            raise AnswerCut(outcome) from cancelled
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        error = 503, "server_shutting_down", SHUTTING_DOWN
    else:
        await send({"type": "http.response.body", "body": b""})
        outcome.complete = True
        return
    if answer.close is not None:
        answer.close()
    outcome.code = error[1]
    close_event = b"" if not outcome.last or has_ended(outcome.last) else b"\n\n"
    await send({"type": "http.response.body", "body": close_event + answer.style.event(*error)})


async def _untouched(send: Send, chunks: AsyncIterator[bytes], outcome: Outcome) -> None:
    async for chunk in chunks:
        if outcome.first_byte is None:
            outcome.first_byte = time.monotonic()
        outcome.last = chunk
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        outcome.bytes_sent += len(chunk)
        outcome.chunks += 1
