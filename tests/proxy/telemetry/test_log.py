"""Log lines."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest

from proxy.telemetry.log import adopt_library_logs, make_logger

Output = pytest.CaptureFixture[bytes]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    found = logging.getLogger()
    before = found.handlers, found.level
    yield found
    found.handlers, found.level = before


def _lines(output: Output) -> list[bytes]:
    return output.readouterr().out.splitlines()


def test_machines_get_json(capsysbinary: Output) -> None:
    """One object per line, levels below the wanted one left out, anything odd as text."""
    log = make_logger("warning", "auto")
    log.info("request", status=200)
    log.warning("config.notice", notice="ünïcödé", kind=object)
    (line,) = _lines(capsysbinary)
    found = json.loads(line)
    assert list(found)[:3] == ["timestamp", "level", "event"]
    assert (found["event"], found["level"], found["notice"]) == ("config.notice", "warning", "ünïcödé")
    assert "object" in found["kind"]
    assert found["timestamp"].endswith("Z")


def test_people_get_text_and_colours_only_on_a_terminal(capsysbinary: Output) -> None:
    """This is none."""
    make_logger("info", "console").info("serve.started", listen="127.0.0.1:8080")
    (line,) = _lines(capsysbinary)
    assert b"serve.started" in line
    assert b"127.0.0.1:8080" in line
    assert b"\x1b" not in line


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_full_disk_ends_nothing(form: Literal["json", "console"], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are lost, and counted."""
    lost = []
    with Path("/dev/full").open("w", encoding="utf-8", buffering=1) as full:
        monkeypatch.setattr(sys, "stdout", full)
        log = make_logger("info", form, lambda: lost.append(1))
        for _ in range(100):
            log.info("request", path="x" * 1000)
        monkeypatch.undo()
        with suppress(OSError):
            full.close()
    assert len(lost) > 50


def test_a_traceback_is_a_field(capsysbinary: Output) -> None:
    """On one line."""
    log = make_logger("info", "json")
    try:
        raise ValueError("x")
    except ValueError:
        log.exception("request.crashed")
    (line,) = _lines(capsysbinary)
    assert "ValueError: x" in json.loads(line)["exception"]


def test_libraries_speak_through_the_same_log(capsysbinary: Output, root: logging.Logger) -> None:
    """Warnings and worse; what they chat about is left out."""
    adopt_library_logs(make_logger("info", "json"))
    logging.getLogger("aiohttp").info("chatter")
    logging.getLogger("aiohttp").warning("pool is %s", "full")
    (line,) = _lines(capsysbinary)
    found = json.loads(line)
    assert (found["event"], found["source"], found["text"]) == ("library.message", "aiohttp", "pool is full")


async def test_lines_of_one_turn_leave_together(capsysbinary: Output) -> None:
    """In their order, with the turn's end; those of other threads do not wait for it."""
    log = make_logger("info", "json")
    for number in range(3):
        log.info("request", number=number)
    assert _lines(capsysbinary) == []
    await asyncio.sleep(0)
    assert [json.loads(line)["number"] for line in _lines(capsysbinary)] == [0, 1, 2]
    log.info("request", number=4)
    thread = threading.Thread(target=log.info, args=("request",), kwargs={"number": 3})
    thread.start()
    thread.join()
    assert [json.loads(line)["number"] for line in _lines(capsysbinary)] == [3]
    await asyncio.sleep(0)
    assert [json.loads(line)["number"] for line in _lines(capsysbinary)] == [4]
    for number in range(100):
        log.info("request", number=number)
    assert 0 < len(_lines(capsysbinary)) < 100  # no more wait than some
    await asyncio.sleep(0)
    assert len(_lines(capsysbinary)) == 36
