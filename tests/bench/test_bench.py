"""The bench itself: it tells right answers from wrong ones. No figure is asserted here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.dialects.table import DIALECTS
from tests.bench.alone import alone
from tests.bench.candidates import KEY, Candidate, candidates, verifier
from tests.bench.load import Load, Phase
from tests.bench.measure import CELLS, QUICK, Found, Sample, Start, upstream
from tests.bench.process import Process, free_port
from tests.bench.report import page, rows
from tests.bench.translate import Added, Large, Translation, section
from tests.bench.translate import question as translated_question
from tests.bench.wire import EVENTS, SCRIPTS, SIZE, question, request, unchunk

pytestmark = pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the bench needs Linux")


@pytest.fixture(scope="module")
def upstream_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with upstream(tmp_path_factory.mktemp("upstream")) as port:
        yield port


async def _ask(port: int, model: str, size: int = 1_000, wanted: str = "") -> Phase:
    load = Load(request(f"127.0.0.1:{port}", KEY, question(model, size)), verifier(wanted or model, True))
    await load.open("127.0.0.1", port, 3)
    try:
        return await load.phase(0.0)
    finally:
        load.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_a_question_has_the_size_that_is_asked_for(size: int) -> None:
    assert len(question("bench-1k", size)) == size


@pytest.mark.parametrize(("model", "size"), [("bench-1k", 1_000), ("bench-100k", 100_000), ("bench-stream", 1_000)])
async def test_every_answer_of_the_upstream_is_whole(upstream_port: int, model: str, size: int) -> None:
    phase = await _ask(upstream_port, model, size)
    assert phase.count == 3
    assert not phase.errors


async def test_another_answer_is_told(upstream_port: int) -> None:
    phase = await _ask(upstream_port, "bench-1k", wanted="bench-100k")
    assert sum(phase.errors.values()) == 3


async def test_an_error_is_told(upstream_port: int) -> None:
    phase = await _ask(upstream_port, "bench-500", wanted="bench-1k")
    assert [problem[:10] for problem in phase.errors] == ["status 500"]


@pytest.mark.parametrize("model", ["bench-cut", "bench-reset", "bench-short"])
async def test_an_answer_that_breaks_is_told(upstream_port: int, model: str) -> None:
    phase = await _ask(upstream_port, model)
    assert phase.count == 0
    assert sum(phase.errors.values()) == 3


@pytest.mark.parametrize("name", ["relay", "sluicegate"])
async def test_candidates_pass_every_answer_on_exactly(upstream_port: int, name: str, tmp_path: Path) -> None:
    candidate: Candidate = next(one for one in candidates(upstream_port) if one.name == name)
    port = free_port()
    process: Process = candidate.start(port, tmp_path)
    try:
        process.wait_ready(port, candidate.ready, candidate.patience)
        for model, size in (("bench-1k", 1_000), ("bench-100k", 100_000), ("bench-stream", 1_000)):
            phase = await _ask(port, model, size)
            assert not phase.errors, (model, process.tail())
        assert process.cpu() > 0
        assert process.memory() > 1_000_000
    finally:
        process.end()


def test_a_stream_holds_every_event() -> None:
    script = SCRIPTS["bench-stream"]
    assert script.body.count(b"data: ") == EVENTS
    assert unchunk(b"".join(script.writes[1:])) == script.body


@pytest.mark.parametrize("broken", [b"", b"3\r\nab", b"2\r\nabc\r\n0\r\n\r\n", b"2\r\nab\r\n0\r\n\r\nmore", b"x\r\n"])
def test_broken_framing_is_told(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"chunk|subsection|invalid literal"):
        unchunk(broken)


def test_ratios_are_taken_round_by_round() -> None:
    cell = CELLS[0].name
    spent = {("relay", 0): 100.0, ("relay", 1): 200.0, ("sluicegate", 0): 130.0, ("sluicegate", 1): 240.0}
    samples = [
        Sample(name, cell, number, 10, cpu, 1_000.0, 50.0, 90.0, {}) for (name, number), cpu in spent.items()
    ] + [Sample("direct", cell, number, 10, None, 9_000.0, 10.0, 20.0, {}) for number in (0, 1)]
    found = Found(samples, [Start("sluicegate", [0.5, 0.7], 50_000_000, 60_000_000)], {"LiteLLM": "not ready"})
    ours = next(row for row in rows(found) if row.candidate == "sluicegate")
    assert ours.ratio == pytest.approx(1.25)  # of 1.3 and 1.2, not of the sums
    assert ours.added_p50_us == pytest.approx(40.0)
    text = page(found, QUICK, 1.0)
    assert "1.25 × | met" in text
    assert "LiteLLM was left out: not ready" in text


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic_messages"])
def test_a_question_that_is_translated_has_its_size_and_is_one(dialect: str) -> None:
    """And every dialect can be told it."""
    body = translated_question(dialect, "bench-talk", stream=True)
    assert abs(len(body) - SIZE) < 100
    chat = DIALECTS[dialect].read_request(body)
    assert chat.stream
    assert len(chat.tools) == 3


def test_what_translation_adds_is_told_with_its_aim() -> None:
    rows_ = [Added("openai_chat", "anthropic_messages", "-paced", 10.0, 40.0, 30.0, 5, {})]
    question_ = translated_question("anthropic_messages", "m", stream=False)
    text = "\n".join(
        section(Translation(rows_, [Large("gemini", "bedrock", 1 << 20, 1.0, 2.0)], alone(question_, times=1)))
    )
    assert "| 30.0 µs | 25 µs: **missed** |" in text
    assert "3.0 ms at most (gemini to bedrock; aim 10 ms: met)" in text
    (cells,) = (line.split(" | ") for line in text.splitlines() if line.startswith("| gemini | "))
    assert len(cells) == 1 + len(DIALECTS)
    assert cells.count("passed") == 1


@pytest.mark.parametrize(("name", "dialect"), [("bench-talk", "openai_chat"), ("bench-claude", "anthropic_messages")])
def test_an_answer_that_is_translated_has_its_size_and_calls_tools(name: str, dialect: str) -> None:
    """And its streams are whole."""
    body = SCRIPTS[name].body
    assert abs(len(body) - SIZE) < 500
    (choice,) = DIALECTS[dialect].read_answer(body).choices
    assert choice.stop == "tool_calls"
    for kind in ("-stream", "-paced"):
        reader = DIALECTS[dialect].reader()
        events = [
            one for frame in DIALECTS[dialect].frames().feed(SCRIPTS[name + kind].body) for one in reader.feed(frame)
        ]
        assert sum(getattr(event, "text", "").count(" word") for event in events) == EVENTS
        assert reader.finish() == []
