"""One serving process: build the first generation, listen, watch the file, end well."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from proxy.app import App, Current
from proxy.config.compile import Built, Tables, build
from proxy.config.model import GatewayConfig
from proxy.reload import Reloader
from proxy.runtime import Shared
from proxy.server.limits import ServerLimits
from proxy.server.serve import Server, bind
from proxy.telemetry.log import Logger, adopt_library_logs, make_logger
from proxy.telemetry.metrics import Metrics

WRONG = 2


class Options(msgspec.Struct, frozen=True):
    """What the command line says beside the file."""

    workers: int = 1
    listen: str | None = None
    log_level: str | None = None


def serve(path: Path, tables: Tables, options: Options) -> int:
    """Serve until told to stop; returns the exit code. A file with problems is reported and nothing is started."""
    shared = Shared()

    def build_generation(generation: int) -> Built:
        return build(path, tables, environ=os.environ, shared=shared, generation=generation, now=time.time)

    built = build_generation(1)
    if built.runtime is None or built.config is None:
        for problem in built.problems:
            print(problem, file=sys.stderr)
        return WRONG
    return _Process(path, build_generation, built, built.config, options).run()


class _Process:
    """Holds together what one process serves with."""

    def __init__(
        self,
        path: Path,
        build_generation: Callable[[int], Built],
        built: Built,
        config: GatewayConfig,
        options: Options,
        sockets: Sequence[socket.socket] | None = None,
    ) -> None:
        assert built.runtime is not None
        self._options = options
        self._log: Logger = make_logger(options.log_level or config.log.level, config.log.format)
        adopt_library_logs(self._log)
        self._metrics = Metrics()
        self._current = Current(built.runtime)
        self._config = config
        self._server = Server(
            App(self._current, self._metrics, self._log),
            _limits(config),
            *_address(options.listen or config.listen),
            on_started=self._started,
            on_stopped=self._stopped,
            on_refused=self._metrics.refused,
        )
        self._current.draining = self._server.draining
        self._reloader = Reloader(
            self._current,
            build_generation,
            built,
            drain_s=config.server.shutdown.drain,
            metrics=self._metrics,
            log=self._log,
            applied=self._applied,
        )
        self._stop_watching = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def run(self) -> int:
        """Serve; the exit code."""
        try:
            self._server.run()
        except OSError as error:
            print(error.strerror or error, file=sys.stderr)
            return 1
        return 0
