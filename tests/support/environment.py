"""What the processes and clients of the tests may know of the machine: next to nothing."""

from __future__ import annotations

import os
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")
# What would send a client of the tests elsewhere, or give it somebody's real credentials.
_FOREIGN = ("PROXY", "OPENAI_", "ANTHROPIC_", "SLUICEGATE_", "AZURE_", "SSL_CERT")


def clean_environment(**more: str) -> dict[str, str]:
    """An environment for a child process: a few names kept, and what is given."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {"PYTHONUNBUFFERED": "1"} | more


def foreign_names() -> list[str]:
    """Names in this process's environment that tests must not depend on."""
    return [name for name in os.environ if any(part in name.upper() for part in _FOREIGN)]


def free_port() -> int:
    """A port of the loopback where nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
