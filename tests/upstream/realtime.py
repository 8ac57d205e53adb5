"""A WebSocket that sends one greeting and then echoes every frame, made by hand."""

from __future__ import annotations

import asyncio
import base64
import hashlib

from tests.upstream.emitter import Emitter
from tests.upstream.journal import Journal
from tests.upstream.script import Script

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_GREETING = b'{"type": "session.created", "event_id": "event_fake"}'
_CLOSE, _PING, _PONG = 8, 9, 10


async def realtime(
    headers: list[tuple[str, str]],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    emitter: Emitter,
    script: Script,
    journal: Journal,
    request: int,
) -> None:
    """Serve one WebSocket to its end. ``die_after`` counts echoed frames."""
    given = dict(headers)
    accept = base64.b64encode(hashlib.sha1(given["sec-websocket-key"].encode() + _GUID).digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: upgrade"]
    lines.append(f"sec-websocket-accept: {accept}")
    if offered := given.get("sec-websocket-protocol"):
        lines.append(f"sec-websocket-protocol: {offered.split(',')[0].strip()}")
    writer.write("\r\n".join([*lines, "", ""]).encode())
    journal.write("opened", id=request)
    await emitter.wait(script.ttft_ms)
    writer.write(frame(1, _GREETING))
    echoed = 0
    while True:
        first, payload = await _read_frame(reader)
        opcode = first & 0x0F
        journal.write("frame", id=request, opcode=opcode, size=len(payload), data=base64.b64encode(payload).decode())
        if opcode == _CLOSE:
            writer.write(frame(_CLOSE, payload))
            await writer.drain()
            return
        if opcode == _PING:
            writer.write(frame(_PONG, payload))
            continue
        if opcode == _PONG:
            continue
        await emitter.wait(script.gap_ms)
        writer.write(frame(first & 0x7F, payload, final=bool(first & 0x80)))
        await writer.drain()
        echoed += 1
        if script.die_after is not None and echoed >= script.die_after:
            await emitter.die(script.how)


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """An unmasked frame."""
    first = bytes([opcode | (0x80 if final else 0)])
    if len(payload) < 126:
        return first + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return first + b"\x7e" + len(payload).to_bytes(2, "big") + payload
    return first + b"\x7f" + len(payload).to_bytes(8, "big") + payload


async def _read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    mask = await reader.readexactly(4) if second & 0x80 else b"\0\0\0\0"
    payload = await reader.readexactly(size)
    key = (mask * (size // 4 + 1))[:size]
    return first, (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
