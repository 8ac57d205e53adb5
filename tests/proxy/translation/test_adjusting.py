"""A request in place of another: what it says, what it may cost, and what is heard of it."""

from __future__ import annotations

import pytest

from proxy.chat import Adjustment
from proxy.dialects.paths import EXACT
from proxy.dialects.splice import read_envelope
from proxy.errors import BadRequest
from proxy.exchange import Attempt, Begun, Exchange
from proxy.translation.adjusting import adjusted
from tests.support.compiled import make_exchange

BODY = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":5,"n":2}'
SHORT = Adjustment(parameters={"max_tokens": 300}, system="Be brief.")


def _asked(path: str = "/v1/chat/completions", body: bytes = BODY) -> Exchange:
    x = make_exchange(path)
    x.endpoint, x.body, x.model = EXACT["POST", path], body, "m"
    x.maxima = read_envelope(body).maxima
    return x


def test_what_the_caller_sent_stays_for_everybody_else() -> None:
    """The changed one is read anew; its size is known where the caller's was."""
    x = _asked()
    x.bound = (100, 10)
    twin, lost = adjusted(x, SHORT)
    assert (x.body, lost) == (BODY, ())
    assert b'"content":"Be brief."' in twin.body
    assert twin.bound == (100 + len(twin.body) - len(BODY), 600), "each of two answers may have so many"
    assert adjusted(x, Adjustment(system="Be brief."))[0].bound == (140, 10)
    assert adjusted(_asked(), SHORT)[0].bound is None


def test_what_is_no_conversation_or_has_begun_stays_as_it_is() -> None:
    embedding = _asked("/v1/embeddings", b'{"model":"m","input":"Hi"}')
    assert adjusted(embedding, SHORT)[0].body == embedding.body
    begun = _asked()
    begun.begun = Begun("He said", 2)
    assert adjusted(begun, SHORT)[0].body == BODY


def test_what_becomes_of_it_is_heard_of() -> None:
    """As if it had been the caller's own."""
    x = _asked()
    twin, _ = adjusted(x, SHORT)
    twin.attempts.append(Attempt("up/a"))
    twin.notes = {**twin.notes, "race": "it was first"}
    twin.variant, twin.degraded, twin.upstream_wait = "short/brief", "timeout", 2.0
    x.heed(twin)
    assert [attempt.target for attempt in x.attempts] == ["up/a"]
    assert (x.notes, x.variant) == ({"race": "it was first"}, "short/brief")
    assert (x.degraded, x.upstream_wait) == ("timeout", 2.0)


def test_what_cannot_be_adjusted_is_refused() -> None:
    with pytest.raises(BadRequest, match="cannot be adjusted"):
        adjusted(_asked(body=b'{"model":"m","messages":7}'), SHORT)
