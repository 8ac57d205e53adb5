"""Local servers are found, beside some that never answer, answer too much, or something else."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from proxy.development.probing import MAX_BYTES, MAX_MODELS, probe, read_models
from proxy.development.services import Server
from tests.support.environment import free_port

LONGEST = 2.0  # seconds; the machine may be busy


def answer(*names: object, head: str = "") -> bytes:
    body = json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()
    return f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n{head}\r\n".encode() + body


@contextmanager
def listening(said: bytes, *, closes: bool = True) -> Iterator[tuple[int, list[bytes]]]:
    """A server that says this to the first who comes: its port, and what it was asked."""
    heard: list[bytes] = []
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(65536))
                try:
                    connection.sendall(said)
                except OSError as error:
                    heard.append(str(error).encode())
                if not closes:
                    over.wait(20)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], heard
        over.set()
        thread.join(5)


def test_servers_are_found_in_the_order_of_their_names() -> None:
    with ExitStack() as stack:
        lmstudio, asked = stack.enter_context(listening(answer("qwen/qwen3-8b")))
        ollama, _ = stack.enter_context(listening(answer("llama3.2:latest", "qwen3:8b")))
        empty, _ = stack.enter_context(listening(b'HTTP/1.1 200 OK\r\n\r\n{"object": "list", "data": null}'))
        other, _ = stack.enter_context(listening(b"SSH-2.0-OpenSSH_9.6\r\n"))
        ports = {"ollama": ollama, "lmstudio": lmstudio, "vllm": empty, "llamacpp": other, "none": free_port()}
        assert probe(ports, LONGEST) == [
            Server("ollama", f"http://127.0.0.1:{ollama}/v1", ("llama3.2:latest", "qwen3:8b")),
            Server("lmstudio", f"http://127.0.0.1:{lmstudio}/v1", ("qwen/qwen3-8b",)),
            Server("vllm", f"http://127.0.0.1:{empty}/v1"),
        ]
        assert asked[0].startswith(f"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:{lmstudio}\r\n".encode())


def test_who_says_nothing_holds_nobody_up() -> None:
    """And who has said all, but stays, is heard."""
    with listening(b"", closes=False) as (silent, _), listening(answer("m"), closes=False) as (staying, _):
        assert [server.name for server in probe({"vllm": silent, "ollama": staying}, 0.2)] == ["ollama"]


def test_no_more_is_read_than_a_list_may_have() -> None:
    with listening(answer("m" * 100, *("x" * 100 for _ in range(MAX_BYTES // 100)))) as (port, _):
        assert probe({"ollama": port}, LONGEST) == []


def test_names() -> None:
    """Each once, a hundred at most, and none that is a pattern, too long, or moves a cursor."""
    assert read_models(answer("a", "a", "", 7, None, "b*", "c[1]", "d\x1b[2J", "e" * 201, "é")) == ("a", "é")
    assert read_models(answer(*map(str, range(MAX_MODELS + 5)))) == tuple(map(str, range(MAX_MODELS)))


def test_pieces_are_put_together() -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    body = b'{"data": [{"id": "m"}]}'
    assert read_models(chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)) == ("m",)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 404 Not Found\r\n\r\n" + answer("m").partition(b"\r\n\r\n")[2],
        answer("m", head="x-sluicegate-generation: 1\r\n"),
        answer("m")[:-1],
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\n\r\n7",
        b'HTTP/1.1 200 OK\r\n\r\n{"data": {"id": "m"}}',
        b'HTTP/1.1 200 OK\r\n\r\n{"data": ["m"]}',
        b'HTTP/1.1 200 OK\r\n\r\n{"data": "m"}',
        b"HTTP/1.1 200 OK\r\n\r\n\xff",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_list_of_models(said: bytes) -> None:
    assert read_models(said) is None
