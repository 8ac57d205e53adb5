"""BAD-01: what could be read in two ways is refused, the connection ends, and the application never sees it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from tests.faults.gate import Gate, running

HOST = b"Host: gate\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: gate\r\n\r\n"


def post(headers: bytes, body: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + headers + b"\r\n" + body


def get(target: bytes = b"/", headers: bytes = HOST, version: bytes = b"HTTP/1.1") -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + headers + b"\r\n"


CHUNKED = b"Transfer-Encoding: chunked\r\n"
SCRIPTS = {
    "length and chunked": post(b"Content-Length: 4\r\n" + CHUNKED, b"0\r\n\r\n"),
    "chunked and length": post(CHUNKED + b"Content-Length: 4\r\n", b"0\r\n\r\n"),
    "two lengths": post(b"Content-Length: 4\r\nContent-Length: 5\r\n", b"abcd"),
    "the same length twice": post(b"Content-Length: 4\r\nContent-Length: 4\r\n", b"abcd"),
    "a list of lengths": post(b"Content-Length: 4,4\r\n", b"abcd"),
    "a signed length": post(b"Content-Length: +4\r\n", b"abcd"),
    "a negative length": post(b"Content-Length: -1\r\n"),
    "a hexadecimal length": post(b"Content-Length: 0x4\r\n", b"abcd"),
    "an empty length": post(b"Content-Length:\r\n"),
    "a length of 30 digits": post(b"Content-Length: " + b"9" * 30 + b"\r\n"),
    "a length with a space inside": post(b"Content-Length: 1 0\r\n", b"abcd"),
    "unknown transfer coding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "two transfer codings": post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "chunked twice": post(CHUNKED + CHUNKED, b"0\r\n\r\n"),
    "chunked and identity": post(CHUNKED + b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    "a tab before chunked": post(b"Transfer-Encoding:\tchunked\r\n", b"0\r\n\r\n"),
    "a vertical tab before chunked": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    "a space before the colon": post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    "an underscore instead of a hyphen": post(b"Transfer_Encoding: chunked\r\nContent-Length: 0\r\n"),
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n",
    "a bare LF": b"GET / HTTP/1.1\nHost: gate\n\n",
    "a bare LF between headers": get(headers=HOST + b"X: a\nContent-Length: 4\r\n"),
    "a bare CR in a value": get(headers=HOST + b"X: a\rb\r\n"),
    "a bare CR as line end": get(headers=HOST + b"X: a\rContent-Length: 4\r\n"),
    "a NUL in a value": get(headers=HOST + b"X: a\x00b\r\n"),
    "a NUL in a name": get(headers=HOST + b"X\x00: a\r\n"),
    "a folded header": get(headers=HOST + b"X: a\r\n b\r\n"),
    "a folded Host": get(headers=b"Host:\r\n gate\r\n"),
    "a header without a colon": get(headers=HOST + b"nonsense\r\n"),
    "a header without a name": get(headers=HOST + b": x\r\n"),
    "a space in a name": get(headers=HOST + b"X Y: x\r\n"),
    "a space before the first header": get(headers=b" X: y\r\n" + HOST),
    "a non-ASCII name": get(headers=HOST + b"X\xe9: x\r\n"),
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.2": get(version=b"HTTP/1.2"),
    "HTTP/2.0": get(version=b"HTTP/2.0"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a lower case version": get(version=b"http/1.1"),
    "a version with a space behind": get(version=b"HTTP/1.1 "),
    "a lower case method": b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
    "an unknown method": b"SMUGGLE / HTTP/1.1\r\n" + HOST + b"\r\n",
    "two spaces in the request line": b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tab in the request line": b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "an empty line first": b"\r\n" + get(),
    "CR LF in the target": get(b"/a\r\nX: y"),
    "a space in the target": get(b"/a b"),
    "a control in the target": get(b"/a\x01"),
    "a raw byte in the target": get(b"/\xff"),
    "an encoded line end in the path": get(b"/a%0d%0ab"),
    "a fragment in the target": get(b"/a#b"),
    "no slash in the target": get(b"a"),
    "an asterisk": get(b"*"),
    "another scheme": get(b"ftp://gate/"),
    "another host in the target": get(b"http://other/"),
    "user information in the target": get(b"http://user@gate/"),
    "CONNECT": b"CONNECT gate:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "no Host": get(headers=b""),
    "two Hosts": get(headers=HOST + HOST),
    "two Hosts in one": get(headers=b"Host: gate, other\r\n"),
    "an empty Host": get(headers=b"Host:\r\n"),
    "a Host with a path": get(headers=b"Host: gate/x\r\n"),
    "a Host with a user": get(headers=b"Host: a@gate\r\n"),
    "a Host with two ports": get(headers=b"Host: gate:80:81\r\n"),
    "a Host with a word for a port": get(headers=b"Host: gate:http\r\n"),
    "an open bracket in Host": get(headers=b"Host: [::1\r\n"),
    "a space in Host": get(headers=b"Host: ga te\r\n"),
    "Connection names a framing header": post(b"Connection: close, content-length\r\nContent-Length: 4\r\n", b"abcd"),
}
CHUNK_SCRIPTS = {
    "a chunk size that is none": b"xyz\r\n",
    "a signed chunk size": b"+4\r\nabcd\r\n0\r\n\r\n",
    "a chunk size with 0x": b"0x4\r\nabcd\r\n0\r\n\r\n",
    "a huge chunk size": b"fffffffffffffffff\r\n",
    "a space behind the size": b"4 \r\nabcd\r\n0\r\n\r\n",
    "an empty chunk size": b"\r\nabcd\r\n0\r\n\r\n",
    "a bare LF behind the size": b"4\nabcd\r\n0\r\n\r\n",
    "a bare LF that would swallow a digit": b"40\nabcd\r\n0\r\n\r\n",
    "a chunk longer than its size": b"4\r\nabcdef\r\n0\r\n\r\n",
    "a chunk without its line end": b"4\r\nabcd0\r\n\r\n",
    "an extension of 64 KB": b"4;" + b"x" * 65536 + b"\r\nabcd\r\n0\r\n\r\n",
    "a bare LF in an extension": b"4;a=\nb\r\nabcd\r\n0\r\n\r\n",
    "a malformed trailer": b"0\r\nno colon\r\n\r\n",
    "endless trailers": b"0\r\n" + b"X: y\r\n" * 1000,
}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with running(tmp_path_factory.mktemp("framing")) as gate:
        yield gate


def assert_refused(answer: bytes, status: int = 400) -> None:
    """Exactly one answer: an error object of OpenAI's shape, and the end of the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"\r\nconnection: close" in head
    assert msgspec.json.decode(body)["error"]["type"]


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_malformed_head_is_refused_and_what_follows_is_never_answered(gate: Gate, script: bytes) -> None:
    before = gate.count("request")
    assert_refused(gate.exchange(script + SMUGGLED))
    assert gate.count("request") == before


@pytest.mark.parametrize("name", ["two lengths", "a bare CR in a value", "no Host", "a bare LF"])
def test_malformed_head_is_refused_when_it_arrives_in_pieces(gate: Gate, name: str) -> None:
    before = gate.count("request")
    client = gate.client()
    for byte in SCRIPTS[name] + SMUGGLED:
        client.send(bytes([byte]))
    assert_refused(client.receive_all())
    assert gate.count("request") == before


@pytest.mark.parametrize("script", CHUNK_SCRIPTS.values(), ids=CHUNK_SCRIPTS.keys())
def test_malformed_chunk_is_refused_and_what_follows_is_never_answered(gate: Gate, script: bytes) -> None:
    bodies, smuggled = gate.count("body"), gate.count("request GET /smuggled")
    assert_refused(gate.exchange(post(CHUNKED, script) + SMUGGLED))
    assert gate.count("body") == bodies
    assert gate.count("request GET /smuggled") == smuggled


def test_malformed_request_behind_a_good_one_is_refused_in_its_turn(gate: Gate) -> None:
    answer = gate.exchange(get() + SCRIPTS["two lengths"] + SMUGGLED)
    first, second = answer.split(b"0 bytes")
    assert first.startswith(b"HTTP/1.1 200")
    assert_refused(second)


def test_names_in_connection_end_here_and_do_not_reach_the_application(gate: Gate) -> None:
    script = get(b"/headers", HOST + b"X-Secret: 1\r\nX-Other: 2\r\nConnection: close, X-Secret\r\n")
    answer = gate.exchange(script)
    assert b"x-other: 2" in answer
    assert b"x-secret: 1" not in answer


@pytest.mark.parametrize("name", [b"X_Forwarded_For", b"x_user_id", b"Authorization_", b"x_sluicegate_tags"])
def test_second_spelling_of_a_meaningful_header_is_refused(gate: Gate, name: bytes) -> None:
    script = get(b"/headers", HOST + name + b": x\r\nConnection: close\r\n")
    answer = gate.exchange(script)
    if name == b"Authorization_":
        assert b"authorization_: x" in answer  # a name of its own, not a second spelling
    else:
        assert_refused(answer)


def test_unusual_but_clear_requests_are_answered(gate: Gate) -> None:
    """The strictness has a price only for the ambiguous."""
    close = b"Connection: close\r\n"
    for script in (
        get(b"http://gate/", HOST + close),
        get(b"http://GATE:80/", b"Host: gate\r\n" + close),
        get(b"/?q=%0d%0a", HOST + close),
        get(b"/", b"Host: [::1]:8080\r\n" + close),
        get(b"/", b"host:gate\r\nX-Empty:\r\nX-Latin: caf\xe9 \t x\r\nteam_name: a\r\n" + close),
        get(b"/", b"", b"HTTP/1.0"),
        post(CHUNKED + close, b"4;name=value\r\nabcd\r\n0\r\nTrailer: x\r\n\r\n"),
        post(b"transfer-encoding: Chunked\r\n" + close, b"0\r\n\r\n"),
        post(b"Content-Length: 004\r\n" + close, b"abcd"),
        get(b"/", HOST + b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"),
    ):
        assert gate.exchange(script).startswith(b"HTTP/1.1 200"), script
