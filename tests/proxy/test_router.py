"""Which route takes a request."""

from __future__ import annotations

import time
from typing import Any

import pytest

from proxy.choosing.capability import Reach
from proxy.choosing.health import Health
from proxy.exchange import Exchange
from proxy.pipeline import Pipeline
from proxy.policy import Answer, Choice, Policy, Target, Timeouts
from proxy.router import Router, RouteRule, is_glob


class _Nowhere(Target):
    """A target that is never asked."""

    async def send(self, x: Exchange) -> Answer:
        raise AssertionError

    def explain(self, x: Exchange) -> Choice:
        raise AssertionError

    def leaves(self) -> tuple[str, ...]:
        return ()

    def healths(self) -> tuple[Health, ...]:
        return ()

    def reaches(self) -> frozenset[Reach]:
        return frozenset()


class _Door(Policy):
    """A policy that may run before the body."""

    at_door = True

    def on_request(self, x: Exchange) -> None:
        """Lets all pass."""


class _Inside(Policy):
    """A policy that may not."""

    def on_request(self, x: Exchange) -> None:
        """Lets all pass."""


def rule(
    name: str, models: tuple[str, ...] | None = None, policies: tuple[Policy, ...] = (), **match: Any
) -> RouteRule:
    """A route rule with an empty pipeline."""
    pipeline = Pipeline(name, [("p", policy) for policy in policies], _Nowhere(), slots=0, timeouts=Timeouts())
    return RouteRule(name, models, match.get("paths", ()), match.get("headers", ()), match.get("tags", ()), pipeline)


def ask(router: Router, model: str, path: str = "/v1/chat/completions", headers: Any = (), **tags: str) -> str | None:
    """Name of the route that takes this request."""
    x = Exchange("req", "POST", path, b"", list(headers), time.monotonic(), 0)
    x.model = model
    found = router.match(x, tags)
    return None if found is None else found.route


def test_exact_names_come_before_globs_and_globs_before_the_rest() -> None:
    """Of two globs the one with the longer beginning; the order of the file decides nothing here."""
    router = Router(
        [rule("rest"), rule("any-gpt", ("gpt-*",)), rule("mini", ("gpt-4o-*",)), rule("exact", ("gpt-4o-mini", "x"))]
    )
    assert ask(router, "gpt-4o-mini") == "exact"
    assert ask(router, "gpt-4o-2024") == "mini"
    assert ask(router, "gpt-3.5") == "any-gpt"
    assert ask(router, "claude") == "rest"
    assert ask(router, "GPT-4o") == "rest"
    assert ask(Router([rule("exact", ("x",))]), "y") is None


def test_conditions_must_all_hold_and_come_before_routes_without() -> None:
    """Path, header and tag are globs; a route with conditions is asked first."""
    router = Router(
        [
            rule("plain", ("m",)),
            rule("team", ("m",), headers=((b"x-team", ("search", "se?rch-*")),), tags=(("env", ("dev*",)),)),
            rule("speech", ("m",), paths=("/v1/audio/*",)),
        ]
    )
    assert router.needs_tags
    team = [(b"x-team", b"search")]
    assert ask(router, "m") == "plain"
    assert ask(router, "m", headers=team) == "plain"
    assert ask(router, "m", headers=team, env="devel") == "team"
    assert ask(router, "m", headers=[(b"x-team", b"searching")], env="dev") == "plain"
    assert ask(router, "m", "/v1/audio/speech") == "speech"


def test_requests_without_model_need_a_route_without_models_or_a_path() -> None:
    """A route of named models does not take files by accident."""
    models = rule("models", ("m",))
    assert ask(Router([models]), "", "/v1/files") is None
    assert ask(Router([models, rule("rest")]), "", "/v1/files") == "rest"
    assert ask(Router([models, rule("files", ("m",), paths=("/v1/files*",))]), "", "/v1/files/f-1") == "files"


def test_the_door_is_what_all_possible_routes_begin_with() -> None:
    """One route that lets everybody in opens the door for its paths, not for others."""
    guard = _Door()
    closed = rule("closed", ("a",), (guard, _Inside()))
    router = Router([closed, rule("also", ("b",), (guard,))])
    assert [step[2] for step in router.door("/v1/embeddings")] == [guard]
    router = Router([closed, rule("open", ("b",), paths=("/v1/chat/*",))])
    assert router.door("/v1/chat/completions") == ()
    assert [step[2] for step in router.door("/v1/embeddings")] == [guard]
    assert Router([rule("inside", ("a",), (_Inside(), guard))]).door("/v1/embeddings") == ()


def test_only_exact_names_are_listed() -> None:
    """In the order of the file."""
    router = Router([rule("a", ("z", "gpt-*")), rule("b", ("y",)), rule("c")])
    assert [(name, pipeline.route) for name, pipeline in router.model_names()] == [("z", "a"), ("y", "b")]


@pytest.mark.parametrize(
    ("name", "found"), [("gpt-4o", False), ("gpt-*", True), ("a?c", True), ("a[bc]", True), ("a.c", False)]
)
def test_wildcards_are_told_from_names(name: str, found: bool) -> None:
    """A dot is a dot."""
    assert is_glob(name) is found
