"""What the fake upstream says in five dialects is what the official clients understand, down to the last token."""

from __future__ import annotations

import pytest

from tests.support import expected
from tests.support.heard.answer import Heard
from tests.support.heard.table import EARS
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked, Part, Say, Source, Tokens

_ALL = Tokens(
    input=100,
    cached_read=20,
    cache_write_5m=3,
    cache_write_1h=4,
    input_audio=5,
    output=60,
    reasoning=7,
    output_audio=8,
)
_TOOLS = Say(
    parts=[
        Part(kind="reasoning", pieces=["Let me ", "see."], signature="c2lnbmF0dXJl"),
        Part(kind="text", pieces=["Looking ", "it ", "up"]),
        Part(kind="call", id="call_1", name="weather", pieces=['{"city": "', "Par", 'is"}']),
        Part(kind="call", id="call_2", name="time", pieces=["{}"]),
    ],
    stop="tool_calls",
    usage=_ALL,
)
_CITED = Say(
    parts=[
        Part(
            kind="text",
            pieces=["It is ", "so."],
            sources=[Source(url="https://a.example/1", title="One", start=0, end=9, quoted="so")],
        )
    ],
    usage=_ALL,
)
_REFUSED = Say(parts=[Part(kind="refusal", pieces=["I ", "won't."])], stop="refusal")
_SAYS = {"tools": _TOOLS, "cited": _CITED, "refused": _REFUSED}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", _SAYS)
@pytest.mark.parametrize("dialect", RENDERERS)
def test_official_types_understand_what_is_said(dialect: str, name: str, stream: bool) -> None:
    renderer, say = RENDERERS[dialect], _SAYS[name]
    asked = Asked(model="m-1", stream=stream)
    if stream:
        found = EARS[dialect].stream(b"".join(renderer.frames(say, asked)))
    else:
        found = EARS[dialect].whole(renderer.body(say, asked))
    _compare(found, say, dialect, stream)


def _compare(found: Heard, say: Say, dialect: str, stream: bool) -> None:
    assert found.words == say.text("text", "refusal")
    assert found.reasoning == say.text("reasoning")
    assert [(call.name, call.given) for call in found.calls] == [
        (part.name, {"city": "Paris"} if part.id == "call_1" else {}) for part in say.of("call")
    ]
    assert found.proofs == [part.signature for part in say.parts if part.signature]
    assert found.stop in expected.STOPS[dialect][say.stop]
    assert found.usage is not None
    assert say.usage is not None
    assert found.usage == expected.TELLS[dialect](say.usage)
    assert found.sources == [(one.url, one.title) for part in say.parts for one in part.sources]
