"""Every official client with every provider: what it says arrives, and what the provider says is heard.

The requests are judged, and the answers rendered, without the gateway's translators: see ``tests/support/judged`` and
``tests/upstream/dialects``.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from anthropic import AsyncAnthropic

from proxy.dialects.table import DIALECTS
from tests.support import expected
from tests.support.heard.answer import Heard
from tests.support.judged.request import Came, Did, Hidden, Said, Shown, Thought
from tests.support.pairs import INBOUND, OUTBOUND, PAIRS, Pair, is_spliced, start
from tests.support.talk.talk import OUT, Image, Result, Tool
from tests.upstream.say import Part, Say, Source, Tokens

# Google's client extends a class of aiohttp's.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")

_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(40))).decode()
_WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "a city"}, "days": {"type": "integer"}},
    "required": ["city"],
}
_TIME = {"type": "object", "properties": {"zone": {"type": "string", "enum": ["UTC", "CET"]}}}
_TOOLS = [Tool("get_weather", "The weather", _WEATHER), Tool("get_time", "The time", _TIME)]
_SHAPE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["name", "tags"],
    "additionalProperties": False,
}
_PROOF = base64.b64encode(b"proof of a thought, opaque to all but its maker").decode()
_COUNTED = Tokens(
    input=1000,
    cached_read=200,
    cache_write_5m=30,
    cache_write_1h=40,
    input_audio=5,
    output=600,
    reasoning=70,
    output_audio=8,
)
_PLAIN = Say(parts=[Part(kind="text", pieces=["Good ", "mor", "ning, 世界 🙂"])])
_CALLS = [
    Part(kind="call", id="call_1", name="get_weather", pieces=['{"city"', ': "Zür', 'ich", "da', 'ys": 3}']),
    Part(kind="call", id="call_2", name="get_weather", pieces=['{"ci', 'ty": "Oslo"}']),
    Part(kind="call", id="call_3", name="get_time", pieces=["{}"]),
]
_GIVEN = [("get_weather", {"city": "Zürich", "days": 3}), ("get_weather", {"city": "Oslo"}), ("get_time", {})]
_CALLING = Say(parts=[Part(kind="text", pieces=["One ", "moment."]), *_CALLS], stop="tool_calls")

FEATURES = (
    *("chat", "stream", "tools", "results", "images", "image_urls", "schema", "thinking", "stop", "limit", "usage"),
    *("counting", "refusal", "sources"),
)
# Where a pair cannot do something, and why: a member of Chat that the provider's format lacks, or what the
# documentation of one side says. (client's dialect or *, provider's dialect or *, feature) → reason
HOLES: dict[tuple[str, str, str], str] = {
    ("*", "openai_responses", "stop"): "lacks: stop",
    ("openai_responses", "*", "stop"): "the client's format has no stop sequences",
    ("*", "bedrock", "image_urls"): "Converse takes no pictures by address but those in S3",
    ("openai_chat", "*", "counting"): "the client's format does not count tokens",
}


def hole(inbound: str, outbound: str, feature: str) -> str | None:
    """Why a pair cannot do something; None if it can."""
    if is_spliced(inbound, outbound) and (inbound, "*", feature) not in HOLES:
        return None
    keys = ((inbound, outbound, feature), (inbound, "*", feature), ("*", outbound, feature))
    return next((HOLES[key] for key in keys if key in HOLES), None)


def cells(feature: str) -> pytest.MarkDecorator:
    """A test for each pair that can do something."""
    able = [pair for pair in PAIRS if hole(*pair, feature) is None]
    return pytest.mark.parametrize("pair", able, indirect=True, ids=[f"{i}-{o}" for i, o in able])


@pytest.fixture
async def pair(module_gateway: Any, upstream: Any, request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """A client and a provider; the gateway is the same for this file."""
    cache: dict[str, Any] = request.module.__dict__.setdefault("_running", {})
    if "gateway" not in cache:
        cache["gateway"] = start(module_gateway, upstream)
    made = Pair(cache["gateway"], upstream, *request.param)
    yield made
    await made.close()


BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def check(heard: Heard, say: Say, pair: Pair) -> None:
    """What was heard is what was said."""
    assert heard.words == say.text("text", "refusal")
    assert heard.stop in expected.stops(say, pair.spoken, pair.inbound)
    assert heard.usage is not None
    assert say.usage is not None
    assert _merged(heard.usage) == _merged(expected.usage(say.usage, pair.spoken, pair.inbound))


def _merged(tokens: Tokens) -> tuple[int, ...]:
    written = tokens.cache_write_5m + tokens.cache_write_1h
    read = (tokens.input, tokens.cached_read, written, tokens.input_audio)
    return (*read, tokens.output, tokens.reasoning, tokens.output_audio)


def _same_system(found: list[str], wanted: list[str]) -> None:
    assert "\n".join(found).split() == "\n".join(wanted).split()


async def _chat(pair: Pair, stream: bool) -> None:
    pair.says(say=_PLAIN)
    talk = pair.talk(max_tokens=300, temperature=0.5)
    talk.system("You are brief.")
    talk.system("You are kind.")
    talk.user("Hello, ", "世界 \u2028 🙂")
    check(await talk.ask(stream=stream), _PLAIN, pair)
    asked = pair.asked()
    assert asked.model == pair.model
    assert asked.stream == stream
    _same_system(asked.system, ["You are brief.", "You are kind."])
    (turn,) = asked.turns
    assert "".join(part.text for part in turn.of(Said)) == "Hello, 世界 \u2028 🙂"
    assert asked.max_tokens == 300
    assert asked.temperature == 0.5
    talk.user("And again")
    check(await talk.ask(stream=stream), _PLAIN, pair)
    assert [turn.role for turn in pair.asked().turns] == ["user", "assistant", "user"]
    assert "".join(part.text for part in pair.asked().turns[1].of(Said)) == _PLAIN.text("text")


@cells("chat")
async def test_chat(pair: Pair) -> None:
    """System, developer and user messages, several texts, parameters; an answer, and a second turn after it."""
    await _chat(pair, stream=False)


@cells("stream")
async def test_stream(pair: Pair) -> None:
    """The same in pieces."""
    await _chat(pair, stream=True)


@BOTH
@cells("tools")
async def test_tools(pair: Pair, stream: bool) -> None:
    """Three calls at once, their arguments in pieces; the schemas of the tools and the choice among them."""
    pair.says(say=_CALLING)
    talk = pair.talk(tools=_TOOLS, choice="required")
    talk.user("Weather?")
    heard = await talk.ask(stream=stream)
    check(heard, _CALLING, pair)
    assert [(call.name, call.given) for call in heard.calls] == _GIVEN
    asked = pair.asked()
    assert asked.choice == "required"
    assert set(asked.tools) == {"get_weather", "get_time"}
    assert asked.descriptions == {"get_weather": "The weather", "get_time": "The time"}
    assert _plain_schema(asked.tools["get_weather"]) == _WEATHER
    for choice in ("get_time", "auto"):
        talk.wishes.choice = choice
        again = pair.talk(tools=_TOOLS, choice=choice)
        again.user("Weather?")
        await again.ask(stream=stream)
        assert pair.asked().choice in ({choice, None} if choice == "auto" else {choice})


def _plain_schema(schema: Any) -> Any:
    """A schema as JSON has it, where the format has types of its own."""
    if hasattr(schema, "model_dump"):
        schema = schema.model_dump(exclude_none=True, mode="json")
    if isinstance(schema, dict):
        return {name: value.lower() if name == "type" else _plain_schema(value) for name, value in schema.items()}
    return schema


@BOTH
@cells("results")
async def test_results(pair: Pair, stream: bool) -> None:
    """What came of three calls: a text, a failure, a picture; each belongs to its call."""
    pair.says(say=_CALLING)
    talk = pair.talk(tools=_TOOLS)
    talk.user("Weather?")
    first, second, third = (await talk.ask(stream=stream)).calls
    picture = Image(data=_PNG)
    talk.results(Result(first, "21 °C"), Result(second, "no such city", failed=True), Result(third, "see", picture))
    pair.says(say=_PLAIN)
    check(await talk.ask(stream=stream), _PLAIN, pair)
    asked = pair.asked()
    assert [turn.role for turn in asked.turns] == ["user", "assistant", "user"]
    calls, came = asked.turns[1].of(Did), asked.turns[2].of(Came)
    assert [(call.name, call.arguments) for call in calls] == _GIVEN
    assert [one.id for one in came] == [call.id for call in calls]
    texts = [" ".join(part.text for part in one.parts if isinstance(part, Said)) for one in came]
    assert all(word in text for word, text in zip(["21 °C", "no such city", "see"], texts, strict=True)), texts
    if pair.inbound in _FAILS and pair.spoken in _FAILS:
        assert [one.failed for one in came] == [False, True, False]
    shown = [part for one in came for part in one.parts if isinstance(part, Shown)] + asked.of(Shown)
    assert [one.source for one in shown] == [_PNG]


# Formats with a word for a call that failed.
_FAILS = ("anthropic_messages", "bedrock", "gemini")


@cells("images")
async def test_images(pair: Pair) -> None:
    """A picture between two texts, byte for byte."""
    pair.says(say=_PLAIN)
    talk = pair.talk()
    talk.user("Before", Image(data=_PNG), "after")
    await talk.ask(stream=False)
    (turn,) = pair.asked().turns
    assert turn.parts == [Said("Before"), Shown(_PNG, "image/png"), Said("after")]


@cells("image_urls")
async def test_images_by_address(pair: Pair) -> None:
    """A picture that the provider fetches itself."""
    pair.says(say=_PLAIN)
    talk = pair.talk()
    talk.user("Look", Image(url="https://pictures.example/a.png"))
    await talk.ask(stream=False)
    assert [one.source for one in pair.asked().of(Shown)] == ["https://pictures.example/a.png"]


@BOTH
@cells("schema")
async def test_structured_output(pair: Pair, stream: bool) -> None:
    """The schema arrives, and what is said to it."""
    say = Say(parts=[Part(kind="text", pieces=['{"name": "A', 'da", "tags": []}'])])
    pair.says(say=say)
    talk = pair.talk(schema=_SHAPE)
    talk.user("Who?")
    check(await talk.ask(stream=stream), say, pair)
    asked = pair.asked()
    found = _plain_schema(asked.schema)
    assert found["properties"] == _SHAPE["properties"]
    assert found["required"] == _SHAPE["required"]


@BOTH
@cells("thinking")
async def test_thinking_with_tools_over_two_turns(pair: Pair, stream: bool) -> None:
    """A thought before a call: its text is heard, and its proof finds back to the provider that made it."""
    # Chat completions have no proofs of their own.
    proof = "" if pair.spoken == "openai_chat" and pair.inbound != "openai_chat" else _PROOF
    thought = Part(kind="reasoning", pieces=["Let me ", "look ", "that up."], signature=proof)
    say = Say(parts=[thought, *_CALLS], stop="tool_calls", usage=_COUNTED)
    pair.says(say=say)
    talk = pair.talk(tools=_TOOLS, thinks=2048, max_tokens=4000)
    talk.user("Weather?")
    heard = await talk.ask(stream=stream)
    check(heard, say, pair)
    assert heard.reasoning == "Let me look that up."
    assert [(call.name, call.given) for call in heard.calls] == _GIVEN
    assert pair.asked().thinks not in (None, "none", 0)
    talk.results(*(Result(call, f"result {at}") for at, call in enumerate(heard.calls)))
    pair.says(say=_PLAIN)
    check(await talk.ask(stream=stream), _PLAIN, pair)
    asked = pair.asked()
    proofs = [one.proof for one in [*asked.of(Thought), *asked.of(Did)]] + [one.data for one in asked.of(Hidden)]
    assert [one for one in proofs if one] == ([proof] if proof else [])
    if pair.spoken in ("anthropic_messages", "bedrock"):
        assert asked.turns[1].parts[0] == Thought("Let me look that up.", _PROOF)
    if pair.spoken == "gemini":
        assert asked.of(Did)[0].proof == _PROOF


@BOTH
@cells("stop")
async def test_stop_sequences(pair: Pair, stream: bool) -> None:
    """They arrive; and where both sides have a word for it, which of them was met."""
    say = Say(parts=[Part(kind="text", pieces=["One, two"])], stop="stop_sequence", sequence="three")
    pair.says(say=say)
    talk = pair.talk(stop=["three", "four"])
    talk.user("Count")
    heard = await talk.ask(stream=stream)
    check(heard, say, pair)
    assert pair.asked().stop == ["three", "four"]


@BOTH
@cells("limit")
async def test_limit(pair: Pair, stream: bool) -> None:
    """An answer that was cut off says so."""
    say = Say(parts=[Part(kind="text", pieces=["One, two"])], stop="length")
    pair.says(say=say)
    talk = pair.talk(max_tokens=20)
    talk.user("Count")
    check(await talk.ask(stream=stream), say, pair)
    assert pair.asked().max_tokens == 20


@BOTH
@cells("usage")
async def test_usage_by_class(pair: Pair, stream: bool) -> None:
    """Every class that both sides know, nothing counted twice."""
    say = Say(parts=[Part(kind="text", pieces=["Yes"])], usage=_COUNTED)
    pair.says(say=say)
    talk = pair.talk()
    talk.user("Count")
    check(await talk.ask(stream=stream), say, pair)


@cells("counting")
async def test_counting_tokens(pair: Pair) -> None:
    """The provider counts, or the gateway says that it cannot."""
    pair.says(say=Say(usage=_COUNTED))
    talk = pair.talk()
    talk.user("Count me")
    assert await talk.count() == _COUNTED.prompt
    assert "".join(one.text for one in pair.asked().of(Said)) == "Count me"


@BOTH
@cells("refusal")
async def test_refusals(pair: Pair, stream: bool) -> None:
    """The model declines, in its own words."""
    say = Say(parts=[Part(kind="refusal", pieces=["I ", "won't."])], stop="refusal")
    pair.says(say=say)
    talk = pair.talk()
    talk.user("Do it")
    check(await talk.ask(stream=stream), say, pair)


@BOTH
@cells("sources")
async def test_sources(pair: Pair, stream: bool) -> None:
    """Where a statement comes from."""
    cited = [Source(url="https://a.example/1", title="One", start=0, end=9, quoted="so")]
    say = Say(parts=[Part(kind="text", pieces=["It is ", "so."], sources=cited)])
    pair.says(say=say)
    talk = pair.talk()
    talk.user("Is it?")
    heard = await talk.ask(stream=stream)
    check(heard, say, pair)
    assert heard.sources == [("https://a.example/1", "One")]


_PICTURE = {"type": "image", "source": {"type": "url", "url": "https://pictures.example/a.png"}}


@pytest.mark.parametrize(
    ("pair", "fields", "name"),
    [
        (("anthropic_messages", "openai_responses"), {"stop_sequences": ["x"]}, "stop"),
        (
            ("anthropic_messages", "bedrock"),
            {"messages": [{"role": "user", "content": [_PICTURE, {"type": "text", "text": "?"}]}]},
            "messages[0].image",
        ),
    ],
    indirect=["pair"],
    ids=["stop", "image_urls"],
)
async def test_what_a_provider_cannot_be_told_is_named(pair: Pair, fields: dict[str, Any], name: str) -> None:
    """The holes of the matrix, as the caller sees them: an answer, and what was left out."""
    pair.says(say=_PLAIN)
    async with AsyncAnthropic(
        base_url=pair.gateway.origin, api_key="sk-test", max_retries=0, default_headers={OUT: pair.outbound}
    ) as client:
        asked: dict[str, Any] = {"max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}], **fields}
        raw = await client.messages.with_raw_response.create(model=pair.model, **asked)
    assert raw.headers["x-sluicegate-dropped"] == name
    assert raw.status_code == 200


def test_the_matrix_has_no_hole_without_a_reason() -> None:
    """Printed with ``-s``: what each pair can do, every cell of which is a test above, and why not."""
    rows = [f"{'':39}" + " ".join(f"{feature:>10}" for feature in FEATURES)]
    notes: dict[str, int] = {}
    for inbound in INBOUND:
        for outbound in OUTBOUND:
            reasons = [hole(inbound, outbound, feature) for feature in FEATURES]
            marks = [str(notes.setdefault(why, len(notes) + 1)) if why else "yes" for why in reasons]
            how = "=" if is_spliced(inbound, outbound) else "→"
            row = " ".join(f"{mark:>10}" for mark in marks)
            rows.append(f"{inbound:>18} {how} {outbound:<18}" + row)
    print("\n" + "\n".join(rows))
    print("\n".join(f"{number}: {why}" for why, number in notes.items()))
    for (_, outbound, _), why in HOLES.items():
        if why.startswith("lacks: "):
            assert why.removeprefix("lacks: ") in DIALECTS[outbound].lacks
