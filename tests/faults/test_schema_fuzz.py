"""BAD-05: whatever a client or a provider sends, it is understood or refused with a typed error; nothing crashes."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import msgspec
import pytest

from proxy.chat import Chat, Completion, Losses, Message, Text
from proxy.choosing.capability import Capabilities
from proxy.dialects.dialect import Aim
from proxy.dialects.fit import fit
from proxy.dialects.table import DIALECTS
from proxy.errors import BadRequest, UpstreamError
from tests.support.everything import EVERYTHING
from tests.support.mutations import Spoiler
from tests.support.sayings import cut, saying
from tests.support.scale import often
from tests.upstream.dialects.bedrock import STRING, frame
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked

REQUESTS = often(5_000, 20_000)
ANSWERS = 1_500  # whole ones, and as many streams
OUTBOUND = list(RENDERERS)
_AIM = Aim(model="m-1", capabilities=Capabilities(thinking="budget", prompt_cache="marks"))
_CHAT = Chat(model="m-1", messages=[Message("user", [Text("hi")])], stream=True, include_usage=True)
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")


@pytest.mark.soak
@pytest.mark.parametrize("inbound", EVERYTHING)
def test_every_request_is_understood_or_refused(inbound: str) -> None:
    """Thousands of spoiled requests, read and written to every other dialect in turn: ``BadRequest`` or success."""
    spoiler, counts = Spoiler(5, large=2500), Counter[str]()
    for number in range(REQUESTS):
        body = spoiler.spoil(EVERYTHING[inbound])
        try:
            chat = DIALECTS[inbound].read_request(body, "m-1")
        except BadRequest as error:
            counts["refused"] += 1
            _is_named(error, body)
            continue
        except Exception as error:
            error.add_note(f"{number}: {body[:6000]!r}")
            raise
        counts["read"] += 1
        outbound = OUTBOUND[number % len(OUTBOUND)]
        _write(chat, outbound, body, counts)
    assert counts["refused"] > REQUESTS / 10
    assert counts["written"] > REQUESTS / 10


def _write(chat: Chat, outbound: str, body: bytes, counts: Counter[str]) -> None:
    dialect, losses = DIALECTS[outbound], Losses()
    try:
        written = dialect.write_request(fit(chat, dialect.lacks, _AIM.capabilities, losses), _AIM, losses)
        json.loads(written)
    except BadRequest:
        counts["cannot be said"] += 1
    except Exception as error:
        error.add_note(f"to {outbound}: {body[:6000]!r}")
        raise
    else:
        counts["written"] += 1


def _is_named(error: BadRequest, body: bytes) -> None:
    """A refusal has words, and its ``param`` a member that stands there, or is missing where it should stand."""
    assert error.message
    assert error.http_status == 400
    if error.error_code == "invalid_json":
        return
    assert error.param is not None, error.message
    try:
        value = json.loads(body.decode("utf-8", "replace"), strict=False, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return  # wrong in its shape before the JSON ended, or a member stands there twice
    steps = [(name, index) for name, index in _STEP.findall(error.param)]
    for at, (name, index) in enumerate(steps):
        if index == "...":  # a key of any name
            return
        holder, value = value, None
        if name and isinstance(holder, dict):
            value = holder.get(name)
        elif index and isinstance(holder, list) and int(index) < len(holder):
            value = holder[int(index)]
        if value is None:
            assert at >= len(steps) - 1, f"{error.param} leads nowhere: {error.message} {body[:3000]!r}"
            return


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two members with one name nobody knows which was meant."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member stands there twice")
    return found


@pytest.mark.parametrize("outbound", OUTBOUND)
def test_every_answer_is_understood_or_a_typed_failure(outbound: str) -> None:
    """Spoiled answers of a provider, told to clients of every dialect: ``UpstreamError`` or success."""
    spoiler, counts = Spoiler(6, large=500), Counter[str]()
    for number in range(ANSWERS):
        body = spoiler.spoil(RENDERERS[outbound].body(saying(number % 40), Asked(model="m-1")))
        try:
            completion = DIALECTS[outbound].read_answer(body)
        except UpstreamError:
            counts["failed"] += 1
            continue
        except Exception as error:
            error.add_note(f"{number}: {body[:6000]!r}")
            raise
        counts["read"] += 1
        _tell(completion, number, body)
    assert counts["failed"] > ANSWERS / 20
    assert counts["read"] > ANSWERS / 20


def _tell(completion: Completion, number: int, body: bytes) -> None:
    inbound = list(EVERYTHING)[number % len(EVERYTHING)]
    try:
        json.loads(DIALECTS[inbound].write_answer(completion, _CHAT))
    except UpstreamError:
        return
    except Exception as error:
        error.add_note(f"{number} to {inbound}: {body[:6000]!r}")
        raise


@pytest.mark.parametrize("outbound", OUTBOUND)
def test_every_stream_is_understood_or_a_typed_failure(outbound: str) -> None:
    """The same for streams: spoiled, doubled, lost and swapped events, cut anywhere."""
    spoiler, counts = Spoiler(7, large=500), Counter[str]()
    for number in range(ANSWERS):
        frames = _spoiled(outbound, number, spoiler)
        inbound = list(EVERYTHING)[number % len(EVERYTHING)]
        source, target = DIALECTS[outbound], DIALECTS[inbound]
        cutter, reader, writer = source.frames(), source.reader(), target.writer(_CHAT)
        try:
            for chunk in cut(spoiler.chance, b"".join(frames), (50, 400, 4000)):
                for frame in cutter.feed(chunk):
                    writer.feed(reader.feed(frame))
            for frame in cutter.finish():
                writer.feed(reader.feed(frame))
            writer.feed(reader.finish())
        except UpstreamError:
            counts["failed"] += 1
        except Exception as error:
            error.add_note(f"{number} to {inbound}: {b''.join(frames)[:6000]!r}")
            raise
        else:
            counts["told"] += 1
    assert counts["failed"] > ANSWERS / 20
    assert counts["told"] > ANSWERS / 20


def _spoiled(outbound: str, number: int, spoiler: Spoiler) -> list[bytes]:
    """A stream with something wrong in it."""
    chance = spoiler.chance
    frames = RENDERERS[outbound].frames(saying(number % 40), Asked(model="m-1", stream=True))
    for _ in range(chance.choice([1, 1, 2, 4])):
        at, roll = chance.randrange(len(frames)), chance.random()
        if roll < 0.12 and len(frames) > 1:
            del frames[at]
        elif roll < 0.24:
            frames.insert(chance.randrange(len(frames)), frames[at])
        elif roll < 0.36:
            other = chance.randrange(len(frames))
            frames[at], frames[other] = frames[other], frames[at]
        elif roll < 0.4:
            flipped = bytearray(frames[at])
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
            frames[at] = bytes(flipped)
        else:
            frames[at] = _respoken(outbound, frames[at], spoiler)
    return frames


def _respoken(outbound: str, frame: bytes, spoiler: Spoiler) -> bytes:
    """One event with its JSON spoiled, in a frame that is right."""
    if outbound == "bedrock":
        return _rebuilt(frame, spoiler)
    head, mark, data = frame.rstrip(b"\n").partition(b"data: ")
    if not data.startswith(b"{"):
        return frame
    # A line break in the data would be another field of the event.
    return head + mark + _spoiled_once(data, spoiler).replace(b"\n", b" ") + b"\n\n"


def _spoiled_once(data: bytes, spoiler: Spoiler) -> bytes:
    """What is no JSON any more stays as it is."""
    try:
        return spoiler.spoil(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return data


def _rebuilt(message: bytes, spoiler: Spoiler) -> bytes:
    size = int.from_bytes(message[4:8], "big")
    headers, rest = {}, message[12 : 12 + size]
    while rest:
        length = rest[0]
        name, rest = rest[1 : 1 + length].decode(), rest[1 + length :]
        assert rest[0] == STRING
        width = int.from_bytes(rest[1:3], "big")
        headers[name], rest = rest[3 : 3 + width].decode(), rest[3 + width :]
    return frame(headers, _spoiled_once(message[12 + size : -4], spoiler))
