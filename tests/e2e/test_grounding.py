"""`grounding` on the wire: every dialect, streamed or not; who is asked, what a receipt tells, what a failure is."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream
from tests.upstream.say import Part, Say

FACTS = "Returns are accepted within 30 days. The Atlas weighs 3 kg and was designed by Jane Doe."
GOOD = "You can return an item within thirty days [1]. Jane Doe designed the Atlas."
BAD = "You can return an item within 30 days [1]. The Atlas weighs 30 kg, SENTINEL."
REWORDED = "Sending goods home again is possible for 30 days."  # the same in other words
SECRET = b"SENTINEL"
TAGGED = f'Answer from this.\n<document id="1">{FACTS}</document>'
QUESTION = "What can you tell me?"
STOPPED = b"not supported by the given documents"
_NUMBERS = count()


def _call(name: str) -> dict[str, Any]:
    return {"id": name, "type": "function", "function": {"name": "search", "arguments": "{}"}}


DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": FACTS}, "title": "1"}
FOUND = json.dumps({"hits": [{"id": 1, "text": FACTS}]})
# By dialect: path, path of a stream, and a request that gives the facts in a way of that dialect.
WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "chat": (
        "/v1/chat/completions",
        "/v1/chat/completions",
        {
            "messages": [
                {"role": "user", "content": QUESTION},
                {"role": "assistant", "content": None, "tool_calls": [_call("c1")]},
                {"role": "tool", "tool_call_id": "c1", "content": FOUND},
            ]
        },
    ),
    "responses": ("/v1/responses", "/v1/responses", {"instructions": TAGGED, "input": QUESTION}),
    "messages": (
        "/v1/messages",
        "/v1/messages",
        {
            "max_tokens": 99,
            "messages": [{"role": "user", "content": [DOCUMENT, {"type": "text", "text": QUESTION}]}],
        },
    ),
    "gemini": (
        "/v1beta/models/{}:generateContent",
        "/v1beta/models/{}:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": f"[1] {FACTS}\n\n{QUESTION}"}]}]},
    ),
}


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """Routes that differ in what they do, and whom they ask."""
    rules = {
        "block": "",
        "warn": "action: warn",
        "shadow": "action: shadow, without_context: block",
        "retry": "action: retry, retries: 2",
        "needy": "without_context: block",
        "open": "on_error: open",
        "half": "score: 50%",
        "judged": "judge: {route: judge}",
        "trusting": "judge: {route: judge}, on_error: open",
        "alike": "embedding: {embedder: sim/vectors, threshold: 10%}",
        "unlike": "embedding: {embedder: sim/vectors, threshold: 99%}",
        "nobody": "embedding: {embedder: up/vectors}",
    }
    routes = "".join(
        f"  {name}: {{models: [{name}], policies: [grounding: {{{rule}}}], target: up/m}}\n"
        for name, rule in rules.items()
    )
    return module_gateway(f"""
providers:
  up: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-up}}
  sim: {{kind: simulated}}
routes:
{routes}
  kept: {{models: [kept], policies: [cache: {{}}, grounding], target: up/m}}
  judge: {{models: [judge], target: up/j}}
""")


def _say(text: str) -> dict[str, Any]:
    middle = len(text) // 2
    return {"say": msgspec.to_builtins(Say(parts=[Part(kind="text", pieces=[text[:middle], text[middle:]])]))}


def _tell(upstream: FakeUpstream, *texts: str, model: str = "m") -> None:
    """One answer after the other; the last stays."""
    upstream.tell(model, id=f"grounding {next(_NUMBERS)}", steps=[_say(text) for text in texts])


async def _ask(
    wire: Any, running: Gateway, model: str, way: str = "chat", *, stream: bool = False, body: Any = None
) -> tuple[int, bytes, str]:
    """Status, body, and what the receipt says."""
    path, streamed, asked = WAYS[way]
    asked = (asked if body is None else body) | ({} if way == "gemini" else {"model": model, "stream": stream})
    call = await wire(running.port)
    await call.request("POST", (streamed if stream else path).format(model), asked)
    status = await call.head()
    body = await call.whole()
    line = await running.logged("request", request_id=call.header("x-request-id"))
    return status, body, line.get("notes", {}).get("grounding", "")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("way", WAYS)
async def test_what_is_supported_passes_and_what_is_not_is_stopped(
    way: str, stream: bool, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    """Not a byte of it comes, and the end is one of the dialect."""
    _tell(upstream, GOOD)
    status, answer, note = await _ask(wire, running, "block", way, stream=stream)
    assert status == 200
    assert STOPPED not in answer
    assert "score 1.00 (2 sentences, 1 passages); output clean" in note
    _tell(upstream, BAD)
    status, answer, note = await _ask(wire, running, "block", way, stream=stream)
    assert status == 200
    assert SECRET not in answer
    assert STOPPED in answer
    assert "score 0.50 (2 sentences, 1 passages; wrong: 2); output blocked (block unsupported at sentence 2)" in note


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("action", ["warn", "shadow"])
async def test_what_is_only_told(
    action: str, stream: bool, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    _tell(upstream, BAD)
    status, answer, note = await _ask(wire, running, action, stream=stream)
    assert status == 200
    assert SECRET in answer
    assert f"({action} unsupported at sentence 2)" in note
    assert "SENTINEL" not in note


async def test_a_stream_that_is_only_watched_flows(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """The first words come while the upstream still waits with the others."""
    upstream.tell("m", **_say(BAD), die_after=2, how="hang")
    call = await wire(running.port)
    await call.request("POST", WAYS["chat"][0], WAYS["chat"][2] | {"model": "warn", "stream": True})
    assert await call.head() == 200
    told = b""
    async for piece in call.body():
        told += piece
        if b"You can return" in told:
            break
    assert b"You can return" in told
    assert b'finish_reason":"stop' not in told


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_what_is_asked_again(stream: bool, running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """The model is told which of its sentences are not supported; at last it is stopped."""
    _tell(upstream, BAD, GOOD)
    upstream.journal().mark()
    _, answer, note = await _ask(wire, running, "retry", stream=stream)
    assert SECRET not in answer
    assert b"thirty" in answer
    assert "score 1.00" in note
    assert "1 retries" in note
    _, again = upstream.journal().requests()
    said = json.loads(body_of(again))["messages"]
    assert [one["role"] for one in said[-2:]] == ["assistant", "user"]
    assert said[-2]["content"] == BAD
    assert "- The Atlas weighs 30 kg, SENTINEL." in said[-1]["content"]
    assert "within 30 days" not in said[-1]["content"]
    _tell(upstream, BAD)
    upstream.journal().mark()
    _, answer, note = await _ask(wire, running, "retry", stream=stream)
    assert STOPPED in answer
    assert "output blocked" in note
    assert len(upstream.journal().requests()) == 3


async def test_of_several_answers_only_the_bad_one_is_stopped(
    running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    texts = [GOOD, BAD, "I do not know."]
    choices = [
        {"index": at, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for at, text in enumerate(texts)
    ]
    upstream.tell("m", body={"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": choices})
    _, answer, note = await _ask(wire, running, "block", body=WAYS["chat"][2] | {"n": 3})
    told = json.loads(answer)["choices"]
    assert told[0]["message"]["content"] == GOOD
    assert told[1]["finish_reason"] == "content_filter"
    assert told[2]["message"]["content"] == texts[2]
    assert SECRET not in answer
    assert "wrong: 1:2" in note


async def test_a_share_may_be_enough(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    _tell(upstream, BAD)
    _, answer, note = await _ask(wire, running, "half")
    assert SECRET in answer
    assert "score 0.50 (2 sentences, 1 passages; wrong: 2); output clean" in note


async def test_requests_that_give_nothing(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    _tell(upstream, BAD)
    bare = {"messages": [{"role": "user", "content": QUESTION}]}
    status, answer, note = await _ask(wire, running, "block", body=bare)
    assert (status, SECRET in answer, "not judged" in note) == (200, True, True)
    status, answer, note = await _ask(wire, running, "needy", body=bare)
    assert (status, json.loads(answer)["error"]["code"]) == (400, "guardrail_blocked")
    assert "block no_context at the request" in note
    status, answer, note = await _ask(wire, running, "shadow", body=bare)
    assert (status, SECRET in answer, "shadow no_context" in note) == (200, True, True)


async def test_documents_that_cannot_be_read_are_a_failure(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    _tell(upstream, BAD)
    pdf = {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(b"%PDF").decode()}
    asked = {"max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "document", "source": pdf}]}]}
    status, answer, note = await _ask(wire, running, "block", "messages", body=asked)
    assert status == 400
    assert b"guardrail" in answer or STOPPED in answer
    assert "output failed closed (failed: a document that is no text is not looked into)" in note
    status, answer, note = await _ask(wire, running, "open", "messages", body=asked)
    assert (status, SECRET in answer) == (200, True)
    assert "output failed open" in note


async def test_what_the_provider_keeps_cannot_be_compared(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    _tell(upstream, BAD)
    asked = {"input": QUESTION, "previous_response_id": "resp_theirs"}
    status, _, note = await _ask(wire, running, "block", "responses", body=asked)
    assert status == 400
    assert "output failed closed (failed: what was said before is kept by the provider)" in note


@pytest.mark.parametrize(
    ("said", "passes"), [("UNSUPPORTED: NONE", True), ("UNSUPPORTED: 1", False), ("unsupported: none.", True)]
)
async def test_a_judge_has_the_last_word(
    said: str, passes: bool, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    """It is asked about what words do not support, and about nothing else."""
    _tell(upstream, f"{GOOD} {REWORDED}")
    _tell(upstream, said, model="j")
    upstream.journal().mark()
    _, answer, _ = await _ask(wire, running, "judged")
    assert (STOPPED not in answer) == passes
    asked = json.loads(body_of(upstream.journal().requests()[-1]))
    prompt = asked["messages"][0]["content"]
    assert FACTS in prompt
    assert f"1. {REWORDED}" in prompt
    assert "2. " not in prompt
    assert asked["max_tokens"] < 64


@pytest.mark.parametrize("said", ["They are fine.", "UNSUPPORTED: 7", "UNSUPPORTED: NONE\nUNSUPPORTED: 1", ""])
async def test_what_a_judge_says_in_another_form_is_a_failure(
    said: str, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    _tell(upstream, REWORDED)
    _tell(upstream, said, model="j")
    _, answer, note = await _ask(wire, running, "judged")
    assert STOPPED in answer
    assert "output failed closed" in note
    _, answer, note = await _ask(wire, running, "trusting")
    assert STOPPED not in answer
    assert "output failed open" in note


async def test_vectors_support_what_words_do_not(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """Never another number, however near the rest is; an embedder that fails is a failure."""
    _tell(upstream, REWORDED)
    assert STOPPED not in (await _ask(wire, running, "alike"))[1]
    assert STOPPED in (await _ask(wire, running, "unlike"))[1]
    upstream.tell("vectors", status=500)
    assert "output failed closed (failed: no vectors in time)" in (await _ask(wire, running, "nobody"))[2]
    _tell(upstream, REWORDED.replace("30", "40"))
    assert STOPPED in (await _ask(wire, running, "alike"))[1]


async def test_calls_of_tools_and_refusals_pass(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    call = Part(kind="call", pieces=['{"a":', "1}"], name="f", id="c")
    said = Say(parts=[Part(kind="text", pieces=["The Atlas weighs 99 kg."]), call], stop="tool_calls")
    upstream.tell("m", say=msgspec.to_builtins(said))
    _, answer, note = await _ask(wire, running, "block")
    assert b"99 kg" in answer
    assert "score 1.00 (0 sentences" in note


async def test_what_was_stopped_is_not_kept(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """Neither it nor what stands in its place: the next one asks anew."""
    _tell(upstream, BAD, GOOD)
    body = WAYS["chat"][2] | {"temperature": 0}
    assert STOPPED in (await _ask(wire, running, "kept", body=body))[1]
    assert STOPPED not in (await _ask(wire, running, "kept", body=body))[1]


async def test_metrics(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    _tell(upstream, BAD)
    await _ask(wire, running, "block")
    metrics = running.get("/metrics")[1].decode()
    assert 'sluicegate_guard_score_count{guard="grounding",route="block"}' in metrics
    assert 'entity="unsupported",guard="grounding",route="block"' in metrics
