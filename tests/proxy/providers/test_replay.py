"""`kind: replay`: what is recorded is answered as it is, and what is not is somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.cassettes.cassette import append
from proxy.cassettes.take import Request, Response, Take, write
from proxy.errors import Rejected, Unsupported, UpstreamError
from tests.proxy.providers.conftest import Context

Make = Callable[..., Any]
BODY = b'{"model":"m","messages":[]}'


def on_cassette(path: Path, response: Response, answer: bytes | None, *, at: str = "/v1/chat/completions") -> None:
    """One take."""
    take = Take(recorded="x", request=Request(method="POST", path=at), response=response)
    append(path, [write(take, BODY, answer, [(0.0, b"data: 1\n\n")])])


async def test_an_answer(tmp_path: Path, account: Make, ask: Make) -> None:
    on_cassette(tmp_path / "c", Response(status=200, headers={"content-type": "application/json"}), b'{"a" :1}')
    answer = await ask(account("replay", cassette=str(tmp_path / "c")), BODY)
    assert (answer.status, answer.body, answer.is_sse) == (200, b'{"a" :1}', False)


async def test_a_stream_under_another_models_name(tmp_path: Path, account: Make, ask: Make) -> None:
    on_cassette(tmp_path / "c", Response(status=200, headers={"content-type": "text/event-stream"}), None)
    answer = await ask(account("replay", cassette=str(tmp_path / "c")), BODY.replace(b'"m"', b'"other"'), model="m")
    assert (answer.body, answer.is_sse) == (b"data: 1\n\n", True)


async def test_a_model_in_the_path(tmp_path: Path, account: Make, ask: Make) -> None:
    on_cassette(tmp_path / "c", Response(status=200), b"x", at="/v1beta/models/m:generateContent")
    provider = account("replay", cassette=str(tmp_path / "c"))
    assert (await ask(provider, BODY, "/v1beta/models/other:generateContent", model="m")).body == b"x"


async def test_an_error_is_handed_on(tmp_path: Path, account: Make, ask: Make) -> None:
    """As it is, and as one that nobody tries again."""
    on_cassette(tmp_path / "c", Response(status=503, code="upstream_overloaded"), b'{"error":1}')
    with pytest.raises(Rejected) as failed:
        await ask(account("replay", cassette=str(tmp_path / "c")), BODY)
    assert failed.value.raw == (503, (), b'{"error":1}')
    assert (failed.value.http_status, failed.value.error_code) == (503, "upstream_overloaded")


async def test_what_is_missing_is_unsupported(tmp_path: Path, account: Make, ask: Make) -> None:
    on_cassette(tmp_path / "c", Response(status=200), b"x")
    with pytest.raises(UpstreamError, match="recorded nothing, sent 2") as failed:
        await ask(account("replay", cassette=str(tmp_path / "c")), BODY.replace(b"}", b',"n":2}'))
    assert isinstance(failed.value, Unsupported)
    assert (failed.value.http_status, failed.value.error_code) == (404, "cassette_miss")


def test_a_cassette_that_is_not_there_is_a_problem(account: Make, context: Context) -> None:
    account("replay", cassette="nowhere.yaml")
    assert context.problems == [("cassette", "/nowhere.yaml: there is no such cassette; record one first")]


def test_it_is_told_and_not_judged(tmp_path: Path, account: Make, exchange: Make) -> None:
    on_cassette(tmp_path / "c", Response(status=200), b"x")
    provider = account("replay", cassette=str(tmp_path / "c"))
    assert provider.describe() == f"the cassette {tmp_path / 'c'}"
    assert provider.preview(exchange(BODY), "other")[0] == BODY.replace(b'"m"', b'"other"')
    assert not provider.is_judged
