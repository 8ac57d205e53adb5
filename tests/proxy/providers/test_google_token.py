"""Tokens of Google Cloud are got in a thread, one at a time, ahead of their end."""

from __future__ import annotations

import asyncio
import builtins
import json
import threading
from functools import partial
from typing import Any

import pytest

from proxy.errors import BadCredential
from proxy.providers.google_token import AHEAD, Grant, Tokens, UnusableCredentials, from_chain, from_key
from tests.support.token_server import service_account, token_server

LIFE = 3600.0


class Source:
    """Gives numbered tokens; ``gate`` holds them back."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.count = 0
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.tokens = Tokens(self.fetch, lambda: self.now)

    def fetch(self) -> Grant:
        self.count += 1
        number = self.count
        self.gate.wait(10)
        if self.error is not None:
            raise self.error
        return Grant(((b"authorization", b"Bearer t%d" % number),), self.now + LIFE)

    async def token(self) -> bytes:
        return (await self.tokens.headers())[0][1]

    async def settled(self) -> None:
        """Wait for what runs beside the requests."""
        task = self.tokens._task
        if task is not None:
            await asyncio.wait([task])


async def test_many_requests_at_once_ask_for_one_token_and_the_loop_goes_on() -> None:
    source = Source()
    source.gate.clear()
    waiting = [asyncio.create_task(source.token()) for _ in range(50)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    waiting[0].cancel()  # who goes away takes nothing from the others
    source.gate.set()
    assert set(await asyncio.gather(*waiting[1:])) == {b"Bearer t1"}
    assert source.count == 1
    assert source.tokens.secrets == (b"Bearer t1",)


async def test_a_token_is_replaced_while_the_old_one_still_serves() -> None:
    source = Source()
    assert await source.token() == b"Bearer t1"
    source.now += LIFE - AHEAD - 1
    assert await source.token() == b"Bearer t1"
    assert source.count == 1
    source.now += 2
    source.gate.clear()
    assert await source.token() == b"Bearer t1"  # at once, though the next one is on its way
    source.gate.set()
    await source.settled()
    assert await source.token() == b"Bearer t2"


async def test_a_failure_ahead_of_time_is_no_failure_of_a_request() -> None:
    source = Source()
    await source.token()
    source.now += LIFE - AHEAD + 1
    source.error = ValueError("no")
    assert await source.token() == b"Bearer t1"
    await source.settled()
    assert await source.token() == b"Bearer t1"
    assert source.count == 2  # not asked again at once
    source.now += 11
    source.error = None
    await source.token()
    await source.settled()
    assert await source.token() == b"Bearer t3"


async def test_without_any_token_the_request_fails_with_the_reason() -> None:
    source = Source()
    source.error = ValueError("Account is\n gone.")
    with pytest.raises(BadCredential, match=r"no access token from Google: Account is gone\."):
        await source.token()
    source.error = None
    assert await source.token() == b"Bearer t2"


async def test_a_service_account_signs_for_its_token() -> None:
    with token_server() as server:
        fetch, project = from_key(service_account(server.uri))
        grant = fetch()
    assert project == "my-project"
    assert grant.headers == ((b"authorization", b"Bearer token-1"),)
    assert server.claims[0]["iss"] == "gateway@my-project.iam.gserviceaccount.com"
    assert server.claims[0]["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert 0 < grant.expires - server.claims[0]["iat"] <= 3700


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/etc/key.json", "not the JSON of a key"),
        ("[]", "not the key of a service account"),
        ('{"type": "authorized_user"}', "GOOGLE_APPLICATION_CREDENTIALS"),
        ('{"type": "service_account"}', "cannot be used"),
    ],
)
def test_what_is_no_key_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UnusableCredentials, match=why):
        from_key(text)


def test_a_broken_key_is_not_repeated() -> None:
    info = json.loads(service_account("http://127.0.0.1:1/"))
    info["private_key"] = "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n"
    with pytest.raises(UnusableCredentials) as caught:
        from_key(json.dumps(info))
    assert "SECRET" not in str(caught.value)


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter without google-auth."""
    real = builtins.__import__

    def refusing(name: str, *more: Any, **options: Any) -> Any:
        if name.startswith("google"):
            raise ImportError(name)
        return real(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", refusing)


@pytest.mark.usefixtures("without_extra")
def test_a_missing_extra_is_named_with_what_installs_it() -> None:
    for make in (from_chain, partial(from_key, "{}")):
        with pytest.raises(UnusableCredentials, match=r"pip install 'sluicegate\[gcp\]'"):
            make()


def test_the_default_chain_is_looked_up_with_the_first_token_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    with token_server() as server:
        file = tmp_path / "key.json"
        file.write_text(service_account(server.uri))
        fetch = from_chain()
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        assert fetch().headers == ((b"authorization", b"Bearer token-1"),)
        assert fetch().headers == ((b"authorization", b"Bearer token-2"),)
