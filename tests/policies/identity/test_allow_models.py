"""A model passes when the route and every level of the tenant admit it."""

from __future__ import annotations

from typing import Any

import pytest

from policies.identity.allow_models import AllowModels, AllowModelsConfig
from proxy.exchange import Identity, Reply


@pytest.mark.parametrize(
    ("route", "levels", "model", "admitted"),
    [
        (None, (), "anything", True),
        (("gpt-*",), (), "gpt-4o", True),
        (("gpt-*",), (), "claude", False),
        (("gpt-*",), (("gpt-4o",),), "gpt-4o", True),
        (("gpt-*",), (("gpt-4o",),), "gpt-4o-mini", False),
        (("gpt-*",), (("*",), ("gpt-4o-mini",)), "gpt-4o", False),
        (None, (("fast",), ()), "fast", False),
        (("GPT-4o",), (), "gpt-4o", False),
        (("a.c",), (), "abc", False),
    ],
)
def test_all_levels_must_admit(
    route: tuple[str, ...] | None,
    levels: tuple[tuple[str, ...], ...],
    model: str,
    admitted: bool,
    context: Any,
    exchange: Any,
) -> None:
    """Globs, whole names, case as written; an empty list admits nothing."""
    policy = AllowModels.compile(AllowModelsConfig(models=route), context)
    x = exchange(model=model)
    x.identity = Identity("acme", "search", "web", levels)
    reply = policy.on_request(x)
    assert policy.admits_model(x, model) is admitted
    if admitted:
        assert reply is None
    else:
        assert isinstance(reply, Reply)
        assert (reply.status, reply.code) == (403, "model_not_allowed")


def test_a_request_without_model_passes(context: Any, exchange: Any) -> None:
    """Files and batches are let in by their route."""
    assert AllowModels.compile(AllowModelsConfig(models=("x",)), context).on_request(exchange(model="")) is None
