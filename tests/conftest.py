"""Fixtures for every test: the fake upstream, gateways, and clients that leave nothing behind."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from openai import AsyncOpenAI, OpenAI

from tests.support.environment import certificates, foreign_names
from tests.support.gateway import Gateway
from tests.support.upstream import FakeUpstream
from tests.support.valkey import Valkey
from tests.support.wire import Wire

MakeGateway = Callable[..., Gateway]

# Every run meets the same examples, and none is timed: `HYPOTHESIS=random` looks for new ones.
settings.register_profile("seeded", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile("random" if os.environ.get("HYPOTHESIS") == "random" else "seeded")


@pytest.fixture(scope="session", autouse=True)
def clean_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No proxy and no real credential of the machine reaches a client here; and no signal that whoever started the
    tests ignores, as a shell does with SIGINT for what runs in its background, is ignored by what tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        for name in foreign_names():
            patch.delenv(name)
        for name, value in certificates(tmp_path_factory.mktemp("certificates")).items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def upstream_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeUpstream]:
    """The fake upstream of this session."""
    running = FakeUpstream(tmp_path_factory.mktemp("upstream"))
    yield running
    running.stop()


@pytest.fixture
def upstream(upstream_process: FakeUpstream) -> Iterator[FakeUpstream]:
    """The fake upstream; its journal begins with this test, and what the test tells it ends with it."""
    upstream_process.journal().mark()
    with upstream_process.told():
        yield upstream_process


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A store of this test's own."""
    running = Valkey(tmp_path)
    yield running
    running.kill()


@pytest.fixture(scope="module")
def module_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """The same for all tests of a file, each of which empties it."""
    running = Valkey(tmp_path_factory.mktemp("valkey"))
    yield running
    running.kill()


def _factory(folder: Path) -> Iterator[MakeGateway]:
    started: list[Gateway] = []
    numbers = itertools.count(1)

    def start(config: str, **options: Any) -> Gateway:
        made = Gateway(folder / f"gateway{next(numbers)}", config, **options)
        started.append(made)
        return made

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[MakeGateway]:
    """``gateway(config_text, env=…, args=…)`` starts one for this test; see ``Gateway``."""
    yield from _factory(tmp_path)


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeGateway]:
    """The same for all tests of a file: cheaper, for tests that leave the file alone."""
    yield from _factory(tmp_path_factory.mktemp("gateway"))


@pytest.fixture
async def client() -> AsyncIterator[Callable[..., AsyncOpenAI]]:
    """``client(url, key="sk-test")``: the official client, without retries, closed after the test."""
    made: list[AsyncOpenAI] = []

    def make(url: str, key: str = "sk-test", **more: Any) -> AsyncOpenAI:
        made.append(AsyncOpenAI(base_url=url, api_key=key, **({"max_retries": 0, "timeout": 20.0} | more)))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture
def blocking_client() -> Iterator[Callable[..., OpenAI]]:
    """The official client that blocks."""
    made: list[OpenAI] = []

    def make(url: str, key: str = "sk-test", **more: Any) -> OpenAI:
        made.append(OpenAI(base_url=url, api_key=key, **({"max_retries": 0, "timeout": 20.0} | more)))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
async def wire() -> AsyncIterator[Callable[..., Any]]:
    """``await wire(port)``: a bare socket, closed after the test."""
    made: list[Wire] = []

    async def connect(port: int, **more: Any) -> Wire:
        made.append(await Wire.open(port, **more))
        return made[-1]

    yield connect
    for one in made:
        one.close()
