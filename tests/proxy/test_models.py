"""The lists of models, in three shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy import models
from proxy.errors import BadRequest
from proxy.exchange import Reply
from tests.support.compiled import Canned, make_exchange, make_rule, make_runtime

ANTHROPIC = (b"anthropic-version", b"2023-06-01")
GOOGLE = (b"x-goog-api-key", b"sk-test")
NAMES = ("fast", "org/slow", "größer", "last")


def ask(
    path: str, query: str = "", headers: tuple[tuple[bytes, bytes], ...] = (), method: str = "GET"
) -> tuple[int, Any]:
    """Status and body of a list over four names."""
    runtime = make_runtime(
        make_rule(Canned(), name="a", models=NAMES), make_rule(Canned(), name="b", models=("gpt-*",))
    )
    x = make_exchange(path, method=method, query=query.encode(), headers=headers)
    found = models.answer(runtime, x)
    assert isinstance(found, Reply)
    return found.status, json.loads(found.body)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/models", True),
        ("/v1/models/a", True),
        ("/v1beta/models", True),
        ("/v1beta/models/a/b", True),
        ("/v1/modelsx", False),
        ("/v1/mode", False),
        ("/v1beta/tunedModels", False),
        ("/v2/models", False),
    ],
)
def test_the_paths_of_lists_are_known(path: str, found: bool) -> None:
    assert models.is_of_models(path) is found


def test_openais_shape_is_the_usual_one() -> None:
    """All names at once."""
    status, body = ask("/v1/models")
    assert status == 200
    assert body["object"] == "list"
    assert [model["id"] for model in body["data"]] == list(NAMES)
    assert body["data"][0] == {"id": "fast", "object": "model", "created": 0, "owned_by": "sluicegate"}


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ("", list(NAMES), False),
        ("limit=2", ["fast", "org/slow"], True),
        ("limit=2&after_id=org%2Fslow", ["größer", "last"], False),
        ("limit=1&after_id=fast", ["org/slow"], True),
        ("after_id=last", [], False),
        ("limit=1&before_id=last", ["größer"], True),
        ("limit=9&before_id=org/slow", ["fast"], False),
        ("limit=100000", list(NAMES), False),
    ],
)
def test_anthropics_pages_go_both_ways(query: str, ids: list[str], more: bool) -> None:
    """With the ids of their ends."""
    status, body = ask("/v1/models", query, (ANTHROPIC,))
    assert status == 200
    assert [model["id"] for model in body["data"]] == ids
    assert body["has_more"] is more
    assert (body["first_id"], body["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
    assert all(model["type"] == "model" and model["display_name"] == model["id"] for model in body["data"])


@pytest.mark.parametrize(("path", "headers"), [("/v1beta/models", ()), ("/v1/models", (GOOGLE,))])
def test_googles_pages_are_found_by_their_token(path: str, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """Until there is none."""
    seen, token = [], ""
    for _ in range(3):
        status, body = ask(path, f"pageSize=2&pageToken={token}", headers)
        assert status == 200
        seen += [model["name"] for model in body["models"]]
        token = body.get("nextPageToken", "")
        if not token:
            break
    assert seen == [f"models/{name}" for name in NAMES]
    assert ask(path, "pageSize=0", headers)[1]["models"][0]["supportedGenerationMethods"] == [
        "generateContent",
        "countTokens",
    ]


@pytest.mark.parametrize(
    ("path", "headers", "key", "name"),
    [
        ("/v1/models/org/slow", (), "id", "org/slow"),
        ("/v1/models/org%2Fslow", (), "id", "org/slow"),
        ("/v1/models/gr%C3%B6%C3%9Fer", (ANTHROPIC,), "display_name", "größer"),
        ("/v1beta/models/fast", (), "name", "models/fast"),
        ("/v1/models/fast", (GOOGLE,), "baseModelId", "fast"),
    ],
)
def test_one_model_is_found_by_its_name(
    path: str, headers: tuple[tuple[bytes, bytes], ...], key: str, name: str
) -> None:
    status, body = ask(path, "", headers)
    assert (status, body[key]) == (200, name)


@pytest.mark.parametrize(
    ("path", "headers", "shape"),
    [
        ("/v1/models/gpt-5", (), {"message", "type", "param", "code"}),
        ("/v1/models/gpt-5", (ANTHROPIC,), {"type", "message", "code"}),
        ("/v1beta/models/gpt-5", (), {"code", "message", "status", "details"}),
    ],
)
def test_what_is_not_listed_is_refused_in_the_callers_dialect(
    path: str, headers: tuple[tuple[bytes, bytes], ...], shape: set[str]
) -> None:
    status, body = ask(path, "", headers)
    assert (status, set(body["error"])) == (404, shape)


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=x", "limit=1.5", "limit=9999999999", "limit=²", "after_id=no", "before_id=no"),
        "&".join(f"a{at}=1" for at in range(99)),
    ],
)
def test_a_page_that_makes_no_sense_is_a_bad_request(query: str) -> None:
    with pytest.raises(BadRequest):
        ask("/v1/models", query, (ANTHROPIC,))
    for ours, theirs in (("limit", "pageSize"), ("after_id", "pageToken"), ("before_id", "pageToken")):
        query = query.replace(ours, theirs)
    if query != "pageSize=0":  # "as you like"
        with pytest.raises(BadRequest):
            ask("/v1beta/models", query)


def test_other_methods_are_nobodys() -> None:
    """But they are refused in the caller's dialect."""
    x = make_exchange("/v1/models", method="POST", headers=(ANTHROPIC,))
    assert models.answer(make_runtime(make_rule(Canned())), x) is None
    assert x.style.name == "anthropic"
