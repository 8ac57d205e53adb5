"""``python -m tests.upstream --journal FILE``: prints its port as a line of JSON, serves until its input ends.

That end comes by itself when whoever started it is gone, however that went.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from tests.upstream.connection import Connection, World
from tests.upstream.journal import Journal


async def _serve(port: int, journal: Journal) -> None:
    loop = asyncio.get_running_loop()
    world = World(journal)
    server = await loop.create_server(lambda: Connection(world), "127.0.0.1", port, backlog=4096)
    print(json.dumps({"port": server.sockets[0].getsockname()[1], "pid": os.getpid()}), flush=True)
    over = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), over.set)
    await over.wait()
    server.close()


def main() -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--journal", type=Path)
    args = parser.parse_args()
    asyncio.run(_serve(args.port, Journal(args.journal)))


if __name__ == "__main__":
    main()
