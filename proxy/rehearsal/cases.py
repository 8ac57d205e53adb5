"""What is expected of a configuration, as `sluicegate test` reads it: plain data."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from proxy.units import Duration, Money

NONE = "none"  # how a file says that there is no route, target or refusal
Word = Literal[
    "ok",
    "down",
    "rate_limited",
    "overloaded",
    "timeout",
    "bad_answer",
    "bad_credential",
    "context_too_long",
    "content_refused",
    "model_not_found",
]
Texts = str | tuple[str, ...]


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A map with a closed set of keys."""


class Tokens(_Data, frozen=True):
    """What a provider tells of its usage."""

    input: int = 0
    cached: int = 0
    output: int = 0


class Behaviour(_Data, frozen=True):
    """What a provider does with one request. ``status`` 0: it answers. ``slow`` and ``retry_after`` in seconds."""

    text: str | None = None
    usage: Tokens | None = None
    slow: Duration = Duration(0)
    cut: bool = False
    status: int = 0
    message: str = "scripted by the case"
    retry_after: Duration | None = None


Doing = Word | Behaviour


class Request(_Data, frozen=True):
    """What the caller sends."""

    model: str | None = None
    messages: tuple[Any, ...] = ()
    stream: bool = False
    path: str = "/v1/chat/completions"
    method: str = "POST"
    body: str | dict[str, Any] | None = None
    headers: dict[str, str] = {}
    tags: dict[str, str] = {}


class Sent(_Data, frozen=True):
    """One request with its circumstances. ``key`` is organisation/team/key, ``secret`` a key as it is sent; ``at`` in
    seconds since the epoch, None for now. ``upstream``: what each provider, or target, does, one after the other."""

    request: Request
    key: str = ""
    secret: str = ""
    at: float | None = None
    upstream: dict[str, tuple[Doing, ...]] = {}
    times: int = 1


class Text(_Data, frozen=True):
    """What holds of a body. ``at``: values by their place in the JSON."""

    contains: Texts = ()
    lacks: Texts = ()
    at: dict[str, Any] = {}


class Expectation(_Data, frozen=True, rename={"forbidden": "not"}):
    """What is to come of a request; None and nothing: not looked at. ``cost`` in nano-dollars."""

    route: str | None = None
    target: str | None = None
    attempts: tuple[str | dict[str, str], ...] | None = None
    status: int | None = None
    refusal: str | None = None
    refused_by: str | None = None
    message: Texts = ()
    policies: tuple[str, ...] | None = None
    headers: dict[str, str] = {}
    body: Text | None = None
    answer: Text | None = None
    cost: Money | None = None
    dropped: tuple[str, ...] | None = None
    degraded: str | None = None
    forbidden: Expectation | None = None


class Case(_Data, frozen=True):
    """``place`` is where it stands: file, line and column."""

    name: str
    place: str
    given: Sent
    before: tuple[Sent, ...]
    expect: Expectation


class Suite(_Data, frozen=True):
    """One file of cases. ``environment``: variables that the configuration finds beside the real ones."""

    file: str
    environment: dict[str, str]
    cases: tuple[Case, ...]


def texts(given: Texts) -> tuple[str, ...]:
    """One or several, as several."""
    return (given,) if isinstance(given, str) else given


_STEP = re.compile(r"\.?([^.\[\]]+)|\[(-?[0-9]+)\]")


def steps(path: str) -> tuple[str | int, ...]:
    """``messages[-1].role`` as keys and indices.

    Raises:
        ValueError: it is no path.
    """
    found: list[str | int] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None or (at == 0 and path.startswith(".")):
            raise ValueError(f"{path!r} is not a path; write it like messages[0].content")
        found.append(step[1] if step[2] is None else int(step[2]))
        at = step.end()
    return tuple(found)
