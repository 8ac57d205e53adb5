"""Credentials of AWS: where they are found, and that nobody waits for them without need."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from proxy.errors import BadCredential
from proxy.providers.aws_credentials import (
    AHEAD,
    LAST_CALL,
    LOOK_AGAIN,
    PAUSE,
    Fixed,
    Loaded,
    Origin,
    Renewed,
    has_extra,
    load,
)
from proxy.providers.sigv4 import Credentials

ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken>
<Expiration>2033-05-18T03:33:20Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


class Well:
    """Loads credentials as it is told: numbered, with an end, slowly, or not at all."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.lasts: float | None = 3600.0
        self.failure: Exception | None = None
        self.count = 0
        self.gate = threading.Event()
        self.gate.set()

    def clock(self) -> float:
        return self.now

    def load(self) -> Loaded:
        self.gate.wait(10)
        self.count += 1
        if self.failure is not None:
            raise self.failure
        return Loaded(Credentials(f"AK{self.count}", "s"), None if self.lasts is None else self.now + self.lasts)

    def source(self) -> Renewed:
        return Renewed(self.load, self.clock)


async def _becomes(source: Renewed, key: str) -> None:
    """Requests go on until the loop has taken in what the thread brought."""
    while (await source.current()).access_key != key:
        await asyncio.sleep(0)


async def test_many_requests_at_once_load_once() -> None:
    well = Well()
    source = well.source()
    found = await asyncio.gather(*(source.current() for _ in range(50)))
    assert {one.access_key for one in found} == {"AK1"}
    assert well.count == 1


async def test_they_are_renewed_ahead_of_their_end_while_requests_go_on() -> None:
    """The old ones serve until the new ones are there."""
    well = Well()
    source = well.source()
    await source.current()
    well.now += well.lasts - AHEAD + 1  # type: ignore[operator]
    well.gate.clear()
    assert [(await source.current()).access_key for _ in range(5)] == ["AK1"] * 5
    well.gate.set()
    await _becomes(source, "AK2")
    assert well.count == 2


async def test_expired_ones_are_never_used() -> None:
    """A request waits for new ones; if there are none it fails, and says nothing of the reason to the caller."""
    well = Well()
    source = well.source()
    await source.current()
    well.now += 3600 - LAST_CALL
    assert (await source.current()).access_key == "AK2"
    well.now += 3600
    well.failure = RuntimeError("arn:aws:iam::123456789012:user/x may not")
    with pytest.raises(BadCredential) as caught:
        await source.current()
    assert "123456789012" not in caught.value.message
    assert caught.value.__cause__ is well.failure


async def test_a_failure_is_not_repeated_for_every_request() -> None:
    well = Well()
    well.failure = OSError("no")
    source = well.source()
    for _ in range(20):
        with pytest.raises(BadCredential):
            await source.current()
    assert well.count == 1
    well.now += PAUSE
    well.failure = None
    assert (await source.current()).access_key == "AK2"


async def test_those_held_serve_while_new_ones_cannot_be_had() -> None:
    well = Well()
    source = well.source()
    await source.current()
    well.failure = OSError("no")
    well.now += 3600 - AHEAD
    while well.count < 2:
        assert (await source.current()).access_key == "AK1"
        await asyncio.sleep(0)
    assert (await source.current()).access_key == "AK1"


async def test_those_without_an_end_are_read_again_now_and_then() -> None:
    well = Well()
    well.lasts = None
    source = well.source()
    await source.current()
    well.now += LOOK_AGAIN - 1
    await source.current()
    assert well.count == 1
    well.now += 1
    await _becomes(source, "AK2")


async def test_refused_ones_are_looked_up_again_before_the_next_request() -> None:
    """Somebody changed them; but not more often than every few seconds."""
    well = Well()
    well.lasts = None
    source = well.source()
    await source.current()
    well.now += PAUSE
    source.doubt()
    assert (await source.current()).access_key == "AK2"
    for _ in range(10):
        source.doubt()
        assert (await source.current()).access_key == "AK2"
    assert well.count == 2


async def test_a_request_that_is_cancelled_does_not_cancel_the_others() -> None:
    well = Well()
    well.gate.clear()
    source = well.source()
    first, second = asyncio.ensure_future(source.current()), asyncio.ensure_future(source.current())
    await asyncio.sleep(0)
    first.cancel()
    well.gate.set()
    assert (await second).access_key == "AK1"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_those_of_the_file_are_what_they_are() -> None:
    source = Fixed(Credentials("AK", "s", "t"))
    source.doubt()
    assert await source.current() == Credentials("AK", "s", "t")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment in which only the given folder can hold credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def test_the_environment_is_a_place_for_them(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    assert load(Origin()) == Loaded(Credentials("AKENV", "secret", "token"))


def test_a_profile_of_the_shared_files_is_one(alone: Path) -> None:
    (alone / "credentials").write_text("[work]\naws_access_key_id = AKFILE\naws_secret_access_key = s\n")
    assert load(Origin(profile="work")) == Loaded(Credentials("AKFILE", "s"))
    with pytest.raises(LookupError):
        load(Origin())


def test_temporary_ones_tell_when_they_end(alone: Path) -> None:
    """By a program that a profile names."""
    told = (
        '{"Version": 1, "AccessKeyId": "AKP", "SecretAccessKey": "s", "SessionToken": "t", '
        f'"Expiration": "{datetime.fromtimestamp(datetime.now().timestamp() + 7200, UTC):%Y-%m-%dT%H:%M:%SZ}"}}'
    )
    (alone / "told").write_text(told)
    (alone / "config").write_text(f"[profile p]\ncredential_process = /bin/cat {alone / 'told'}\n")
    found = load(Origin(profile="p"))
    assert found.credentials == Credentials("AKP", "s", "t")
    assert found.ends is not None
    assert abs(found.ends - datetime.now().timestamp() - 7200) < 60


class _Sts(BaseHTTPRequestHandler):
    asked: list[tuple[str, str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.asked.append((self.headers["authorization"], body))
        self.send_response(200)
        self.send_header("content-type", "text/xml")
        self.send_header("content-length", str(len(ASSUMED)))
        self.end_headers()
        self.wfile.write(ASSUMED.encode())

    def log_message(self, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """A server that gives roles."""
    server = HTTPServer(("127.0.0.1", 0), _Sts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_address[1]}")
    _Sts.asked.clear()
    yield _Sts.asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_role_is_assumed_with_the_credentials_of_the_file(alone: Path, sts: list[tuple[str, str]]) -> None:
    arn = "arn:aws:iam::123456789012:role/gateway"
    origin = Origin(static=Credentials("AKOWN", "s"), role_arn=arn, external_id="ext-1", region="eu-west-1")
    assert load(origin) == Loaded(Credentials("ASIAROLE", "role-secret", "role-token"), 2_000_000_000.0)
    ((proof, body),) = sts
    assert "Credential=AKOWN/" in proof
    assert "/eu-west-1/sts/" in proof
    assert "role%2Fgateway" in body
    assert "ExternalId=ext-1" in body


def test_the_extra_is_needed_for_what_botocore_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Credentials("AK", "s")
    assert [Origin(static=own).needs_extra, Origin(static=own, role_arn="r").needs_extra] == [False, True]
    assert [Origin().needs_extra, Origin(profile="p").needs_extra] == [True, True]
    assert has_extra()
    monkeypatch.setitem(sys.modules, "botocore", None)
    assert not has_extra()
