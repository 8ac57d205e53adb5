"""What the processes and clients of the tests may know of the machine: next to nothing."""

from __future__ import annotations

import itertools
import os
import socket
from pathlib import Path

import certifi

ROOT = Path(__file__).resolve().parents[2]
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "COVERAGE_PROCESS_START", "SSL_CERT_FILE", "SSL_CERT_DIR")
# What would send a client of the tests elsewhere, or give it somebody's real credentials.
_FOREIGN = ("PROXY", "OPENAI_", "ANTHROPIC_", "SLUICEGATE_", "AZURE_", "SSL_CERT")
_FIRST_PORT, _BLOCK = 10_000, 2_000
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
# Another run of the tests at the same time begins elsewhere in the block.
_TURNS = itertools.count(os.getpid() * 37)


def clean_environment(**more: str) -> dict[str, str]:
    """An environment for a child process: a few names kept, and what is given."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {"PYTHONUNBUFFERED": "1"} | more


def certificates(folder: Path) -> dict[str, str]:
    """An environment in which one authority is trusted. Every client reads all there are as it is made, which takes 40
    ms, though it speaks to the loopback without TLS; there are thousands of clients."""
    end = "-----END CERTIFICATE-----\n"
    first, found, _ = Path(certifi.where()).read_text("ascii", "replace").partition(end)
    assert found
    path = folder / "authority.pem"
    path.write_text(first[first.index("-----BEGIN") :] + end)
    return {"SSL_CERT_FILE": str(path), "SSL_CERT_DIR": str(folder)}


def foreign_names() -> list[str]:
    """Names in this process's environment that tests must not depend on."""
    return [name for name in os.environ if any(part in name.upper() for part in _FOREIGN)]


def free_port() -> int:
    """A port of the loopback where nobody listens, and that no other process of this test run is given.

    Below the range from which the kernel takes ports for outgoing connections; a block for each worker of the run. A
    port that two workers had picked at once would lead the client of one to the gateway of the other.
    """
    while True:
        port = _FIRST_PORT + _BLOCK * _WORKER + next(_TURNS) % _BLOCK
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
