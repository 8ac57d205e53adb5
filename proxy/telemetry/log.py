"""Structured log lines: JSON for machines, colours for a terminal. One line per request, one per change of state."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO, cast

import msgspec

Logger = Any  # of JSON or of structlog, whose filtering bound logger is made at run time
ExcInfo = BaseException | tuple[type[BaseException], BaseException, TracebackType | None] | bool | None
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_MOST_WAITING = 64  # lines
_encode = msgspec.json.Encoder(enc_hook=repr).encode


class _Output:
    """A file that may be full, or a pipe that nobody reads any more: no request fails for its line."""

    def __init__(self, file: Any, lost: Callable[[], None]) -> None:
        self._file = file
        self._lost = lost

    def write(self, text: Any, lines: int = 1) -> None:
        """What does not fit is lost, and counted."""
        try:
            self._file.write(text)
        except OSError:
            for _ in range(lines):
                self._lost()

    def flush(self) -> None:
        """What cannot be written now is kept by the file, and tried again with the next line."""
        with suppress(OSError):
            self._file.flush()


class JsonLog:
    """Writes JSON lines: time, level and event first, as that is what an eye looks for.

    The lines of one turn of the event loop leave together: each by itself would cost as much again as making it.
    """

    __slots__ = ("_least", "_output", "_waiting")

    def __init__(self, least: int, output: _Output) -> None:
        self._least = least
        self._output = output
        self._waiting: list[bytes] = []  # lines of this turn

    def debug(self, event: str, **fields: Any) -> None:
        """See ``logging``; so the others."""
        if self._least <= logging.DEBUG:
            self._line("debug", event, fields)

    def info(self, event: str, **fields: Any) -> None:
        if self._least <= logging.INFO:
            self._line("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        if self._least <= logging.WARNING:
            self._line("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._line("error", event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        """An error with the traceback of the exception that is being handled."""
        self._line("error", event, {"exc_info": True, **fields})

    def log(self, level: int, event: str, **fields: Any) -> None:
        """At a level of ``logging``."""
        if self._least <= level:
            self._line(logging.getLevelName(level).lower(), event, fields)

    def _line(self, level: str, event: str, fields: dict[str, Any]) -> None:
        if "exc_info" in fields and (told := _traceback(fields.pop("exc_info"))):
            fields["exception"] = told
        line = _encode({"timestamp": datetime.now(UTC), "level": level, "event": event, **fields}) + b"\n"
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # another thread, or before the loop and after it
            self._output.write(line)
            self._output.flush()
            return
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append(line)
        if len(self._waiting) >= _MOST_WAITING:
            self._flush()

    def _flush(self) -> None:
        """The lines of a turn, as one."""
        lines, self._waiting = self._waiting, []
        if lines:
            self._output.write(b"".join(lines), len(lines))
            self._output.flush()


def _traceback(told: ExcInfo) -> str:
    """Of an exception, or of the one that is being handled; "" if there is none."""
    if isinstance(told, tuple):
        told = told[1]
    elif told is True:
        told = sys.exception()
    return "".join(traceback.format_exception(told)).rstrip("\n") if isinstance(told, BaseException) else ""


def make_logger(
    level: str, form: Literal["auto", "json", "console"], lost: Callable[[], None] = lambda: None
) -> Logger:
    """A logger that writes to standard output. ``auto`` is console on a terminal, JSON elsewhere.

    ``lost`` is called for each line that could not be written.
    """
    if form == "console" or (form == "auto" and sys.stdout.isatty()):
        return _console(_LEVELS[level], lost)
    return JsonLog(_LEVELS[level], _Output(sys.stdout.buffer, lost))


def _console(least: int, lost: Callable[[], None]) -> Logger:
    """For people."""
    import structlog  # nobody else needs it, and it takes a while to load

    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty()),
    ]
    return structlog.wrap_logger(
        structlog.PrintLogger(cast(TextIO, _Output(sys.stdout, lost))),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=True,
    ).bind()


class _Forward(logging.Handler):
    """Hands records of other libraries to our logger, so that the output has one form."""

    def __init__(self, logger: Logger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        self._logger.log(
            record.levelno, "library.message", source=record.name, text=record.getMessage(), exc_info=exc_info
        )


def adopt_library_logs(logger: Logger) -> None:
    """Route the standard library's logging (uvicorn, aiohttp, asyncio) into ``logger``, warnings and worse."""
    root = logging.getLogger()
    root.handlers = [_Forward(logger)]
    root.setLevel(logging.WARNING)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every form that a client got wrong
