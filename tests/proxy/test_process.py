"""What surrounds a serving process: addresses, limits, and what is printed. Whole processes are in `tests/e2e`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from policies.table import POLICIES, TARGETS
from proxy.config.compile import Tables
from proxy.config.model import GatewayConfig, ServerConfig, ShutdownConfig
from proxy.process import WRONG, Options, counted_apart, serve, server_limits
from proxy.providers.table import PROVIDERS
from proxy.server.limits import ServerLimits
from proxy.units import Duration, Size
from tests.support.config import built, written

TABLES = Tables(POLICIES, TARGETS, PROVIDERS)


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """`serve` owns its process; these tests do not."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def test_every_limit_of_the_file_reaches_the_server() -> None:
    """Also one that is added later to either side."""
    durations = {"header_timeout": 1, "body_timeout": 2, "body_total_timeout": 3, "keep_alive": 4, "write_timeout": 5}
    sizes = {"max_body": 6, "max_headers": 7, "max_url": 8, "max_websocket_message": 9}
    section = ServerConfig(
        max_header_count=10,
        max_connections=11,
        shutdown=ShutdownConfig(delay=Duration(12), drain=Duration(13)),
        **{name: Duration(value) for name, value in durations.items()},  # type: ignore[arg-type]
        **{name: Size(value) for name, value in sizes.items()},  # type: ignore[arg-type]
    )
    found = msgspec.structs.asdict(server_limits(GatewayConfig(providers={}, routes={}, server=section)))
    counts = {"max_header_count": 10, "max_connections": 11, "shutdown_delay": 12, "drain": 13}
    assert found == {**durations, **sizes, **counts}
    assert set(ServerConfig.__struct_fields__) - {"shutdown"} == set(ServerLimits.__struct_fields__) - {
        "shutdown_delay",
        "drain",
    }


def test_defaults_of_file_and_server_agree() -> None:
    assert server_limits(GatewayConfig(providers={}, routes={})) == ServerLimits()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_with_problems_starts_nothing(workers: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every problem is said."""
    file = tmp_path / "gateway.yaml"
    file.write_text("listen: nowhere\ncolour: blue\n")
    assert serve(file, TABLES, Options(workers=workers)) == WRONG
    said = capsys.readouterr().err.splitlines()
    assert len(said) >= 3
    assert all(line.startswith(f"{file}") for line in said)


def test_open_routes_are_judged_by_the_address_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line's, if it has one."""
    file = tmp_path / "gateway.yaml"
    file.write_text("providers: {sim: {kind: simulated}}\nroutes: {chat: {target: sim/x}}\n")
    assert serve(file, TABLES, Options(listen="0.0.0.0:0")) == WRONG
    assert "anybody who reaches 0.0.0.0:0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("workers", "more", "policies", "is_said"),
    [
        (2, "", "{quota: {limits: [60/min]}}", True),
        (1, "", "{quota: {limits: [60/min]}}", False),
        (2, "", "", False),
        (2, "store: redis://127.0.0.1:6379/0", "{quota: {limits: [60/min]}}", False),
    ],
    ids=["several", "one", "no limits", "with a store"],
)
def test_who_starts_several_workers_hears_how_they_count(
    tmp_path: Path, workers: int, more: str, policies: str, is_said: bool
) -> None:
    text = (
        f"{more}\nproviders: {{sim: {{kind: simulated}}}}\nroutes: {{a: {{policies: [{policies}], target: sim/x}}}}\n"
    )
    assert ("each worker counts limits by itself" in counted_apart(built(written(tmp_path, text)), workers)) is is_said
