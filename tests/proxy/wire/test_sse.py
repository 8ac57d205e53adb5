"""Events are the same however the bytes were cut, and the scanner sees what the splitter would have found."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.errors import BadAnswer
from proxy.wire.sse import BOM, Scanner, Splitter, data_of, has_ended, read_data

ENDS = ((b"data", b"[DONE]"), (b"event", b"response.completed"))

PIECES = st.sampled_from(
    [
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"data",
        b"data:",
        b"data: ",
        b"da",
        b"event: response.completed",
        b"event:response.comp",
        b"[DONE]",
        b"data: [DONE]",
        b" data: [DONE]",
        b": ping",
        b":",
        b"retry: 10",
        b"id: 1",
        b"x",
        b"\x00\xff",
        BOM,
        'data: {"a":"\u2028 \u0085 \u2029 \U0001f600"}'.encode(),
    ]
)
STREAMS = st.lists(PIECES, max_size=30).map(b"".join)


def cut(stream: bytes, seed: int, longest: int) -> list[bytes]:
    rng = random.Random(seed)
    chunks, at = [], 0
    while at < len(stream):
        step = rng.randint(1, longest)
        chunks.append(stream[at : at + step])
        at += step
    return chunks


def split(chunks: list[bytes]) -> list[bytes]:
    splitter = Splitter()
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return events + splitter.finish()


def plainly(stream: bytes) -> list[tuple[bool, bool, int]]:
    """The slowest reader: for every byte whether it is content, whether the end has come, where the event began."""
    seen = []
    line, start, ended, ending, first, after_cr = b"", 0, False, False, True, False
    for at in range(len(stream)):
        byte = stream[at : at + 1]
        text = line
        if byte == b"\n" and after_cr:
            after_cr = False
            start = at + 1 if start == at else start
            seen.append((False, ended, start))
            continue
        after_cr = byte == b"\r"
        if byte in b"\r\n":
            if text.removeprefix(BOM) == b"" if first else text == b"":
                start, ended, ending = at + 1, ended or ending, False
            line, first, content = b"", False, False
        else:
            line += byte
            text = line.removeprefix(BOM) if first else line
            content = text.startswith(b"data:")
            for name, value in ENDS:
                if text.startswith((name + b":" + value, name + b": " + value)):
                    ending, ended = True, ended or name == b"data"
        seen.append((content, ended, start))
    return seen


@given(STREAMS, st.integers(0, 9), st.sampled_from([1, 2, 3, 7, 60]))
@example(b"data: x\r\n\r\ndata: y\r\r\n\r", 0, 1)
@example(BOM + b"\ndata: x\n\n", 0, 2)
def test_any_cut_of_a_stream_gives_the_same_events(stream: bytes, seed: int, longest: int) -> None:
    events = split(cut(stream, seed, longest))
    assert b"".join(events) == stream
    starts = {0} | {start for _, _, start in plainly(stream)}
    # an event that a lone \r seemed to end reaches to the \n after it
    bounds = sorted(at for at in starts | {len(stream)} if stream[max(0, at - 1) : at + 1] != b"\r\n")
    assert events == [stream[at:to] for at, to in itertools.pairwise(bounds)]


@given(STREAMS, st.integers(0, 9), st.sampled_from([1, 2, 3, 7, 60]), st.sampled_from([2, 1024]))
@example(b": x\n\ndata: x\n\ndata: [DONE]\n\n", 0, 7, 1024)
@example(b"event: response.completed\r\ndata: {}\r\n\r\n", 1, 7, 2)
@example(BOM + b"data: [DONE]\n\n", 0, 1, 2)
def test_the_scanner_sees_content_ends_and_whole_events_at_every_cut(
    stream: bytes, seed: int, longest: int, glance_from: int
) -> None:
    scanner, truth, at = Scanner(ENDS, glance_from=glance_from), plainly(stream), 0
    for chunk in cut(stream, seed, longest):
        seen = truth[at : at + len(chunk)]
        at += len(chunk)
        _, ended, start = seen[-1]
        assert scanner.feed(chunk) == any(content for content, _, _ in seen)
        assert scanner.ended == ended
        assert scanner.whole == (start == at)
        assert scanner.tail == min(at - start, len(chunk))


def test_usual_events_take_the_short_way_and_are_still_counted() -> None:
    scanner = Scanner(((b"data", b"[DONE]"),))
    chunks = (b'data: {"a": 1}\n\n', b": keep-alive\n\n", b'event: x\ndata: {"a": 2}\n\n', b"data: [DONE]\n\n")
    seen = [(scanner.feed(chunk), scanner.ended, scanner.whole) for chunk in chunks]
    assert seen == [(True, False, True), (False, False, True), (True, False, True), (True, True, True)]


def test_the_end_in_the_middle_of_a_text_is_no_end() -> None:
    scanner = Scanner(((b"data", b"[DONE]"),))
    scanner.feed(b'data: {"text": "[DONE]"}\n\n')
    scanner.feed(b'data: {"text": "data: [DONE]"}\n\n')
    scanner.feed(b": data: [DONE]\n\nxdata: [DONE]\n\n")
    assert not scanner.ended


@pytest.mark.parametrize("piece", [1, 3, 1000])
@pytest.mark.parametrize(
    ("event", "ends"),
    [
        (b'data: {"error":{"message":"x"}}', False),
        (b'data:{"error": {"message": "x"}}', False),
        (b"event: response.failed\ndata: {}", True),
        (b'data: {"type":"error"}', True),
    ],
)
def test_a_failure_in_the_providers_words_is_noticed(event: bytes, ends: bool, piece: int) -> None:
    """Whatever the chunks; a text that holds such words is none."""
    told = ((b"event", b"response.failed"), (b"data", b'{"type":"error"'))
    scanner = Scanner(told)
    text = b'data: {"text": "{\\"error\\"", "x": {"error": 1}}\n\n'
    for at in range(0, len(text), piece):
        scanner.feed(text[at : at + piece])
    assert (scanner.failed, scanner.ended) == (False, False)
    whole = event + b"\n\n"
    for at in range(0, len(whole), piece):
        scanner.feed(whole[at : at + piece])
    assert (scanner.failed, scanner.ended) == (True, ends)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("piece", [1, 100, 5000])
def test_an_event_above_the_bound_is_refused_and_one_below_passes(line_end: bytes, piece: int) -> None:
    def feed_both(size: int) -> None:
        stream = b"data: a" + line_end * 2 + b"data: " + b"x" * size + line_end * 2
        scanner, splitter = Scanner((), 1000), Splitter(1000)
        for at in range(0, len(stream), piece):
            scanner.feed(stream[at : at + piece])
        for at in range(0, len(stream), piece):
            splitter.feed(stream[at : at + piece])

    feed_both(900)
    with pytest.raises(BadAnswer, match="more than 1000 bytes"):
        feed_both(1100)


@pytest.mark.parametrize("reader", [Scanner(()), Splitter()], ids=["scanner", "splitter"])
def test_an_event_without_end_is_refused_early(reader: Scanner | Splitter) -> None:
    for _ in range(16):
        reader.feed(b"x" * 65536)
    with pytest.raises(BadAnswer):
        reader.feed(b"x")


def test_data_lines_are_joined_and_comments_left_out() -> None:
    assert read_data(b": no\ndata:a\r\ndata: b\rdata\nid: 7\n\n") == b"a\nb\n"
    assert read_data(b": only a comment\n\n") is None
    assert read_data(BOM + b"data: a\n\n") == b"a"


def test_unicode_line_separators_are_text() -> None:
    stream = "data: a\u2028b\u0085c\u2029d\x0be\x0cf\x1cg\n\n".encode()
    assert split([stream]) == [stream]
    assert read_data(stream) == stream[6:-2]


def test_has_ended_knows_all_three_line_ends() -> None:
    assert all(has_ended(b"data: x" + end) for end in (b"\n\n", b"\r\n\r\n", b"\r\r"))
    assert not has_ended(b"data: x\n")
    assert not has_ended(b"data: x\r\n")


@given(
    st.lists(
        st.sampled_from([b"event: x", b"data: a", b"data:", b"data:  b ", b"id: 7", b": c", b"\r", b""]), max_size=5
    )
)
def test_the_quick_way_to_the_data_of_an_event_leads_to_the_same(lines: list[bytes]) -> None:
    """Whatever stands before it, behind it and between."""
    event = b"\n".join(lines) + b"\n\n"
    assert data_of(event) == ((read_data(event) or b"").strip() or None)
