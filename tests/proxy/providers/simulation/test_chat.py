"""Chat completions and completions in OpenAI's shapes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from proxy.providers.simulation.behaviour import Behaviours, Config
from proxy.providers.simulation.chat import chat, completion
from proxy.providers.simulation.made import Events, Whole
from proxy.providers.simulation.request import Asked
from proxy.providers.simulation.words import say
from tests.support.sse import read_events

TEXT = 'Wörter "in" Anführung \u2028 \n\t {message}'


def _asked(**fields: Any) -> Asked:
    return msgspec.convert({"messages": [{"role": "user", "content": "hi"}], "prompt": "hi", **fields}, Asked)


def _bytes(made: Whole | Events) -> bytes:
    assert isinstance(made, Events)
    return made.opening + b"".join(made.tokens) + made.closing


@pytest.mark.parametrize("n", [1, 3])
def test_chat_whole_and_streamed_agree(n: int) -> None:
    """For every choice, with characters that need escapes."""
    behaviour = Behaviours(Config(text=TEXT)).of("m")
    asked = _asked(n=n)
    words = say(asked, b"x", "m", behaviour)
    whole = chat(asked, words, 'mo"del')
    assert isinstance(whole, Whole)
    parsed = ChatCompletion.model_validate_json(whole.body, strict=True)
    assert [choice.index for choice in parsed.choices] == list(range(n))
    events = read_events(_bytes(chat(_asked(n=n, stream=True), words, 'mo"del')))
    texts = dict.fromkeys(range(n), "")
    for event in events[:-1]:
        chunk = ChatCompletionChunk.model_validate_json(event.data or "", strict=True)
        assert (chunk.id, chunk.model) == (parsed.id, 'mo"del')
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert list(texts.values()) == [choice.message.content for choice in parsed.choices]


def test_the_number_of_choices_is_bounded() -> None:
    """Whatever is asked for."""
    for wanted, given in ((None, 1), (0, 1), (-5, 1), (10**9, 16)):
        asked = _asked(n=wanted)
        made = chat(asked, say(asked, b"x", "m", Behaviours(Config()).of("m")), "m")
        assert isinstance(made, Whole)
        assert len(msgspec.json.decode(made.body)["choices"]) == given


def test_completions_whole_and_streamed_agree() -> None:
    """Text, finish and usage."""
    behaviour = Behaviours(Config(text=TEXT)).of("m")
    asked = _asked()
    words = say(asked, b"x", "m", behaviour)
    made = completion(asked, words, "m")
    assert isinstance(made, Whole)
    whole = Completion.model_validate_json(made.body, strict=True)
    stream = completion(_asked(stream=True, stream_options={"include_usage": True}), words, "m")
    events = read_events(_bytes(stream))
    # The client's type demands a finish reason where OpenAI sends null; its stream reader does not validate.
    chunks = [Completion.construct(**msgspec.json.decode(event.data or "")) for event in events[:-1]]
    assert events[-1].data == "[DONE]"
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]) == whole.choices[0].text
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage
