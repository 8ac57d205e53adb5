"""Workers for the tests, which tell their process id. ``python -m tests.proxy.server.worker_app COUNT JOURNAL``."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import sys
from pathlib import Path
from typing import Any

from proxy.server.limits import ServerLimits
from proxy.server.serve import Server
from proxy.server.workers import Workers


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Tell who answers, or die, or hold the line."""
    path = scope["path"]
    if path == "/die":
        os._exit(3)
    text = f"{os.getpid()} {os.environ['PROMETHEUS_MULTIPROC_DIR']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text, "more_body": path == "/hold"})
    if path == "/hold":
        await asyncio.Event().wait()


def work(journal: str, status: int, sockets: list[socket.socket]) -> None:
    """One worker; with a status it ends at once."""
    if status:
        sys.exit(status)

    def started(_: Server) -> None:
        note(journal, f"started {os.getpid()}")

    Server(app, ServerLimits(drain=1.5), sockets=sockets, on_started=started).run()
    note(journal, f"ended {os.getpid()}")


def note(journal: str, line: str) -> None:
    with Path(journal).open("a") as file:
        file.write(line + "\n")


def main(count: str, journal: str, status: str = "0") -> int:
    return Workers(
        functools.partial(work, journal, int(status)),
        host="127.0.0.1",
        port=0,
        count=int(count),
        patience=5.0,
        on_started=lambda port: print(port, flush=True),
        on_death=lambda pid: note(journal, f"died {pid}"),
    ).run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
