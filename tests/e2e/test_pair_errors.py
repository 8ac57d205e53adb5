"""Every failure of every provider, in the words of every official client: the right class, and nobody else's secret."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
from google.genai import errors as google

from tests.support import expected
from tests.support.pairs import PAIRS, Pair, start
from tests.upstream.failures import FAILURES, MEANINGS, RETRY_AFTER, SECRET

# Google's client extends a class of aiohttp's.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
Raised = openai.APIStatusError | anthropic.APIStatusError | google.APIError
RAISED = (openai.APIStatusError, anthropic.APIStatusError, google.APIError)
STATUS = {
    "rate_limited": {429},
    "overloaded": {503, 529},
    "context_too_long": {400, 413},
    "content_refused": {400},
    "rejected": {400},
    "bad_credential": {502},
    "model_not_found": {404},
    "unavailable": {500, 502, 503},
}
_OPENAI: dict[str, type[Exception]] = {
    "rate_limited": openai.RateLimitError,
    "overloaded": openai.InternalServerError,
    "context_too_long": openai.BadRequestError,
    "content_refused": openai.BadRequestError,
    "rejected": openai.BadRequestError,
    "bad_credential": openai.InternalServerError,
    "model_not_found": openai.NotFoundError,
    "unavailable": openai.InternalServerError,
}
_ANTHROPIC: dict[str, type[Exception]] = {
    "rate_limited": anthropic.RateLimitError,
    "overloaded": anthropic.InternalServerError,
    "context_too_long": anthropic.BadRequestError,
    "content_refused": anthropic.BadRequestError,
    "rejected": anthropic.BadRequestError,
    "bad_credential": anthropic.InternalServerError,
    "model_not_found": anthropic.NotFoundError,
    "unavailable": anthropic.InternalServerError,
}
_GOOGLE: dict[str, type[Exception]] = {
    name: google.ServerError if min(statuses) >= 500 else google.ClientError for name, statuses in STATUS.items()
}
CLASSES = {
    "openai_chat": _OPENAI,
    "openai_responses": _OPENAI,
    "anthropic_messages": _ANTHROPIC,
    "gemini": _GOOGLE,
}


@pytest.fixture
async def pair(module_gateway: Any, upstream: Any, request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """A client and a provider; the gateway is the same for this file."""
    cache: dict[str, Any] = request.module.__dict__.setdefault("_running", {})
    if "gateway" not in cache:
        cache["gateway"] = start(module_gateway, upstream)
    made = Pair(cache["gateway"], upstream, *request.param)
    yield made
    await made.close()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("pair", PAIRS, indirect=True, ids=[f"{i}-{o}" for i, o in PAIRS])
async def test_every_failure_has_its_class(pair: Pair, stream: bool) -> None:
    """Eight meanings; a refused credential of the gateway is never shown as the caller's."""
    for meaning in MEANINGS:
        if meaning not in FAILURES[pair.spoken]:
            continue  # a provider without such an error answers with a reason to stop
        pair.says(fails=meaning)
        talk = pair.talk()
        talk.user("Hello")
        if pair.spoken == "gemini" and meaning == "content_refused":
            await _refused(pair, talk, stream)
            continue
        with pytest.raises(RAISED) as caught:
            await talk.ask(stream=stream)
        _check(caught.value, meaning, pair)


def _check(error: Any, meaning: str, pair: Pair) -> None:
    status = error.code if isinstance(error, google.APIError) else error.status_code
    assert status in STATUS[meaning], (meaning, error)
    assert issubclass(type(error), CLASSES[pair.inbound][meaning]), (meaning, type(error))
    assert SECRET not in str(error)
    if isinstance(error, google.APIError):
        assert error.status, error  # Google's word for it
        assert error.message
        return
    assert SECRET not in error.response.text
    assert error.body
    if meaning == "rate_limited" and pair.spoken != "bedrock":  # AWS tells no time
        assert error.response.headers["retry-after"] == str(RETRY_AFTER)
    if pair.inbound.startswith("openai") and meaning == "context_too_long":
        assert error.code == "context_length_exceeded"


async def _refused(pair: Pair, talk: Any, stream: bool) -> None:
    """Google tells under status 200 that it refuses the prompt: its own client sees that, others what they know."""
    try:
        heard = await talk.ask(stream=stream)
    except RAISED as error:
        assert pair.inbound != "gemini"
        _check(error, "content_refused", pair)
    else:
        assert pair.inbound == "gemini" or heard.stop in expected.STOPS[pair.inbound]["content_filter"]


@pytest.mark.parametrize("pair", PAIRS, indirect=True, ids=[f"{i}-{o}" for i, o in PAIRS])
async def test_a_stream_that_breaks_is_no_answer(pair: Pair) -> None:
    """The connection ends in the middle: every client raises, none takes it for the end."""
    pair.says(tokens=30, die_after=12)
    talk = pair.talk()
    talk.user("Hello")
    with pytest.raises(Exception, match=r".") as caught:
        await talk.ask(stream=True)
    assert not isinstance(caught.value, (KeyError, TypeError, AttributeError, IndexError)), caught.value
