"""Structured log lines: JSON for machines, colours for a terminal. One line per request, one per change of state."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, Literal, TextIO, cast

import msgspec
import structlog

Logger = Any  # structlog's filtering bound logger is made at run time
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def _encode(event: dict[str, Any], **_: Any) -> bytes:
    """Time, level and event first: that is what an eye looks for."""
    first = {"timestamp": event.pop("timestamp"), "level": event.pop("level"), "event": event.pop("event")}
    return msgspec.json.encode({**first, **event}, enc_hook=repr)


class _Output:
    """A file that may be full, or a pipe that nobody reads any more: no request fails for its line."""

    def __init__(self, file: Any, lost: Callable[[], None]) -> None:
        self._file = file
        self._lost = lost

    def write(self, line: Any) -> None:
        """What does not fit is lost, and counted."""
        try:
            self._file.write(line)
        except OSError:
            self._lost()

    def flush(self) -> None:
        """What cannot be written now is kept by the file, and tried again with the next line."""
        with suppress(OSError):
            self._file.flush()


def make_logger(
    level: str, form: Literal["auto", "json", "console"], lost: Callable[[], None] = lambda: None
) -> Logger:
    """A logger that writes to standard output. ``auto`` is console on a terminal, JSON elsewhere.

    ``lost`` is called for each line that could not be written.
    """
    console = form == "console" or (form == "auto" and sys.stdout.isatty())
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    processors: list[Any] = [structlog.processors.add_log_level, stamp]
    factory: Any
    if console:
        processors.append(structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty()))
        factory = structlog.PrintLogger(cast(TextIO, _Output(sys.stdout, lost)))
    else:
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_encode)]
        factory = structlog.BytesLogger(cast(BinaryIO, _Output(sys.stdout.buffer, lost)))
    return structlog.wrap_logger(
        factory,
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
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
