"""``/admin/experiments``: which there are and what they show, as ``sluicegate experiments`` tells it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

from proxy.admin.asked import Asked, json_reply
from proxy.admin.roles import check
from proxy.errors import GatewayError
from proxy.exchange import Reply
from proxy.experiments.measures import NoExperiments, names
from proxy.experiments.mirror_report import MirrorReport, mirror_report, mirror_summary
from proxy.experiments.mirror_shown import page as mirror_page
from proxy.experiments.mirrored import mirrors
from proxy.experiments.page import page
from proxy.experiments.report import Report, report, summary
from proxy.keys.record import MICRO

_HTML = ((b"content-type", b"text/html; charset=utf-8"),)
_FORMATS = ("json", "html")


class NoSuchExperiment(GatewayError):
    """Nothing of this name was recorded."""

    status = 404
    code = "experiment_not_found"


async def list_experiments(asked: Asked) -> Reply:
    """All that were recorded in this state directory, and what mirrors compare."""
    check(asked.operator, "experiments.read")
    asked.texts(())
    paths, now = [asked.desk.experiments], asked.desk.service.micros() / MICRO

    def work() -> list[dict[str, object]]:
        if not paths[0].is_file():
            return []
        found = [summary(report(paths, plan.name, now=now)) for plan in names(paths)]
        return [*found, *(mirror_summary(mirror_report(paths, one.name)) for one in mirrors(paths))]

    return json_reply({"object": "list", "data": await _read(asked, work)})


async def get_experiment(asked: Asked) -> Reply:
    """The report of one, or of a mirror; as a page with ``format=html``."""
    check(asked.operator, "experiments.read")
    wanted = asked.texts(("format",)).get("format", "json")
    if wanted not in _FORMATS:
        raise GatewayError("`format` is `json` or `html`.", status=400, code="invalid_request", param="format")
    path, now = asked.desk.experiments, asked.desk.service.micros() / MICRO

    def work() -> Report | MirrorReport:
        if asked.name in (one.name for one in mirrors([path])):
            return mirror_report([path], asked.name)
        return report([path], asked.name, now=now)

    found = await _read(asked, work)
    if wanted == "html":
        write = mirror_page if isinstance(found, MirrorReport) else page
        return Reply(200, (await asyncio.to_thread(write, found)).encode(), _HTML)
    return json_reply(found)


async def _read(asked: Asked, work: Callable[[], Any]) -> Any:
    """In a thread and by a connection of its own, a few at a time.

    Raises:
        GatewayError: there is no such experiment, or the file cannot be read.
    """
    try:
        async with asked.desk.reading:
            return await asyncio.to_thread(work)
    except NoExperiments as error:
        raise NoSuchExperiment(f"There is no experiment {asked.name[:64]!r} here.") from error
    except (OSError, sqlite3.Error) as error:
        asked.log.error("admin.experiments_unavailable", problem=str(error))
        message = "The records of experiments cannot be read now."
        raise GatewayError(message, status=503, code="experiments_unavailable") from error
