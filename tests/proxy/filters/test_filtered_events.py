"""Streams of completions, transcripts and pictures through filters: every text of every event, however it is cut."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from policies.guardrails.pii import Pii, PiiConfig
from proxy.exchange import Exchange
from proxy.filter import Halt
from proxy.filters.filtered import filtered
from proxy.wire.sse import Splitter, data_of
from tests.proxy.filters.test_filtered import answer, exchange, told
from tests.proxy.filters.test_filtering import Upper
from tests.support.guards import Guarded

MAIL, CARD = "ada@example.org", "4111 1111 1111 1111"
SAYS = f"Mail {MAIL}, then"


def sse(*events: Any, end: str = "data: [DONE]\n\n") -> bytes:
    return ("".join(f"data: {json.dumps(event)}\n\n" for event in events) + end).encode()


def choice(text: str, index: int = 0, **more: Any) -> dict[str, Any]:
    logprobs = {"tokens": [text], "top_logprobs": [{text: 0}]}
    one = {"index": index, "text": text, "finish_reason": None, "logprobs": logprobs, **more}
    return {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [one]}


def events(body: bytes) -> list[dict[str, Any]]:
    """The JSON of a stream."""
    splitter = Splitter()
    found = [data_of(frame) for frame in [*splitter.feed(body), *splitter.finish()]]
    return [msgspec.json.decode(data) for data in found if data is not None and data != b"[DONE]"]


def said(body: bytes, index: int = 0) -> str:
    return "".join(
        one["text"] for event in events(body) for one in event.get("choices", ()) if one.get("index") == index
    )


async def through(body: bytes, path: str, cut: int = 0, **settings: Any) -> tuple[bytes, Exchange]:
    """What the guard for personal data leaves of a stream."""
    guard = Guarded(Pii, PiiConfig(**settings)).guard
    x = exchange("openai_chat", path)
    x.state.append(None)
    await guard.on_request(x)
    found = answer(body, b"text/event-stream", cut)
    filter_ = guard.open_stream(x)
    assert filter_ is not None
    assert await filtered(x, found, filter_) is None
    left = await told(found)
    guard.on_close(x)
    return left, x


async def test_completions_of_every_choice_at_every_cut() -> None:
    for at in range(1, len(SAYS)):
        body = sse(choice(SAYS[:at]), choice("then c", 1), choice(SAYS[at:]), choice("", finish_reason="stop"))
        left, _ = await through(body, "/v1/completions", 1 + at * 7)
        assert said(left) == "Mail [EMAIL], then"
        assert said(left, 1) == "then c"
        assert left.endswith(b"data: [DONE]\n\n")
        assert MAIL.encode() not in left
        assert all(one["logprobs"] is None for event in events(left) for one in event["choices"])


async def test_what_is_held_back_is_told_where_nobody_says_that_the_text_ends() -> None:
    for end in ("data: [DONE]\n\n", ""):
        left, _ = await through(sse(choice("Mail a@b.o"), end=end), "/v1/completions")
        assert said(left) == "Mail a@b.o"


async def test_a_stop_is_said_as_completions_say_it() -> None:
    body = sse(choice(f"Card: {CARD[:9]}"), choice(f"{CARD[9:]}, and more"), choice("more", finish_reason="stop"))
    left, x = await through(body, "/v1/completions", 20, action="block")
    assert said(left) == "Card: "
    assert events(left)[-1]["choices"][0]["finish_reason"] == "content_filter"
    assert left.endswith(b"data: [DONE]\n\n")
    assert "output blocked (block credit_card" in x.notes["pii"]


def transcript(*pieces: str) -> bytes:
    deltas = [{"type": "transcript.text.delta", "delta": piece, "logprobs": [{"token": piece}]} for piece in pieces]
    return sse(*deltas, {"type": "transcript.text.done", "text": "".join(pieces), "logprobs": [{"token": MAIL}]})


async def test_transcripts_at_every_cut() -> None:
    for at in range(1, len(SAYS)):
        left, _ = await through(transcript(SAYS[:at], SAYS[at:]), "/v1/audio/transcriptions", at)
        told_events = events(left)
        assert "".join(event.get("delta", "") for event in told_events) == "Mail [EMAIL], then"
        assert told_events[-1]["text"] == "Mail [EMAIL], then"
        assert MAIL.encode() not in left
        assert b"event: transcript.text.done\n" in left
    left, _ = await through(transcript("Card ", CARD, " end"), "/v1/audio/transcriptions", action="block")
    assert "".join(event.get("delta", "") for event in events(left)) == "Card "
    assert events(left)[-1]["error"]["code"] == "guardrail_blocked"


async def test_texts_of_stored_answers_are_told_apart() -> None:
    kinds = {"response.output_text.delta": "x", "response.function_call_arguments.delta": "y"}
    pieces = [
        {"type": kind, "item_id": item, "delta": text}
        for text in ('{"to":"ada@exam', 'ple.org"}')
        for kind, item in kinds.items()
    ]
    left, _ = await through(sse(*pieces, {"type": "response.completed", "response": {"text": MAIL}}), "/v1/responses/r")
    for kind in kinds:
        assert "".join(event["delta"] for event in events(left) if event["type"] == kind) == '{"to":"[EMAIL]"}'
    assert events(left)[-1]["response"]["text"] == "[EMAIL]"


async def test_everything_else_is_looked_at_whole() -> None:
    picture = {"type": "image_generation.partial_image", "b64_json": "iVBORw0KGgo" * 9, "revised_prompt": f"For {MAIL}"}
    left, _ = await through(b": a comment by ada@example.org\n\n" + sse(picture, picture), "/v1/images/generations", 11)
    assert [event["revised_prompt"] for event in events(left)] == ["For [EMAIL]"] * 2
    assert events(left)[0]["b64_json"] == picture["b64_json"]
    assert MAIL.encode() not in left


@pytest.mark.parametrize("on_error", ["closed", "open"])
async def test_an_event_that_cannot_be_read_is_the_filters_to_decide(on_error: str) -> None:
    body = b"data: not JSON\n\n" + sse(choice("fine", finish_reason="stop"))
    left, x = await through(body, "/v1/completions", on_error=on_error)
    assert f"output failed {on_error} (an event that is no JSON is not looked into" in x.notes["pii"]
    assert (said(left.replace(b"data: not JSON", b":")), b"not JSON" in left) == (
        ("", False) if on_error == "closed" else ("fine", True)
    )


async def test_several_filters_and_a_stream_that_came_at_once() -> None:
    x = exchange("openai_chat", "/v1/completions")
    found = answer(sse(choice("hello"), choice("", finish_reason="stop")), b"text/event-stream", 9)
    for _ in range(2):
        assert await filtered(x, found, Upper()) is None
    assert said(await told(found)) == "HELLO"
    whole = answer(sse(choice("hello")), b"text/event-stream")
    assert await filtered(x, whole, Upper("hell")) is None
    assert b"~" in (whole.body or b"")
    assert b"hello" not in (whole.body or b"")


async def test_more_texts_than_can_be_told_apart_end_the_stream() -> None:
    x = exchange("openai_chat", "/v1/completions")
    found = answer(sse(*(choice("a", index) for index in range(1100))), b"text/event-stream", 4096)
    assert await filtered(x, found, Upper()) is None
    assert events(await told(found))[-1]["choices"][0]["finish_reason"] == "content_filter"
    assert Halt("No.").code == "guardrail_blocked"
